"""Peers that a job works on of which they are not the object, as one of the mesh."""

import pytest
from django.urls import reverse

from accounts.audit import CONSOLE
from accounts.cluster_limits import Limit, limited_to
from clusters.editing import delete_cluster
from clusters.models import Cluster
from jobs.locks import Busy
from jobs.models import Job
from peers import lifecycle
from peers.locks import lock_of
from peers.models import Peer


@pytest.fixture
def pair(cluster_factory):
    return cluster_factory("Madrid"), cluster_factory("Oslo")


@pytest.fixture
def peer(pair, peer_factory):
    return peer_factory(*pair)


@pytest.fixture
def job(peer, pair):
    """A set-up of both sides that a worker has taken."""
    job = Job.objects.submit(
        "set-up-peerings",
        [(f"{peer.pk}:write", "Madrid: the entry for Oslo")],
        clusters=[cluster.pk for cluster in pair],
        locks=[lock_of(peer)],
    )
    job.steps.update(started_at=job.created_at)
    Job.objects.update(state=Job.State.RUNNING)
    return job


def end(job):
    job.locks.all().delete()
    Job.objects.update(state=Job.State.FAILED)


def test_a_peer_that_a_job_works_on_is_not_forgotten(
    administrator, client_of, peer, job
):
    url = reverse("peers:delete_peer", args=[peer.pk])
    answer = client_of(administrator).post(url, {"scope": "forget"}, follow=True)
    (message,) = answer.context["messages"]
    assert message.level_tag == "error" and str(job) in str(message)
    assert Peer.objects.exists()


def test_the_cluster_of_such_a_peer_is_not_deleted(peer, job, pair):
    with pytest.raises(Busy):
        delete_cluster(pair[0], CONSOLE)
    assert Cluster.objects.count() == 2


def test_values_of_such_a_peer_are_not_taken_over(peer, job):
    values = {"protocol": "UDP"}
    Peer.objects.update(drift=values, provisioning_state="applied")
    peer.refresh_from_db()
    with pytest.raises(Busy):
        lifecycle.accept_cluster_values(peer, values, CONSOLE)
    assert Peer.objects.get().protocol == "TCP"


def test_the_matching_peer_of_a_removal_that_waits_is_not_forgotten(
    pair, peer, peer_factory
):
    back = peer_factory(*reversed(pair))
    lifecycle.submit_removal(peer, CONSOLE, both_sides=True)
    with pytest.raises(Busy):
        lifecycle.drop_record(back, CONSOLE)


def test_once_the_job_is_over_the_peer_may_go(peer, job):
    end(job)
    lifecycle.drop_record(peer, CONSOLE)
    assert not Peer.objects.exists()


@pytest.mark.parametrize("limited", [False, True])
def test_a_peer_that_such_a_job_began_to_write_is_removed_from_its_cluster(
    peer, job, pair, limited
):
    end(job)
    limit = Limit(frozenset({pair[0].pk})) if limited else None
    with limited_to(limit):
        removal = lifecycle.request_removal(peer, CONSOLE)
    assert removal is not None and removal.kind == "remove-peer"
    assert Peer.objects.exists()


def test_a_peer_that_such_a_job_did_not_come_to_is_deleted_at_once(peer, job):
    end(job)
    job.steps.update(started_at=None)
    assert lifecycle.request_removal(peer, CONSOLE) is None
    assert not Peer.objects.exists()
