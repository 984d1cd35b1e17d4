import pytest

from accounts.audit import CONSOLE
from clusters.models import Cluster
from jobs.engine import perform_job
from jobs.models import Job, JobStep
from lab import Lab
from peers import entries, lifecycle, provisioning
from peers.models import Peer
from tests.workers import done, expire_leases, killed_at
from wire import AxlClient, Code

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def lab():
    with Lab(clusters=2, nodes=1, users=(3, 2), network="auto", sip=False) as lab:
        yield lab


@pytest.fixture(autouse=True)
def tidy(lab):
    yield
    for cluster in lab.clusters:
        cluster.clear_faults()
        for entry in cluster.peers():
            cluster.remove_peer(entry.address)


@pytest.fixture
def peer(lab_clusters):
    return draft(lab_clusters)


def draft(clusters: list[Cluster], **fields) -> Peer:
    home, remote = clusters
    values = {"address": remote.publisher.address, "username": "intercluster"}
    return Peer(cluster=home, **values | fields)


def save(peer: Peer, **fields) -> Job:
    for name, value in fields.items():
        setattr(peer, name, value)
    return lifecycle.save_peer(peer, CONSOLE, password="secret", fields=[*fields])


def rows(lab: Lab) -> list[dict]:
    return lab.clusters[0].sql("select * from cupsinterclusterpeers")


def writes(lab: Lab) -> int:
    calls = [call.operation or "" for call in list(lab.clusters[0].publisher.calls)]
    return sum("executeSQLUpdate" in operation for operation in calls)


def test_a_saved_peer_stands_on_the_cluster(lab, peer):
    assert done(save(peer)).state == Job.State.SUCCEEDED
    peer.refresh_from_db()
    assert peer.provisioning_state == Peer.ProvisioningState.APPLIED
    assert [entry.address for entry in lab.clusters[0].peers()] == [peer.address]


def test_an_edit_changes_the_entry_and_leaves_other_columns_alone(lab, peer):
    done(save(peer))
    lab.clusters[0].database.execute(
        "UPDATE cupsinterclusterpeers SET description = 'mine'"
    )
    peer.refresh_from_db()
    assert done(save(peer, protocol="TLS")).state == Job.State.SUCCEEDED
    (row,) = rows(lab)
    assert (row["preferredprotocol"], row["description"]) == ("3", "mine")


def test_a_changed_address_moves_the_entry(lab, peer, lab_clusters):
    done(save(peer))
    peer.refresh_from_db()
    name = lab_clusters[1].publisher.name
    assert done(save(peer, address=name)).state == Job.State.SUCCEEDED
    assert [entry.address for entry in lab.clusters[0].peers()] == [name]


def test_a_wrong_password_of_the_cluster_fails_with_its_remedy(peer, lab_clusters):
    lab_clusters[0].seal("axl_password", "wrong")
    lab_clusters[0].save()
    job = done(save(peer))
    assert job.state == Job.State.FAILED
    assert job.error_code == Code.UNAUTHORIZED
    peer.refresh_from_db()
    assert peer.provisioning_state == Peer.ProvisioningState.FAILED


def test_a_table_that_is_not_in_the_catalogue_is_never_written(peer, lab_clusters, lab):
    columns = {"address": "a", "username": "b", "password": "c", "protocol": "d"}
    lab_clusters[0].peer_table = {
        "table": "nosuchtable",
        "columns": columns,
        "protocol_values": {"TCP": "1"},
    }
    lab_clusters[0].save()
    before = writes(lab)
    job = done(save(peer))
    assert job.state == Job.State.FAILED
    assert job.error_code == Code.CATALOGUE
    assert "nosuchtable" in job.error and "cupsinterclusterpeers" in job.error
    assert writes(lab) == before


@pytest.mark.parametrize(
    "stored", ["[2001:db8::7]", "2001:DB8:0::7", "2001:db8:0:0:0:0:0:7"]
)
def test_an_ipv6_address_in_another_spelling_is_the_same_entry(lab, peer, stored):
    home = lab.clusters[0]
    home.add_peer(stored, username="ic", password="x", protocol="TCP")
    job = done(save(peer, address="2001:db8::7", username="intercluster"))
    assert job.state == Job.State.SUCCEEDED
    assert [(one.address, one.username) for one in home.peers()] == [
        (stored, "intercluster")
    ]


def test_an_entry_with_a_bracketed_address_is_adopted(lab_clusters):
    peer = draft(lab_clusters, address="[2001:db8::7]")
    lifecycle.adopt_entry(peer, "", CONSOLE)
    assert (peer.address, peer.applied_address) == ("2001:db8::7", "[2001:db8::7]")


@pytest.mark.servers
@pytest.mark.parametrize("place", ["before-write", "after-write"])
def test_a_killed_worker_writes_once(lab, peer, place):
    started = writes(lab)
    job = save(peer)
    killed_at(job, f"provision:{place}")
    peer.refresh_from_db()
    assert peer.provisioning_state == Peer.ProvisioningState.PENDING
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED
    assert writes(lab) - started == 1
    assert len(rows(lab)) == 1


def test_an_answer_that_is_lost_after_the_write_is_read_back(lab, peer, monkeypatch):
    started, send = writes(lab), AxlClient._send_write

    async def send_and_lose_the_answer(*arguments):
        lab.clusters[0].publisher.set_fault("axl", "cut-body*1")
        return await send(*arguments)

    monkeypatch.setattr(AxlClient, "_send_write", send_and_lose_the_answer)
    job = done(save(peer))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert job.steps.get(key="write").detail == provisioning.FOUND_AFTERWARDS
    assert writes(lab) - started == 1


@pytest.mark.servers
@pytest.mark.parametrize("place", ["before-write", "after-write"])
def test_a_worker_killed_while_it_removes_ends_without_the_entry(lab, peer, place):
    done(save(peer))
    job = lifecycle.submit_removal(peer, CONSOLE)
    killed_at(job, f"remove:{place}")
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED
    assert rows(lab) == []
    assert not Peer.objects.exists()


def test_both_sides_are_removed_together(lab, lab_clusters, peer):
    home, remote = lab_clusters
    back = draft([remote, home])
    done(save(peer))
    done(save(back))
    peer.refresh_from_db()
    assert (
        done(lifecycle.submit_removal(peer, CONSOLE, both_sides=True)).state
        == "succeeded"
    )
    assert [cluster.peers() for cluster in lab.clusters] == [[], []]


def test_a_guided_peer_waits_until_the_cluster_shows_it(lab, lab_clusters, peer):
    Cluster.objects.update(provisioning=Cluster.Provisioning.GUIDED)
    peer.cluster.refresh_from_db()
    job = save(peer)
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert "Preferred Protocol TCP" in job.steps.get(key="instruct").detail
    assert rows(lab) == []
    lab.clusters[0].add_peer(peer.address, peer.username, "secret", "TCP")
    assert done(job).state == Job.State.SUCCEEDED


def test_no_step_holds_a_password(peer):
    job = done(save(peer))
    reported = [(step.detail, step.memo) for step in JobStep.objects.filter(job=job)]
    assert "secret" not in str(reported)
    assert "secret" not in str(job.arguments)


def test_peer_without_a_password_leaves_that_of_the_entry(peer_factory, lab_clusters):
    peer = peer_factory(*lab_clusters)
    assert entries.wire_values(peer).password is not None
    peer.seal("password", "")
    assert entries.wire_values(peer).password is None
