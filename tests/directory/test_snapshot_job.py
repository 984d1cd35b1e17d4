"""The job on a lab: what goes wrong ends in a truthful job and the last snapshot."""

import errno
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.audit import Actor
from directory import store, tasks
from directory.comparison import compare_listings
from directory.jobs import snapshot
from directory.jobs.snapshot import SnapshotDirectory
from directory.models import Comparison, Snapshot, SnapshotPart
from directory.ownership import Directory
from jobs.locks import Busy
from jobs.models import Job
from tests.directory.conftest import carry, taken
from tests.workers import done

NAMES = [
    "o'neil",
    'dou"ble',
    "ünïcode.ß",
    "two  spaces",
    "semi;colon -- drop table enduser",
    "<tag>&amp;",
    "x" * 132,
]


def add(cluster, *userids, **columns):
    """Add users to a cluster of the lab."""
    columns = {"primarynodeid": 1, "directoryuri": "a@b.example"} | columns
    for userid in userids:
        values = {"userid": userid, **columns}
        cluster.database.execute(
            f"INSERT INTO enduser ({', '.join(values)}) "
            f"VALUES ({', '.join('?' * len(values))})",
            *values.values(),
        )


@pytest.fixture
def cluster(clusters):
    return clusters[0]


@pytest.fixture
def simulated(lab):
    """The first cluster of the lab, as it was afterwards."""
    one = lab.clusters[0]
    before = {row[0] for row in one.database.execute("SELECT pkid FROM enduser")}
    yield one
    for (pkid,) in one.database.execute("SELECT pkid FROM enduser"):
        if pkid not in before:
            one.database.execute("DELETE FROM enduser WHERE pkid = ?", pkid)


def users_of(cluster):
    columns = store.columns_of(store.latest_snapshots()[cluster.pk])
    return [columns.user(row) for row in range(len(columns))]


def test_reads_the_users_of_every_generation(clusters):
    job = taken(*clusters)
    assert job.state == Job.State.SUCCEEDED, job.error
    assert [s.users for s in Snapshot.objects.order_by("cluster__name")] == [12, 8, 5]


def test_numbers_are_told_only_where_the_release_has_them(clusters):
    taken(*clusters)
    voice, _, presence = (store.latest_snapshots()[one.pk] for one in clusters)
    assert voice.absent == []
    assert presence.absent == ["telephonenumber"]


def test_copies_are_told_from_own_users_by_their_home_node(cluster, lab, simulated):
    carry(lab, 0, 1)
    taken(cluster)
    nodes = Snapshot.objects.get().nodes
    own = {node.name for node in lab.clusters[0].nodes}
    assert sum(n for name, n in nodes.items() if name in own) == 12
    assert sum(nodes.values()) == 20


def test_odd_names_come_as_they_are(cluster, simulated):
    add(simulated, *NAMES)
    add(simulated, "no.uri", directoryuri="", mailid=None)
    taken(cluster)
    names = {user.userid for user in users_of(cluster)}
    assert names >= {*NAMES, "no.uri"}


def test_small_pages_give_the_same_users(cluster, simulated):
    add(simulated, *(f"user{n:03}" for n in range(200)))
    simulated.set_fault("axl", "too-large:50")
    job = taken(cluster)
    assert job.state == Job.State.SUCCEEDED, job.steps.first().detail
    assert len({user.userid for user in users_of(cluster)}) == 212


@pytest.mark.parametrize("fault", ["cut-body", "reset", "off", "no-role", "html-200"])
def test_a_cluster_that_fails_leaves_its_last_snapshot(cluster, lab, fault):
    taken(cluster)
    lab.clusters[0].set_fault("axl", fault)
    job = taken(cluster)
    assert job.state == Job.State.FAILED
    assert job.error.startswith("1 of 1 ")
    assert len(users_of(cluster)) == 12


def test_one_that_fails_does_not_keep_the_others_back(clusters, lab):
    lab.clusters[1].set_fault("node", "down")
    job = taken(*clusters)
    states = [step.state for step in job.steps.all()]
    assert states == ["done", "failed", "done", "done"]
    assert job.error.startswith("1 of 3 clusters")


