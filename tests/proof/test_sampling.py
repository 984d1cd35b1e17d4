"""Sixty clusters are proven pair by pair within the budget."""

from collections import Counter
from datetime import timedelta
from itertools import permutations

import pytest
from django.utils import timezone

from jobs.models import Job
from peers.models import Peer
from proof import sampling
from proof.jobs.sample import ProveSample
from proof.models import Canary, Proof

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def mesh(cluster_factory, count):
    clusters = [cluster_factory() for _ in range(count)]
    Canary.objects.bulk_create(Canary(pk=one.pk, userid="anna") for one in clusters)
    Peer.objects.bulk_create(
        Peer(
            cluster=a,
            remote_cluster=b,
            address=b.publisher.address,
            username="icuser",
        )
        for a, b in permutations(clusters, 2)
    )
    return clusters


@pytest.mark.parametrize(
    ("minutes", "proofs"), [(1, 0), (5, 5), (30, 30), (60, 60), (600, 60)]
)
def test_the_budget_is_what_the_time_allows(settings, minutes, proofs):
    settings.PROOFS_PER_HOUR = 60
    assert sampling.proof_budget(NOW - timedelta(minutes=minutes), NOW) == proofs


@pytest.mark.parametrize(("setting", "first"), [(0, 0), (3, 1), (600, 1)])
def test_the_first_sample_is_one_proof(settings, setting, first):
    settings.PROOFS_PER_HOUR = setting
    assert sampling.proof_budget(None, NOW) == first


def proven_in(samples, size):
    """Take samples until that many; give how often each direction was proven."""
    seen = Counter()
    for number in range(1, samples + 1):
        chosen = sampling.choose_peers(sampling.provable_peers(), size)
        used = Counter(pk for p in chosen for pk in (p.cluster_id, p.remote_cluster_id))
        assert max(used.values()) <= sampling.PER_CANARY
        at = NOW + number * sampling.EVERY
        Proof.objects.bulk_create(
            Proof(peer=p, at=at, outcome="passed", stage="arrived", way="pws")
            for p in chosen
        )
        seen.update(p.pk for p in chosen)
    return seen


@pytest.mark.long
def test_sixty_clusters_are_proven_within_the_budget(cluster_factory):
    mesh(cluster_factory, 60)
    assert sampling.provable_peers().count() == 60 * 59
    # Half an hour at 600 an hour, which is 50 in five minutes.
    seen = proven_in(samples=6, size=50)
    # No direction was proven twice while others waited.
    assert set(seen.values()) == {1}
    assert len(seen) == 300


def test_every_direction_is_proven_soon(cluster_factory):
    mesh(cluster_factory, 12)
    # Eleven samples of twelve hold all 132 directions. Where those left over meet at
    # one canary, which takes part in four proofs of a sample, some more are needed.
    seen = proven_in(samples=11 + 22 // sampling.PER_CANARY, size=12)
    assert len(seen) == 12 * 11
    assert max(seen.values()) <= 2


def test_no_direction_is_proven_again_where_one_that_waits_had_room(cluster_factory):
    mesh(cluster_factory, 12)
    proven_in(samples=10, size=12)
    peers = list(sampling.provable_peers())
    chosen = sampling.choose_peers(peers, 12)
    if any(peer.proven_at for peer in chosen):
        used = Counter(pk for p in chosen for pk in (p.cluster_id, p.remote_cluster_id))
        waiting = [p for p in peers if p.proven_at is None and p not in chosen]
        for peer in waiting:
            both = (used[peer.cluster_id], used[peer.remote_cluster_id])
            assert max(both) == sampling.PER_CANARY


def test_a_sample_is_submitted_once_in_its_time(cluster_factory, settings):
    settings.PROOFS_PER_HOUR = 60
    mesh(cluster_factory, 3)
    job = ProveSample.submit_when_due()
    assert (len(job.arguments["peers"]), job.target_label) == (1, "of 1 peer")
    assert ProveSample.submit_when_due() is None
    Job.objects.filter(pk=job.pk).update(created_at=NOW - timedelta(minutes=6))
    # One is under way.
    assert ProveSample.submit_when_due() is None
    assert Job.objects.filter(kind=ProveSample.name).count() == 1


def test_without_canaries_or_budget_nothing_is_submitted(cluster_factory, settings):
    settings.PROOFS_PER_HOUR = 60
    one, other = mesh(cluster_factory, 2)
    Canary.objects.filter(pk=other.pk).update(userid="")
    assert ProveSample.submit_when_due() is None
    Canary.objects.filter(pk=other.pk).update(userid="ben")
    settings.PROOFS_PER_HOUR = 0
    assert ProveSample.submit_when_due() is None
