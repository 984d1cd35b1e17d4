"""`manage.py directory`: what it prints, and how it ends."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from accounts.audit import Actor
from directory.duplicates import KINDS
from directory.jobs.snapshot import SnapshotDirectory
from directory.management.commands.directory import DIFFERING, LEFT_OVER, STATES
from directory.models import Snapshot
from jobs.locks import Busy
from jobs.models import Job
from tests.directory.conftest import of


def output_of(*words):
    out = io.StringIO()
    call_command("directory", *words, stdout=out)
    return out.getvalue()


def refused(*words):
    """What is printed, and the sentence with which it fails."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("directory", *words, stdout=out)
    return out.getvalue(), str(error.value)


def columns(text):
    return [line.split("\t") for line in text.splitlines()]


@pytest.fixture
def differing(pair, has):
    home, remote, peer = pair
    has(home, *of(home, "ada"), *of(remote, "bob", "old"))
    has(remote, *of(remote, "bob", "new", "ADA", number="6640"))
    return peer


def test_a_snapshot_reads_the_named_clusters(clusters):
    text = output_of("snapshot", clusters[0].name.upper())
    assert "12 users." in text
    assert Snapshot.objects.get().cluster == clusters[0]


def test_a_snapshot_of_one_that_fails_ends_in_an_error(clusters, lab):
    lab.clusters[1].set_fault("node", "down")
    text, error = refused("snapshot")
    assert re.findall(r"\d+", error) == ["1", "3"]
    assert "12 users." in text and "5 users; this release" in text


def test_a_snapshot_that_is_being_taken_is_refused(clusters):
    SnapshotDirectory.submit(clusters[:1], Actor())
    with pytest.raises(CommandError) as error:
        output_of("snapshot", clusters[0].name)
    assert isinstance(error.value.__cause__, Busy)


def test_a_snapshot_without_clusters_is_refused(db):
    assert refused("snapshot")[0] == ""
    assert not Job.objects.exists()


def test_a_snapshot_of_one_cluster_named_twice_reads_it_once(clusters):
    output_of("snapshot", clusters[0].name, clusters[0].name)
    assert Snapshot.objects.count() == 1


@pytest.mark.parametrize(
    "words", [("snapshot", "nobody"), ("compare", "nobody"), ("compare", "oslo", "x")]
)
def test_an_unknown_cluster_is_named(pair, words):
    assert f" {words[-1]}." in refused(*words)[1]


def test_peers_that_differ_end_in_an_error(differing):
    text, error = refused("compare")
    assert f"\t{STATES['missing']}\tnew\t" in text
    assert f"\t{STATES['extra']}\told\t" in text
    assert error == DIFFERING


def test_peers_that_agree_end_well(pair, has):
    home, remote, _ = pair
    has(home, *of(remote, "bob"))
    has(remote, *of(remote, "bob"))
    ((pair, outcome, counts),) = columns(output_of("compare", "oslo", "bergen"))
    assert (pair, outcome) == ("oslo → bergen", "passed")
    assert re.findall(r"\d+", counts) == ["1", "1"]


def test_sides_that_were_not_read_are_unknown(pair):
    (row,) = columns(output_of("compare"))
    assert row[:2] == ["oslo → bergen", "unknown"]


def test_users_without_a_peering_end_in_an_error(differing):
    differing.delete()
    text, error = refused("compare")
    (pair, outcome, count), *users = columns(text)
    assert (pair, outcome, count[:2]) == ("oslo → bergen", "failed", "2 ")
    assert ["", STATES["leftover"], "old"] in [row[:3] for row in users]
    assert error == LEFT_OVER
    assert output_of("compare", "bergen") == ""


def test_duplicates_name_their_users(differing):
    ((kind, value, holders),) = columns(output_of("duplicates", "--kind", "userid"))
    assert (kind, value) == (KINDS["userid"], "ada")
    named = [(one.split()[0], one.split()[-1]) for one in holders.split(", ")]
    assert named == [("ADA", "bergen"), ("ada", "oslo")]
    assert len(output_of("duplicates").splitlines()) == 3


def test_a_kind_that_is_none_is_refused(db):
    assert "invalid choice" in refused("duplicates", "--kind", "x")[1]


def test_a_user_is_located(differing):
    first, *views = columns(output_of("locate", "sip:new@example.com"))
    assert first[:2] == ["new", "bergen"]
    assert first[2:4] == ["bergen-pub.example.com", "sip:new@example.com"]
    assert len(views) == 2


@pytest.mark.parametrize("text", ["nobody", "", "\0", "' OR 1=1 --"])
def test_nobody_located_is_an_error(differing, text):
    printed, error = refused("locate", text)
    assert printed == "" and error.endswith(f" {text}.")
