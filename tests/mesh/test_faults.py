"""What goes wrong while a peering is set up, and how the job tells it."""

import re

import pytest

from accounts.audit import CONSOLE
from diagnostics.checks import check_peers, collect_for
from diagnostics.results_store import store_facts
from jobs import dispatch, tasks
from jobs.models import Job, JobStep, Process
from mesh import applying
from mesh import entries as entries_of_pairs
from mesh.intent import MeshIntent
from mesh.jobs import set_up
from mesh.observed import unmanaged_entries
from mesh.plan import plan_mesh
from peers import lifecycle
from peers.lifecycle import restore_console_values
from peers.models import Peer
from tests.mesh.test_setup import apply, entries, intent_of_pair
from tests.workers import done

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at(monkeypatch):
    """Let something happen once, when the job comes to a place."""

    def plant(place, happening):
        left = [happening]

        def failpoint(name):
            if name == place and left:
                left.pop()()

        monkeypatch.setattr(entries_of_pairs, "failpoint", failpoint)

    return plant


def stands_alone(job):
    """The clusters whose entries the end of a job names as one-sided."""
    job.refresh_from_db()
    alone = " ".join(set_up.one_sided_entries(job))
    assert alone and alone in job.error
    return [peer.cluster for peer in Peer.objects.all() if str(peer) in alone]


def test_a_lost_broker_delays_a_job_and_loses_nothing(lab, clusters, monkeypatch):
    monkeypatch.setattr(dispatch, "send_messages", lambda jobs: None)
    job = apply(intent_of_pair(clusters))
    Job.objects.filter(pk=job.pk).update(ring_at=job.created_at)
    rung = []
    monkeypatch.setattr(dispatch, "send_messages", lambda jobs: rung.extend(jobs))
    Process.objects.create(host="here", pid=1, kind="worker", queues=[job.queue])
    tasks.ring_due()
    assert (str(job.pk), job.queue) in rung
    assert done(job).state == Job.State.SUCCEEDED


def test_a_certificate_that_changes_half_way_takes_the_first_side_back(
    lab, clusters, at
):
    at("mesh:between-entries", lab.clusters[1].publisher.renew_certificate)
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.ROLLED_BACK
    assert entries(lab) == [0, 0, 0]
    assert "certificate" in job.error
    node = clusters[1].nodes.get()
    assert node.certificate_state == "changed"


def test_a_cluster_gone_half_way_takes_the_first_side_back(lab, clusters, at):
    at(
        "mesh:between-entries",
        lambda: lab.clusters[1].publisher.set_fault("node", "down"),
    )
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.ROLLED_BACK
    assert entries(lab) == [0, 0, 0]
    states = set(Peer.objects.values_list("provisioning_state", flat=True))
    assert states == {"absent", "failed"}


def test_a_side_taken_back_is_new_again_though_a_check_saw_it(lab, clusters, at):
    def seen_and_gone():
        check_peers(list(Peer.objects.filter(cluster=clusters[0])))
        lab.clusters[1].publisher.set_fault("node", "down")

    at("mesh:between-entries", seen_and_gone)
    done(apply(intent_of_pair(clusters)))
    assert entries(lab) == [0, 0, 0]
    found = plan_mesh(intent_of_pair(clusters)).changes
    assert [step.action for step in found] == ["create", "create"]


def test_half_a_pair_that_cannot_be_undone_is_told(lab, clusters, at):
    def both_go():
        for cluster in lab.clusters[:2]:
            cluster.publisher.set_fault("node", "down")

    at("mesh:between-entries", both_go)
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.NEEDS_ATTENTION
    assert stands_alone(job) == [clusters[0]]


def test_a_cancelled_job_leaves_no_half_pair(lab, clusters, at):
    job = apply(intent_of_pair(clusters))
    at("mesh:between-entries", lambda: Job.objects.get(pk=job.pk).cancel())
    assert done(job).state == Job.State.CANCELLED
    assert entries(lab) == [0, 0, 0]
    assert not Peer.objects.filter(provisioning_state="pending").exists()


def test_what_a_cancelled_job_cannot_undo_is_told(lab, clusters, at):
    job = apply(intent_of_pair(clusters))

    def go_and_cancel():
        lab.clusters[0].publisher.set_fault("node", "down")
        Job.objects.get(pk=job.pk).cancel()

    at("mesh:between-entries", go_and_cancel)
    assert done(job).state == Job.State.NEEDS_ATTENTION
    assert stands_alone(job) == [clusters[0]]


