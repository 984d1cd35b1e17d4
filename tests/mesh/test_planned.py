"""Applying a plan changes nothing that is desired before its clusters are ready."""

import pytest

from accounts.audit import CONSOLE
from accounts.models import AuditEntry
from clusters.editing import delete_cluster
from clusters.models import Cluster
from jobs.locks import Busy
from jobs.models import Job
from mesh import planned
from mesh.intent import Credentials, MeshIntent, rotation_intent
from mesh.models import PlannedEntry
from mesh.plan import plan_mesh
from mesh.results import results_of
from peers.models import Peer
from tests.mesh.test_setup import apply, entries
from tests.workers import done, expire_leases, killed_at
from wire import Secret

pytestmark = pytest.mark.django_db(transaction=True)


def desired() -> list[tuple[object, ...]]:
    """Every value that a person may have given, of peers and clusters."""
    peers = Peer.objects.order_by("cluster__name", "address").values_list(
        "pk",
        "address",
        "username",
        "password",
        "protocol",
        "provisioning_state",
        "revision",
    )
    clusters = Cluster.objects.order_by("name").values_list(
        "peering_username", "peering_password", "revision"
    )
    return [*peers, *clusters]


@pytest.fixture
def pair(lab, clusters, peer_factory):
    """Two clusters that are peers, with an intercluster user each."""
    pairs = list(zip(clusters, lab.clusters, strict=True))[:2]
    for row, simulated in pairs:
        simulated.set_password("intercluster", f"{row.name}-0ld")
        row.peering_username = "intercluster"
        row.seal("peering_password", simulated.intercluster_password)
        row.save()
    for (home, there), (remote, far) in (pairs, pairs[::-1]):
        password = far.intercluster_password
        peer = peer_factory(home, remote, username="intercluster")
        peer.address = peer.applied_address = remote.publisher.name
        peer.provisioning_state = "applied"
        peer.seal("password", password)
        peer.save()
        there.add_peer(peer.address, peer.username, password)
    return clusters[0], clusters[1]


def with_password(pair, password="n3w", protocol="TLS") -> MeshIntent:
    user = Credentials("intercluster", Secret(password))
    return MeshIntent((pair,), protocol=protocol, credentials={pair[1].pk: user})


def test_a_plan_with_a_new_password_changes_nothing_until_clusters_are_ready(lab, pair):
    before = desired()
    job = apply(with_password(pair))
    assert desired() == before
    lab.clusters[0].publisher.set_fault("node", "down")
    assert done(job).state == Job.State.FAILED
    assert desired() == before
    assert {one.code for one in results_of(job)} == {"not_ready"}


def test_a_password_that_the_cluster_refuses_changes_nothing(lab, pair):
    before = desired()
    job = done(apply(with_password(pair, "refused")))
    assert job.state == Job.State.FAILED
    assert {one.code for one in results_of(job)} == {"not_ready"}
    assert "intercluster" in job.error
    assert desired() == before


@pytest.mark.parametrize("place", ["mesh:before-password", "mesh:before-accept"])
def test_a_killed_worker_makes_the_plan_the_desired_state_once(lab, pair, place):
    lab.clusters[1].set_password("intercluster", "n3w")
    before, trail = desired(), AuditEntry.objects.count()
    job = apply(with_password(pair))
    killed_at(job, place)
    if place == "mesh:before-password":
        assert desired() == before
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED, job.error
    assert set(Peer.objects.values_list("protocol", flat=True)) == {"TLS"}
    sides = Peer.objects.filter(remote_cluster=pair[1])
    assert [one.unseal("password").reveal() for one in sides] == ["n3w"]
    pair[1].refresh_from_db()
    assert pair[1].unseal("peering_password").reveal() == "n3w"
    reported = AuditEntry.objects.order_by("number")[trail:]
    actions = [one.action for one in reported if one.job_id == str(job.pk)]
    assert actions.count("edit peer") == 2
    assert actions.count("edit cluster") == 1


