"""Which peers are proven on a schedule, and how many: the budget."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery

from peers.models import Peer
from proof.models import Canary, Proof

EVERY = timedelta(minutes=5)
# The canary of one cluster takes part in so many proofs of a sample at most.
PER_CANARY = 4


def provable_peers() -> QuerySet[Peer]:
    """Peers whose clusters both have a canary, the one proven longest ago first."""
    newest = Proof.objects.filter(peer=OuterRef("pk")).order_by("-at").values("at")
    named = Canary.objects.exclude(userid="").values("pk")
    return (
        Peer.objects.filter(removing=False, cluster__in=named, remote_cluster__in=named)
        .select_related("cluster__canary_row", "remote_cluster__canary_row")
        .annotate(proven_at=Subquery(newest[:1]))
        .order_by(F("proven_at").asc(nulls_first=True), "pk")
    )


def proof_budget(since: datetime | None, now: datetime) -> int:
    """How many proofs the time since the last sample allows; an hour's at most."""
    if since is None:
        return min(settings.PROOFS_PER_HOUR, 1)
    passed = min(now - since, timedelta(hours=1))
    if passed < EVERY:
        return 0
    return int(settings.PROOFS_PER_HOUR * passed / timedelta(hours=1))


def choose_peers(peers: Iterable[Peer], size: int) -> list[Peer]:
    """Take the first of these, sparing each canary."""
    chosen: list[Peer] = []
    used: Counter[Any] = Counter()
    for peer in peers:
        if len(chosen) == size:
            break
        both = (peer.cluster_id, peer.remote_cluster_id)
        if all(used[pk] < PER_CANARY for pk in both):
            used.update(both)
            chosen.append(peer)
    return chosen