def test_rows_that_repeat_are_counted_once(cluster, simulated, monkeypatch):
    add(simulated, *(f"user{n:03}" for n in range(200)))
    answer = simulated.database.query

    def grow(text, *more):
        """Add a user before all others once the first page was read."""
        if "skip 45" in text.lower():
            add(simulated, "newcomer", pkid="0" * 36)
            monkeypatch.undo()
        return answer(text, *more)

    monkeypatch.setattr(simulated.database, "query", grow)
    simulated.set_fault("axl", "too-large:50")
    job = taken(cluster)
    assert job.state == Job.State.SUCCEEDED, job.steps.first().detail
    names = [user.userid for user in users_of(cluster)]
    assert len(names) == len(set(names)) == 212
    assert "1 rows came twice" in job.steps.first().detail


def test_a_schema_without_a_column_is_read_without_it(cluster, lab, monkeypatch):
    database = lab.clusters[0].database
    database.execute("ALTER TABLE enduser RENAME COLUMN mailid TO was_mailid")
    database.execute("DELETE FROM syscolumns WHERE colname = 'mailid'")
    try:
        job = taken(cluster)
    finally:
        database.execute("ALTER TABLE enduser RENAME COLUMN was_mailid TO mailid")
        database.execute(
            "INSERT INTO syscolumns (tabid, colname) SELECT tabid, 'mailid' "
            "FROM systables WHERE tabname = 'enduser'"
        )
    assert job.state == Job.State.SUCCEEDED
    assert Snapshot.objects.get().absent == ["mailid"]
    assert "no column mailid" in job.steps.first().detail


def test_two_snapshots_of_one_cluster_at_once_are_refused(cluster):
    job = SnapshotDirectory.submit([cluster], Actor())
    with pytest.raises(Busy) as busy:
        SnapshotDirectory.submit([cluster], Actor())
    assert busy.value.job == job


def test_a_full_disk_ends_in_a_failed_job_and_the_last_snapshot(cluster, monkeypatch):
    taken(cluster)

    def full(*args, **kwargs):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(SnapshotPart.objects, "create", full)
    job = taken(cluster)
    assert job.state == Job.State.FAILED
    assert job.steps.first().detail == snapshot.FULL
    assert len(users_of(cluster)) == 12
    assert Snapshot.objects.count() == 1


@pytest.mark.parametrize("place", ["content_of", "read_users"])
def test_too_little_memory_fails_one_cluster_and_not_the_others(
    clusters, monkeypatch, place
):
    real, begun = getattr(snapshot, place), []

    def short(*args):
        begun.append(args)
        if len(begun) == 1:
            raise MemoryError
        return real(*args)

    monkeypatch.setattr(snapshot, place, short)
    job = taken(*clusters)
    assert job.state == Job.State.FAILED
    ended = {step.detail for step in job.steps.filter(state="failed")}
    assert snapshot.TOO_LARGE in ended
    assert Snapshot.objects.count() == len(clusters) - 1


def test_a_full_disk_for_the_files_takes_only_the_speed(cluster, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_write_parts", full)
    taken(cluster)
    assert len(users_of(cluster)) == 12


def test_a_job_that_was_interrupted_reads_only_the_rest(clusters, lab, monkeypatch):
    job = SnapshotDirectory.submit(clusters, Actor())
    monkeypatch.setattr(snapshot, "AT_ONCE", 1)
    monkeypatch.setattr(snapshot, "ATTENDED", 0.0)
    assert done(job).state == Job.State.SUCCEEDED
    assert Snapshot.objects.count() == 3


def test_only_the_newest_are_kept(cluster, settings):
    settings.DIRECTORY_SNAPSHOTS = 2
    for _ in range(3):
        taken(cluster)
        users_of(cluster)
    assert Snapshot.objects.count() == 2
    assert len(list(store.snapshot_folder().iterdir())) <= 2


def test_clusters_are_read_when_they_are_due(clusters):
    for _ in range(2):
        tasks.snapshot_when_due.run()
    assert done(Job.objects.get()).state == Job.State.SUCCEEDED
    assert SnapshotDirectory.due(timezone.now()) == []
    assert len(SnapshotDirectory.due(timezone.now() + timedelta(days=1))) == 3


def test_no_interval_means_only_on_request(clusters, settings):
    settings.DIRECTORY_INTERVAL = 0
    assert SnapshotDirectory.due(timezone.now()) == []


def test_peers_are_compared_after_the_snapshot(clusters, lab, peer_factory, simulated):
    carry(lab, 0, 1)
    peer = peer_factory(clusters[0], clusters[1])
    taken(*clusters)
    compared = Comparison.objects.get()
    assert (compared.peer, compared.outcome) == (peer, "passed")
    assert (compared.home_count, compared.remote_count) == (8, 8)
    assert compare_listings(Directory(), peer).different == 0
