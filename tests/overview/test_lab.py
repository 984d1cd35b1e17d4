"""Faults of simulated clusters: one problem each with its cause, never all clear."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from clusters.models import Cluster
from diagnostics.jobs.sweep import Sweep
from jobs.engine import perform_job
from jobs.models import Job
from overview.live import Overview
from overview.models import Problem
from overview.renewal import renew_problems
from peers.models import Peer
from services.models import NodePace, NodeReading
from tests.diagnostics.conftest import AGENT
from tests.waiting import eventually


@pytest.fixture
def sweep(peering):
    """Sweep now and return the problems; sweeps until users are carried."""

    def run():
        Job.objects.filter(kind="sweep").delete()
        # As if the last sweep was a minute ago.
        NodeReading.objects.update(observed_at=None)
        NodePace.objects.all().delete()
        job = Sweep.submit()
        perform_job(str(job.pk))
        assert Job.objects.get(pk=job.pk).state == "succeeded"
        renew_problems()
        return list(Problem.objects.all())

    assert eventually(lambda: not run()), list(Problem.objects.all())
    assert Overview().all_clear
    return run


def only(found):
    assert len(found) == 1, found
    assert not Overview().all_clear
    return found[0]


def test_node_that_is_down_is_one_problem(sweep, mesh_lab, registered):
    node = next(n for n in mesh_lab.clusters[1].nodes if not n.is_publisher)
    node.set_fault("node", "down")
    found = only(sweep())
    assert (found.code, found.severity) == ("node_unreachable", "failed")
    assert node.name in found.sentence
    mesh_lab.clear_faults()
    assert sweep() == []


def test_publisher_that_is_down_is_one_problem(sweep, mesh_lab, peering):
    node = mesh_lab.clusters[1].publisher
    node.set_fault("node", "down")
    found = only(sweep())
    assert (found.code, found.severity) == ("node_unreachable", "failed")
    ids = {one["id"] for one in found.affects if one["type"] == "peer"}
    assert ids == {str(peer.pk) for peer in peering}


def test_wrong_axl_password_is_named_and_leads_to_its_form(sweep, registered):
    good = registered[1].unseal("axl_password")
    registered[1].seal("axl_password", "wrong")
    registered[1].save()
    found = only(sweep())
    assert found.code == "credentials_refused"
    form = reverse("clusters:edit_cluster", args=[registered[1].pk])
    assert found.fix_url == f"{form}#id_axl_password"
    registered[1].seal("axl_password", good.reveal())
    registered[1].save()
    assert sweep() == []


def test_agent_that_is_stopped_is_one_problem(sweep, mesh_lab):
    mesh_lab.clusters[1].nodes[1].service(AGENT).set("Stopped")
    found = only(sweep())
    assert (found.code, found.severity) == ("agent_stopped", "failed")


def test_certificate_that_changed_and_came_back(sweep, mesh_lab, registered):
    node = mesh_lab.clusters[1].publisher
    confirmed = registered[1].publisher.certificate_fingerprint
    node.set_fault("tls", "changed")
    assert only(sweep()).code == "certificate_changed"
    mesh_lab.clear_faults()
    sweep()
    # It is asked again at once.
    job = Job.objects.get(kind="check-peers")
    perform_job(str(job.pk))
    renew_problems()
    assert Overview().all_clear
    row = Cluster.objects.get(pk=registered[1].pk).publisher
    assert (row.certificate_state, row.certificate_fingerprint) == (
        "trusted",
        confirmed,
    )
    saved = AuditEntry.objects.filter(object_id=str(row.pk)).order_by("number")
    changed, returned = saved.filter(action__contains="certificate")
    assert changed.changes["certificate_fingerprint"][0] == confirmed
    assert returned.changes["certificate_state"] == ["changed", "trusted"]


def test_entry_that_was_removed_on_the_cluster(sweep, mesh_lab, peering):
    home, remote = mesh_lab.clusters
    home.remove_peer(remote.publisher.address)
    found = only(sweep())
    assert (found.code, found.severity) == ("entry_removed", "failed")
    assert found.fix_url == reverse("peers:drift", args=[peering[0].pk])


def test_protocol_changed_on_the_cluster_is_one_problem(sweep, mesh_lab, peering):
    home, remote = mesh_lab.clusters
    home.remove_peer(remote.publisher.address)
    peer = peering[0]
    home.add_peer(peer.address, peer.username, remote.intercluster_password, "TLS")
    found = only(sweep())
    assert found.code == "entry_differs"


def test_entry_deleted_in_the_console_alone(sweep, registered):
    Peer.objects.filter(cluster=registered[1]).delete()
    found = only(sweep())
    assert found.code == "entry_unmanaged"
