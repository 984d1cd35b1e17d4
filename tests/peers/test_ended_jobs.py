"""What becomes of a peer whose job ends without success."""

import pytest

from accounts.audit import Actor
from clusters.models import Cluster
from jobs.engine import perform_job
from jobs.models import Job
from jobs.run import Ended
from peers import lifecycle
from peers.jobs.provision import ProvisionPeer
from peers.models import Peer


@pytest.fixture
def peer(cluster_factory, peer_factory, transactional_db):
    home = cluster_factory("vienna", provisioning="guided")
    return peer_factory(home, cluster_factory("berlin"))


@pytest.fixture
def job(peer, administrator):
    return lifecycle.provision_peer(peer, Actor(administrator))


def state_of(peer):
    return Peer.objects.get(pk=peer.pk).provisioning_state


@pytest.mark.parametrize(
    ("applied_address", "state"), [("", "absent"), ("192.0.2.1", "failed")]
)
def test_a_peer_whose_waiting_job_is_cancelled_is_not_pending(
    peer, job, applied_address, state
):
    Peer.objects.update(applied_address=applied_address)
    job.cancel()
    assert state_of(peer) == state


def end_with(monkeypatch, error):
    def fail(job, peer):
        raise error

    monkeypatch.setattr(ProvisionPeer, "wait_for_entry", fail)


def test_a_job_that_is_cancelled_while_it_runs_marks_nothing_failed(
    peer, job, monkeypatch
):
    end_with(monkeypatch, Ended(Job.State.CANCELLED, "", "cancelled"))
    perform_job(str(job.pk))
    assert state_of(peer) == "absent"


@pytest.mark.parametrize("error", [Ended(Job.State.FAILED), ValueError("a bug")])
def test_a_job_that_fails_in_any_way_marks_the_peer_failed(
    peer, job, monkeypatch, error
):
    end_with(monkeypatch, error)
    perform_job(str(job.pk))
    assert state_of(peer) == "failed"


def test_a_job_that_is_refused_leaves_no_peer_pending(peer, job, administrator):
    administrator.groups.clear()
    perform_job(str(job.pk))
    assert state_of(peer) == "absent"


def test_a_removal_that_is_cancelled_leaves_the_peer(peer, administrator):
    job = lifecycle.submit_removal(peer, Actor(administrator))
    job.cancel()
    assert not Peer.objects.get(pk=peer.pk).removing


def test_cancelled_guided_job_says_what_remains(peer, job):
    Cluster.objects.update(provisioning="guided")
    job.cancel()
    job.refresh_from_db()
    assert job.error and str(peer) in job.error
