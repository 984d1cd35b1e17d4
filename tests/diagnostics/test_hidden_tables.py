"""The whole guide on clusters that show no peers, and losses that come afterwards."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import CONSOLE
from clusters.models import Cluster
from diagnostics.jobs.sweep import Sweep
from jobs.engine import perform_job
from jobs.models import Job
from lab import Lab
from lab.control import run_command
from peers import attestation, lifecycle
from peers.models import Peer
from services.models import NodeReading
from tests.conftest import register
from tests.diagnostics.conftest import AGENT, carried
from tests.waiting import eventually

FORMS = ("renamed", "key", "split", "empty")
SMALL = {"clusters": 2, "nodes": 2, "users": (6, 4), "network": "auto"}
FAST = {"agent_interval": 0.1, "agent_timeout": 2, "service_delay": 0.1}


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.fixture
def hidden(form):
    options = {**SMALL, **FAST, "generation": "cup8", "decoys": True, "sip": True}
    with Lab(**options, forms=form) as lab:
        yield lab


@pytest.fixture
def clusters(db, hidden, settings):
    settings.DNS_SERVERS = [hidden.dns_address]
    rows = [register(one) for one in hidden.describe()["clusters"]]
    Cluster.objects.update(provisioning=Cluster.Provisioning.GUIDED)
    return list(Cluster.objects.filter(pk__in=[row.pk for row in rows]))


def added(clusters, hidden):
    """Both peers in the console; their jobs wait for a person."""
    jobs = []
    for home, remote, there in zip(
        clusters, reversed(clusters), reversed(hidden.clusters), strict=True
    ):
        peer = Peer(cluster=home, username=there.intercluster_username)
        peer.address = remote.publisher.address
        password = there.intercluster_password
        jobs.append(lifecycle.save_peer(peer, CONSOLE, password=password))
    for job in jobs:
        assert perform_now(job).state == "queued"
    return jobs


def perform_now(job):
    Job.objects.filter(pk=job.pk).update(not_before=Now())
    perform_job(str(job.pk))
    job.refresh_from_db()
    return job


def guided(clusters, hidden):
    """The whole guide, by hand on the clusters."""
    jobs = added(clusters, hidden)
    one, two = hidden.clusters
    one.peer_with(two)
    assert eventually(lambda: carried(hidden))
    for job in jobs:
        assert perform_now(job).state == "succeeded"
    swept()


def swept():
    """The next sweep, which does not take over what was read seconds ago."""
    NodeReading.objects.update(observed_at=timezone.now() - timedelta(minutes=5))
    job = Sweep.submit()
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == "succeeded", job.error


def outcomes(home):
    peer = Peer.objects.get(cluster=home)
    found = {entry["code"]: entry["outcome"] for entry in peer.entries}
    return {"whole": peer.outcome, **found}


def test_guide_ends_with_twelve_entries_of_which_none_is_unknown(
    clusters, hidden, form
):
    guided(clusters, hidden)
    for peer in Peer.objects.all():
        assert len(peer.entries) == 12
        assert "unknown" not in {entry["outcome"] for entry in peer.entries}
        assert peer.outcome == "passed"
        assert peer.provisioning_state == "applied"
        # A table in a plain form is learnt by watching; the others stay hidden.
        assert peer.evidence == ("table" if form == "renamed" else "users")


@pytest.mark.parametrize("form", ["renamed", "empty"])
def test_unreadable_catalogue_leaves_the_users_as_evidence(clusters, hidden):
    hidden.set_fault("catalogue", "refused")
    guided(clusters, hidden)
    assert {peer.evidence for peer in Peer.objects.all()} == {"users"}
    assert {peer.outcome for peer in Peer.objects.all()} == {"passed"}
    assert {c.peer_table_state for c in Cluster.objects.all()} == {"unreadable"}


@pytest.mark.parametrize("form", ["split", "empty"])
def test_agent_that_is_stopped_afterwards_is_named(clusters, hidden):
    guided(clusters, hidden)
    for node in hidden.clusters[0].nodes:
        run_command(
            hidden, ["service", "set", node.short_name, *AGENT.split(), "Stopped"]
        )
    swept()
    here, there = (outcomes(cluster) for cluster in clusters)
    assert here["whole"] == here["sync_agent_local"] == "failed"
    assert there["whole"] == there["sync_agent_remote"] == "failed"


@pytest.mark.parametrize("form", ["key", "empty"])
def test_entry_that_is_deleted_with_its_users_is_named(clusters, hidden):
    guided(clusters, hidden)
    run_command(hidden, ["peers", "remove", "cup1", "cup2"])
    assert eventually(lambda: not hidden.clusters[0].associated_users)
    swept()
    here, there = (outcomes(cluster) for cluster in clusters)
    assert here["whole"] == here["provisioned"] == "failed"
    assert there["whole"] == there["reverse_peer"] == "failed"
    assert Peer.objects.get(cluster=clusters[0]).provisioning_state == "absent"


@pytest.mark.parametrize("form", ["split", "empty"])
def test_leftovers_that_no_longer_follow_are_named(clusters, hidden):
    guided(clusters, hidden)
    run_command(hidden, ["fault", "set", "lab", "agent=leftovers"])
    run_command(hidden, ["peers", "remove", "cup1", "cup2"])
    run_command(hidden, ["users", "add", "cup2", "2"])
    swept()
    here = outcomes(clusters[0])
    assert here["whole"] == here["associated_users"] == "failed"
    assert hidden.clusters[0].associated_users == 4


@pytest.mark.parametrize("form", ["key", "empty"])
def test_password_that_was_changed_on_the_cluster_is_named(clusters, hidden):
    guided(clusters, hidden)
    run_command(hidden, ["password", "cup2", "intercluster", "another"])
    swept()
    here = outcomes(clusters[0])
    assert here["whole"] == here["credentials"] == "failed"


@pytest.mark.parametrize("form", ["renamed", "empty"])
def test_attested_entry_that_is_wrong_is_not_passed(clusters, hidden, form):
    added(clusters, hidden)
    run_command(hidden, ["peers", "enter", "cup1", "cup2", "username=wrong"])
    run_command(hidden, ["peers", "enter", "cup2", "cup1"])
    peer = Peer.objects.get(cluster=clusters[0])
    if form == "empty":
        attestation.attest_entry(peer, CONSOLE)
    swept()
    assert outcomes(clusters[0])["whole"] == "failed"
