"""The newest comparison of each peer as one list: the worst first, then by cluster."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery

from clusters.models import Cluster
from directory.models import Comparison
from peers.models import SEVERITY, Peer, PeerOutcome

# How bad it is, and the home cluster.
Group = tuple[int, UUID]


class ComparisonList(Sequence[Comparison]):
    """One row for each peer that was compared or will be.

    An index holds how many peers there are of each outcome and home cluster; from that
    it is known where a page begins, and only the rows of the page are read.
    """

    def __init__(self, outcome: str = "") -> None:
        self._peers = Peer.objects.exclude(comparison_severity=None).order_by()
        if outcome:
            severity = SEVERITY.index(PeerOutcome(outcome))
            self._peers = self._peers.filter(comparison_severity=severity)
        names = dict(Cluster.objects.values_list("pk", "name"))
        counted = self._peers.values_list("comparison_severity", "cluster")
        counts = {
            (severity, cluster): number
            for severity, cluster, number in counted.annotate(Count("pk"))
        }
        order = sorted(counts, key=lambda group: (group[0], names[group[1]]))
        ends = accumulate(counts[group] for group in order)
        # The place of the first row of each group, and that behind its last.
        self._places = {
            group: (end - counts[group], end)
            for group, end in zip(order, ends, strict=True)
        }

    def __len__(self) -> int:
        return max((end for _, end in self._places.values()), default=0)

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self[:])

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self[index : index + 1][0]
        start, stop, _ = index.indices(len(self))
        groups = [
            group
            for group, (first, end) in self._places.items()
            if first < stop and start < end
        ]
        if not groups:
            return []
        found = self._peers.filter(peers_in_groups(groups))
        keys = found.values_list("comparison_severity", "cluster", "pk")
        order = {group: number for number, group in enumerate(groups)}
        pks = sorted((order[severity, home], pk) for severity, home, pk in keys)
        skipped = start - self._places[groups[0]][0]
        return rows_of([pk for _, pk in pks[skipped : skipped + stop - start]])


def peers_in_groups(groups: Iterable[Group]) -> Q:
    """The peers of these groups, which are in order."""
    found = Q()
    for severity, part in groupby(groups, key=lambda group: group[0]):
        clusters = [cluster for _, cluster in part]
        found |= Q(comparison_severity=severity, cluster__in=clusters)
    return found


def rows_of(pks: Sequence[UUID]) -> list[Comparison]:
    """The newest comparison of each of these peers; without a time where there is none.

    A peer that was deleted meanwhile has no row.
    """
    # A look into the index for each peer; there are many comparisons of each.
    newest = Comparison.objects.filter(peer=OuterRef("pk")).order_by("-at", "-id")
    peers = Peer.objects.filter(pk__in=pks).order_by()
    ids = dict(
        peers.annotate(newest=Subquery(newest.values("pk")[:1])).values_list(
            "pk", "newest"
        )
    )
    compared = Comparison.objects.in_bulk([pk for pk in ids.values() if pk])
    rows = peers.select_related("cluster", "remote_cluster")
    known = {peer.pk: peer for peer in rows.defer("entries", "user_trail", "drift")}
    return [
        row_of(known[pk], compared.get(ids[pk]))
        for pk in pks
        if pk in ids and pk in known
    ]


def row_of(peer: Peer, compared: Comparison | None) -> Comparison:
    if compared is None:
        return Comparison(peer=peer, outcome=PeerOutcome.UNKNOWN)
    compared.peer = peer
    return compared
