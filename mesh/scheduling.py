"""The order of a mesh: in one round no cluster is in more than one pair.

A new peer means an initial sync, which is heavy; the vendor asks for one at a time on
each cluster. A round runs at once, the rounds one after the other.
"""

from collections.abc import Sequence

from clusters.models import Cluster

Pair = tuple[Cluster, Cluster]


def schedule_rounds(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Put every pair into the first round where both its clusters are free.

    With a whole mesh of n clusters that takes at most 2n - 3 rounds; the clusters with
    the most pairs left go first, which in practice comes to n or n - 1.
    """
    left = list(pairs)
    result: list[list[Pair]] = []
    while left:
        load: dict[object, int] = {}
        for pair in left:
            for cluster in pair:
                load[cluster.pk] = load.get(cluster.pk, 0) + 1
        left.sort(key=lambda pair: -(load[pair[0].pk] + load[pair[1].pk]))
        busy: set[object] = set()
        chosen: list[Pair] = []
        for pair in left:
            ends = {pair[0].pk, pair[1].pk}
            if busy.isdisjoint(ends):
                chosen.append(pair)
                busy |= ends
        result.append(chosen)
        left = [pair for pair in left if pair not in chosen]
    return result
