"""Setting up peerings on the lab, and what is left when something dies on the way."""

import pytest

from accounts.audit import CONSOLE
from jobs.locks import Busy
from jobs.models import Job
from mesh import applying, verification
from mesh.intent import Credentials, MeshIntent
from mesh.plan import plan_mesh
from mesh.results import results_of
from peers.models import Peer, PeerOutcome
from tests.workers import done, expire_leases, killed_at
from wire import Code, Secret
from wire.control_center_reasons import NOT_ACTIVATED

pytestmark = pytest.mark.django_db(transaction=True)


def apply(expected: MeshIntent) -> Job:
    return applying.apply_plan(expected, plan_mesh(expected).hash, CONSOLE)


def entries(lab) -> list[int]:
    return [len(cluster.peers()) for cluster in lab.clusters]


def writes(lab) -> int:
    return sum(
        "executeSQLUpdate" in (call.operation or "")
        for cluster in lab.clusters
        for call in list(cluster.publisher.calls)
    )


def intent_of_pair(clusters) -> MeshIntent:
    return MeshIntent((tuple(clusters[:2]),))


def test_one_job_sets_up_both_sides_and_verifies_them(lab, clusters):
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert entries(lab) == [1, 1, 0]
    assert set(Peer.objects.values_list("outcome", flat=True)) == {PeerOutcome.PASSED}
    assert sorted(Peer.objects.values_list("associated_users", flat=True)) == [3, 4]
    # Its peers list it among their jobs.
    for peer in Peer.objects.all():
        assert job in Job.objects.about("peer", str(peer.pk))


def test_a_stopped_agent_is_started_on_the_way(lab, clusters):
    name = lab.clusters[0].release.sync_agent
    lab.clusters[0].publisher.service(name).set("Stopped")
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert lab.clusters[0].publisher.service(name).is_started


def test_a_service_that_is_not_activated_is_found_before_anything_is_written(
    lab, clusters, monkeypatch
):
    node = lab.clusters[1].publisher
    proxy = node.services[clusters[1].profile.services["sip_proxy"]]
    monkeypatch.setattr(proxy, "steady", "Stopped")
    monkeypatch.setattr(proxy, "reason", NOT_ACTIVATED)
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.FAILED
    assert f"SIP Proxy on {node.name}" in job.error
    assert "Tools > Service Activation" in job.error
    assert entries(lab) == [0, 0, 0]


def test_a_whole_mesh_is_set_up_in_one_go(lab, clusters):
    job = done(apply(MeshIntent.whole_mesh(clusters)))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert entries(lab) == [2, 2, 2]
    assert Peer.objects.filter(outcome=PeerOutcome.PASSED).count() == 6


def test_applying_twice_writes_nothing_more(lab, clusters):
    done(apply(intent_of_pair(clusters)))
    before = writes(lab)
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert writes(lab) == before


def test_a_plan_that_is_no_longer_true_is_refused(clusters, peer_factory):
    expected = intent_of_pair(clusters)
    seen = plan_mesh(expected).hash
    peer_factory(*clusters[:2])
    with pytest.raises(applying.PlanChanged):
        applying.apply_plan(expected, seen, CONSOLE)
    assert Job.objects.count() == 0


def test_a_second_set_up_of_the_same_cluster_is_refused(clusters):
    apply(intent_of_pair(clusters))
    with pytest.raises(Busy):
        apply(MeshIntent(((clusters[1], clusters[2]),)))
    assert Job.objects.count() == 1


def test_nothing_is_written_when_a_cluster_is_not_ready(lab, clusters):
    clusters[1].seal("axl_password", "wrong")
    clusters[1].save()
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.FAILED
    assert entries(lab) == [0, 0, 0]


def test_a_side_that_fails_takes_the_other_back(lab, clusters):
    clusters[1].peer_table = {
        "table": "elsewhere",
        "columns": {"address": "a", "username": "b", "password": "c", "protocol": "d"},
        "protocol_values": {"TCP": "1"},
    }
    clusters[1].save()
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.ROLLED_BACK
    assert entries(lab) == [0, 0, 0]
    assert "elsewhere" in job.error


def with_user(clusters, username, password) -> MeshIntent:
    """A pair whose peers sign in to the first cluster with this user."""
    user = {clusters[0].pk: Credentials(username, Secret(password))}
    return MeshIntent((tuple(clusters[:2]),), credentials=user)


def test_a_wrong_password_on_one_side_is_found_before_anything_is_written(
    lab, clusters
):
    before = writes(lab)
    job = done(apply(with_user(clusters, "intercluster", "wrong")))
    assert job.state == Job.State.FAILED
    assert [one.code for one in results_of(job)] == [Code.UNAUTHORIZED]
    assert "intercluster" in job.error
    assert (entries(lab), writes(lab)) == ([0, 0, 0], before)


def test_a_user_without_its_role_is_found_before_anything_is_written(lab, clusters):
    job = done(apply(with_user(clusters, "nobody", "cup1-nobody-secret")))
    assert job.state == Job.State.FAILED
    assert [one.code for one in results_of(job)] == [Code.FORBIDDEN]
    assert "Standard AXL API Access" in job.error
    assert entries(lab) == [0, 0, 0]


def test_users_that_never_agree_need_attention(lab, clusters, monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_FOR", 1.0)
    lab.clusters[0].set_fault("agent", "skip")
    job = done(apply(intent_of_pair(clusters)))
    assert job.state == Job.State.NEEDS_ATTENTION
    assert [one.state for one in results_of(job)] == ["unverified"]


@pytest.mark.servers
@pytest.mark.parametrize(
    "place",
    [
        "mesh:before-entries",
        "mesh:before-accept",
        "mesh:accepted",
        "provision:before-write",
        "provision:after-write",
        "mesh:between-entries",
        "mesh:before-verify",
    ],
)
def test_a_worker_killed_anywhere_leaves_a_whole_pair(lab, clusters, place):
    started = writes(lab)
    job = apply(intent_of_pair(clusters))
    killed_at(job, place)
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED, job.error
    assert entries(lab) == [1, 1, 0]
    assert writes(lab) - started == 2


@pytest.mark.servers
def test_a_worker_killed_before_it_starts_an_agent_starts_it_once(lab, clusters):
    publisher = lab.clusters[0].publisher
    publisher.service(lab.clusters[0].release.sync_agent).set("Stopped")
    job = apply(intent_of_pair(clusters))
    killed_at(job, "mesh:before-agents")
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED, job.error
    assert Job.objects.filter(kind="control-services").count() == 1


@pytest.mark.servers
def test_a_worker_killed_before_it_undoes_still_undoes(lab, clusters):
    clusters[1].provisioning = "direct"
    clusters[1].peer_table = {
        "table": "elsewhere",
        "columns": {"address": "a", "username": "b", "password": "c", "protocol": "d"},
        "protocol_values": {"TCP": "1"},
    }
    clusters[1].save()
    job = apply(intent_of_pair(clusters))
    killed_at(job, "mesh:before-undo")
    assert entries(lab)[0] == 1
    expire_leases()
    assert done(job).state == Job.State.ROLLED_BACK
    assert entries(lab) == [0, 0, 0]


@pytest.mark.servers
def test_a_cluster_that_vanishes_half_way_is_reported(lab, clusters, monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_FOR", 1.0)
    job = apply(intent_of_pair(clusters))
    killed_at(job, "mesh:between-entries")
    lab.clusters[1].publisher.set_fault("node", "down")
    expire_leases()
    ended = done(job)
    assert ended.state in (Job.State.ROLLED_BACK, Job.State.NEEDS_ATTENTION)
    assert ended.error
