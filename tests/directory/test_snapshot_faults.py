"""Snapshots of 75,000 odd users, of clusters that die, and on disks that are full."""

import resource
from collections import Counter
from contextlib import contextmanager

import pytest
from django.db import connection

from directory import duplicates, reading, store
from directory.jobs import snapshot
from directory.models import Snapshot
from directory.ownership import Directory
from jobs.models import Job
from tests.directory.conftest import taken

MANY = 75_000
QUERY = "INSERT INTO enduser (pkid, userid, directoryuri, mailid, primarynodeid) "
KINDS = (
    'o\'neil "{n}"',
    "Ünïcödé ß 🦜 {n}",
    "two  spaces {n} ",
    "semi;colon-- {n}",
    "<tag>&amp;{n}</row>",
    "Case.{n}",
    "",
)
LONG = "x" * 255


def odd(number):
    userid = KINDS[number % len(KINDS)].format(n=number // len(KINDS))
    return f"{number:036d}", userid, f"{userid}@x", "", 1


@pytest.fixture
def cluster(clusters):
    return clusters[0]


@pytest.fixture
def simulated(lab):
    """The first cluster of the lab, as it was afterwards."""
    one = lab.clusters[0]
    before = {row[0] for row in one.database.execute("SELECT pkid FROM enduser")}
    yield one
    after = {row[0] for row in one.database.execute("SELECT pkid FROM enduser")}
    gone = [(pkid,) for pkid in after - before]
    one.database.many("DELETE FROM enduser WHERE pkid = ?", gone)


def add(simulated, rows):
    simulated.database.many(f"{QUERY} VALUES (?, ?, ?, ?, ?)", rows)


def userids(cluster):
    columns = store.columns_of(store.latest_snapshots()[cluster.pk])
    return [columns.user(row).userid for row in range(len(columns))]


@pytest.mark.long
def test_75_000_odd_users_come_as_they_are(cluster, simulated):
    rows = [odd(number) for number in range(MANY - 2)]
    rows += [("y" * 36, "CASE.17", LONG, LONG, 1), ("z" * 36, LONG, "", LONG, 1)]
    add(simulated, rows)
    job = taken(cluster)
    assert job.state == Job.State.SUCCEEDED, job.steps.first().detail
    found = userids(cluster)
    assert not Counter(row[1] for row in rows) - Counter(found)
    assert len(found) == MANY + 12
    shared = {
        one.value
        for one in duplicates.find_duplicates(Directory(), "userid", "mail_id")
    }
    assert shared == {"case.17", LONG}


@pytest.mark.parametrize("fault", ["cut-body", "reset"])
def test_a_cluster_that_dies_in_the_middle_leaves_its_last_snapshot(
    cluster, simulated, monkeypatch, fault
):
    taken(cluster)
    add(simulated, [odd(number) for number in range(0, 1400, 7)])
    answer = simulated.database.query

    def die(text, *more):
        """Fail from the third page on."""
        if "skip 90" in text.lower():
            simulated.set_fault("axl", fault)
        return answer(text, *more)

    monkeypatch.setattr(simulated.database, "query", die)
    simulated.set_fault("axl", "too-large:50")
    job = taken(cluster)
    assert job.state == Job.State.FAILED
    assert Snapshot.objects.count() == 1
    assert len(userids(cluster)) == 12


def test_a_schema_that_is_not_known_is_named(cluster, lab):
    database = lab.clusters[0].database
    (row,) = database.execute(
        "DELETE FROM syscolumns WHERE colname = 'primarynodeid' AND tabid = "
        "(SELECT tabid FROM systables WHERE tabname = 'enduser') RETURNING tabid"
    )
    try:
        job = taken(cluster)
    finally:
        database.execute(
            "INSERT INTO syscolumns (tabid, colname) VALUES (?, 'primarynodeid')", *row
        )
    assert job.state == Job.State.FAILED
    assert "primarynodeid" in job.steps.first().detail


def test_a_release_that_names_no_columns_is_read_by_those_that_all_have(
    cluster, lab, monkeypatch
):
    database = lab.clusters[0].database
    monkeypatch.setattr(reading, "COLUMNS", (*reading.COLUMNS, "nosuch"))
    database.execute("ALTER TABLE systables RENAME TO gone")
    try:
        job = taken(cluster)
    finally:
        database.execute("ALTER TABLE gone RENAME TO systables")
    assert job.state == Job.State.SUCCEEDED, job.steps.first().detail
    assert len(userids(cluster)) == 12
    assert {"directoryuri", "nosuch"} <= set(Snapshot.objects.get().absent)


@contextmanager
def full_database():
    """Leave room for what a job says of itself, and no more."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite can be made to run full")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    pragma(f"max_page_count = {pragma('page_count') + 24}")
    try:
        yield
    finally:
        pragma("max_page_count = 1073741823")


def pragma(text):
    with connection.cursor() as cursor:
        # What is not fetched to its end keeps a lock.
        return cursor.execute(f"PRAGMA {text}").fetchall()[0][0]


def test_a_database_that_is_full_keeps_the_last_snapshot(cluster, simulated):
    taken(cluster)
    add(simulated, [odd(number) for number in range(40_000)])
    with full_database():
        job = taken(cluster)
    assert job.state == Job.State.FAILED
    assert job.steps.first().detail == snapshot.FULL
    assert len(userids(cluster)) == 12
    assert taken(cluster).state == Job.State.SUCCEEDED


@contextmanager
def full_disk():
    """No file may grow beyond four kilobytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_takes_the_file_and_not_the_answer(cluster, simulated):
    add(simulated, [odd(number) for number in range(500)])
    taken(cluster)
    with full_disk():
        assert len(userids(cluster)) == 512
    assert list(store.snapshot_folder().iterdir()) == []
