"""`manage.py directory`: what it prints, and how it ends."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.audit import Actor
from directory.jobs.snapshot import SnapshotDirectory
from directory.models import Snapshot
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
    assert error.startswith("1 of 3 clusters could not be read")
    assert "12 users." in text and "5 users; this release" in text


def test_a_snapshot_that_is_being_taken_is_refused(clusters):
    SnapshotDirectory.submit(clusters[:1], Actor())
    _, error = refused("snapshot", clusters[0].name)
    assert "Wait for it, or cancel it." in error


def test_a_snapshot_without_clusters_is_refused(db):
    assert refused("snapshot")[1] == "There is no cluster to read."
    assert not Job.objects.exists()


def test_a_snapshot_of_one_cluster_named_twice_reads_it_once(clusters):
    output_of("snapshot", clusters[0].name, clusters[0].name)
    assert Snapshot.objects.count() == 1


@pytest.mark.parametrize(
    "words", [("snapshot", "nobody"), ("compare", "nobody"), ("compare", "oslo", "x")]
)
def test_an_unknown_cluster_is_named(pair, words):
    assert refused(*words)[1] == f"There is no cluster {words[-1]}."


def test_peers_that_differ_end_in_an_error(differing):
    text, error = refused("compare")
    assert "\tmissing\tnew\t" in text
    assert "\tno longer there\told\t" in text
    assert error == "Some peers differ."


def test_peers_that_agree_end_well(pair, has):
    home, remote, _ = pair
    has(home, *of(remote, "bob"))
    has(remote, *of(remote, "bob"))
    assert "1 of 1 users" in output_of("compare", "oslo", "bergen")


def test_sides_that_were_not_read_are_unknown(pair):
    assert "unknown\ta cluster was not read" in output_of("compare")


def test_users_without_a_peering_end_in_an_error(differing):
    differing.delete()
    text, error = refused("compare")
    assert "oslo → bergen\tfailed\t2 users without a peering" in text
    assert "\twithout a peering\told\t" in text
    assert error == "Some users are shown without a peering."
    assert output_of("compare", "bergen") == ""


def test_duplicates_name_their_users(differing):
    text = output_of("duplicates", "--kind", "userid")
    assert text == "Same user ID\tada\tADA on bergen, ada on oslo\n"
    assert len(output_of("duplicates").splitlines()) == 3


def test_a_kind_that_is_none_is_refused(db):
    assert "invalid choice" in refused("duplicates", "--kind", "x")[1]


def test_a_user_is_located(differing):
    first, *views = output_of("locate", "sip:new@example.com").splitlines()
    assert first.startswith("new\tbergen\tbergen-pub.example.com\tsip:new@example.com")
    assert len(views) == 2


@pytest.mark.parametrize("text", ["nobody", "", "\0", "' OR 1=1 --"])
def test_nobody_located_is_an_error(differing, text):
    assert refused("locate", text)[1].startswith("No cluster was found to have")
