"""Writing down how the peers compared, for the trend and the overview."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from directory.comparison import ELSEWHERE, EXTRA, MISSING, Compared, compare_listings
from directory.models import Comparison
from directory.ownership import Directory
from peers.models import Peer, PeerOutcome

AT_ONCE = 500


def compare_peers(clusters: Iterable[UUID]) -> str:
    """Compare every peer from or to these clusters; return a sentence about it."""
    selected = set(clusters)
    directory = Directory()
    peers = Peer.objects.exclude(remote_cluster=None).select_related("cluster")
    touched = [
        peer for peer in peers if selected & {peer.cluster_id, peer.remote_cluster_id}
    ]
    compared = {peer.pk: compare_listings(directory, peer) for peer in touched}
    points = [comparison_point(pk, one) for pk, one in compared.items() if one]
    with transaction.atomic():
        Comparison.objects.bulk_create(points)
        mark_compared(points)
        for pk in compared:
            prune_comparisons(pk)
    differing = sum(point.outcome != PeerOutcome.PASSED for point in points)
    return f"{len(points):,} peers compared, {differing:,} of them differ."


def mark_compared(points: Iterable[Comparison]) -> None:
    """Store with each peer how it compared, so that a list need not look for it."""
    peers: dict[str, list[UUID]] = {}
    for point in points:
        peers.setdefault(point.outcome, []).append(point.peer_id)
    for outcome, pks in peers.items():
        for start in range(0, len(pks), AT_ONCE):
            some = Peer.objects.filter(pk__in=pks[start : start + AT_ONCE])
            some.mark_compared(outcome)


def comparison_point(pk: UUID, compared: Compared) -> Comparison:
    return Comparison(
        peer_id=pk,
        at=timezone.now(),
        outcome=compared.outcome,
        home_count=compared.home_count,
        remote_count=compared.remote_count,
        missing=compared.count(MISSING),
        extra=compared.count(EXTRA),
        elsewhere=compared.count(ELSEWHERE),
        settling=compared.settling,
    )


def prune_comparisons(peer: UUID) -> None:
    newest = Comparison.objects.filter(peer=peer).values_list("pk", flat=True)
    oldest = newest[Comparison.KEPT : Comparison.KEPT + 1].first()
    if oldest:
        Comparison.objects.filter(peer=peer, pk__lte=oldest).delete()