def test_the_second_of_two_administrators_is_told(lab, clusters):
    expected = intent_of_pair(clusters)
    seen = plan_mesh(expected).hash
    done(applying.apply_plan(expected, seen, CONSOLE))
    with pytest.raises(applying.PlanChanged):
        applying.apply_plan(expected, seen, CONSOLE)
    assert Job.objects.filter(kind="set-up-peerings").count() == 1


def test_a_long_mesh_gives_the_worker_back_between_rounds(lab, clusters, monkeypatch):
    monkeypatch.setattr(set_up, "ENOUGH", -1)
    job = done(apply(MeshIntent.whole_mesh(clusters)))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert entries(lab) == [2, 2, 2]


def test_the_job_ends_with_a_run_of_the_troubleshooter(lab, clusters):
    job = done(apply(intent_of_pair(clusters)))
    step = job.steps.get(key="troubleshoot")
    assert step.state == JobStep.State.DONE
    run = Job.objects.get(kind="troubleshoot")
    assert run.arguments["run"] in step.memo["url"]


def test_what_a_sweep_reads_shows_in_the_next_plan(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    peer = Peer.objects.get(cluster=clusters[0])
    lab.clusters[0].remove_peer(peer.address)
    check_peers([peer])
    found = plan_mesh(intent_of_pair(clusters)).changes
    assert [(step.home, step.action) for step in found] == [(clusters[0], "create")]
    done(apply(intent_of_pair(clusters)))
    assert entries(lab) == [1, 1, 0]


def drift_after(lab, peer, **changes):
    lab.clusters[0].remove_peer(peer.address)
    values = {"address": peer.address, "username": peer.username} | changes
    lab.clusters[0].add_peer(
        values["address"],
        values["username"],
        peer.unseal("password").reveal(),
        values.get("protocol", peer.protocol),
    )
    check_peers([peer])
    peer.refresh_from_db()
    return peer.drift


def test_a_check_finds_values_that_were_changed_on_the_cluster(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    peer = Peer.objects.get(cluster=clusters[0])
    assert drift_after(lab, peer, protocol="TLS") == {"protocol": "TLS"}
    reported = next(entry for entry in peer.entries if entry["code"] == "provisioned")
    assert re.findall("TCP|TLS", reported["problem"]) == ["TLS", "TCP"]
    assert reported["fix_url"].endswith(f"{peer.pk}/drift/")
    done(restore_console_values(peer, CONSOLE))
    check_peers([peer])
    peer.refresh_from_db()
    assert (peer.drift, peer.provisioning_state) == ({}, "applied")
    assert lab.clusters[0].peers()[0].protocol == "TCP"


def test_another_spelling_of_an_address_is_no_drift_nor_a_second_entry(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    peer = Peer.objects.get(cluster=clusters[0])
    assert drift_after(lab, peer, address=clusters[1].publisher.address) == {}
    assert not unmanaged_entries()
    assert not plan_mesh(intent_of_pair(clusters)).changes
    done(restore_console_values(peer, CONSOLE))
    assert [entry.address for entry in lab.clusters[0].peers()] == [peer.address]


def test_an_entry_removed_on_the_cluster_is_told_and_comes_back(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    peer = Peer.objects.get(cluster=clusters[0])
    lab.clusters[0].remove_peer(peer.address)
    check_peers([peer])
    peer.refresh_from_db()
    assert peer.removed_there
    done(restore_console_values(peer, CONSOLE))
    assert entries(lab) == [1, 1, 0]


def test_a_reading_older_than_an_edit_is_not_drift(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    peer = Peer.objects.get(cluster=clusters[0])
    facts = collect_for([peer])
    peer.protocol = "TLS"
    peer.save_edit("protocol")
    store_facts(facts)
    peer.refresh_from_db()
    assert peer.drift == {}


def test_a_check_remembers_what_the_sync_agent_said_of_its_users(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    clusters[0].refresh_from_db()
    assert clusters[0].users_synced
    assert clusters[0].user_sync_at


def test_what_the_console_deleted_is_no_entry_that_it_does_not_know(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    peer, back = Peer.objects.order_by("cluster__name")
    done(lifecycle.submit_removal(peer, CONSOLE))
    assert entries(lab) == [0, 1, 0]
    assert not unmanaged_entries()
    back.refresh_from_db()
    assert back.outcome == "unknown"


def test_both_sides_of_a_cluster_are_taken_down_and_read_back(lab, clusters):
    done(apply(MeshIntent.whole_mesh(clusters)))
    for peer in Peer.objects.filter(cluster=clusters[2]):
        job = done(lifecycle.submit_removal(peer, CONSOLE, both_sides=True))
        assert job.state == Job.State.SUCCEEDED, job.error
    assert entries(lab) == [1, 1, 0]
    assert Peer.objects.count() == 2
    assert not unmanaged_entries()