def test_an_accepted_password_is_no_longer_kept_with_the_job(lab, pair):
    lab.clusters[1].set_password("intercluster", "n3w")
    job = done(apply(with_password(pair)))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert not job.planned_passwords.exists()
    assert set(job.planned_entries.values_list("password", flat=True)) == {""}


def test_rotation_reaches_every_entry_and_the_cluster(lab, pair):
    lab.clusters[1].set_password("intercluster", "n3w")
    job = done(apply(rotation_intent(pair[1], Secret("n3w"))))
    assert job.state == Job.State.SUCCEEDED, job.error
    pair[1].refresh_from_db()
    assert pair[1].unseal("peering_password").reveal() == "n3w"


def test_an_edit_in_between_refuses_the_entry_and_stays(lab, pair):
    job = apply(MeshIntent((pair,), protocol="TLS"))
    peer = Peer.objects.get(cluster=pair[0])
    peer.external_phone_number_mask = "+1408XXXX"
    peer.save_edit("external_phone_number_mask")
    assert done(job).state == Job.State.FAILED
    assert [one.code for one in results_of(job)] == [planned.PLAN_STALE]
    assert set(Peer.objects.values_list("protocol", flat=True)) == {"TCP"}
    assert entries(lab) == [1, 1, 0]


def test_a_peer_that_was_added_in_between_stays(clusters, lab, peer_factory):
    job = apply(MeshIntent((tuple(clusters[:2]),)))
    added = peer_factory(*clusters[:2])
    assert done(job).state == Job.State.FAILED
    assert [one.code for one in results_of(job)] == [planned.PEER_EXISTS]
    assert list(Peer.objects.all()) == [added]
    assert entries(lab) == [0, 0, 0]


def test_a_peer_that_was_deleted_in_between_is_not_made_again(lab, pair):
    job = apply(MeshIntent((pair,), protocol="TLS"))
    Peer.objects.filter(cluster=pair[0]).delete()
    assert done(job).state == Job.State.FAILED
    assert [one.code for one in results_of(job)] == [planned.PEER_DELETED]
    assert Peer.objects.count() == 1


def test_a_cluster_cannot_be_deleted_while_its_peerings_are_set_up(clusters):
    apply(MeshIntent((tuple(clusters[:2]),)))
    with pytest.raises(Busy):
        delete_cluster(clusters[0], CONSOLE)


def test_a_cluster_that_is_gone_ends_the_job_of_its_peering(clusters):
    job = apply(MeshIntent((tuple(clusters[:2]),)))
    clusters[1].delete()
    assert done(job).state == Job.State.FAILED
    assert [one.code for one in results_of(job)] == [planned.CLUSTER_DELETED]


def test_a_cancelled_job_leaves_what_was_desired(pair):
    before = desired()
    job = apply(with_password(pair))
    job.cancel()
    assert desired() == before


def test_a_retry_accepts_what_the_first_attempt_did_not(lab, pair):
    lab.clusters[0].publisher.set_fault("node", "down")
    job = done(apply(MeshIntent((pair,), protocol="TLS")))
    assert set(Peer.objects.values_list("protocol", flat=True)) == {"TCP"}
    lab.clusters[0].publisher.clear_faults()
    job.retry()
    assert done(job).state == Job.State.SUCCEEDED, job.error
    assert set(Peer.objects.values_list("protocol", flat=True)) == {"TLS"}


def test_a_plan_shows_what_a_job_is_about_to_write(pair):
    expected = MeshIntent((pair,), protocol="TLS")
    apply(expected)
    assert not plan_mesh(expected).changes
    assert len(plan_mesh(MeshIntent((pair,), protocol="UDP")).changes) == 2


def test_planned_passwords_are_sealed(pair):
    apply(with_password(pair))
    stored = PlannedEntry.objects.exclude(password="").get()
    assert stored.password.startswith("v1|")
    assert stored.unseal("password").reveal() == "n3w"
    assert "n3w" not in str(Job.objects.latest("created_at").arguments)
