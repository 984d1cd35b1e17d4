"""What a question was asked with, to know at its answer whether that still holds."""

from collections.abc import Iterable

from clusters.models import Cluster


def edition_of(cluster: Cluster) -> str:
    """Name the state of what people entered and confirmed of a cluster and its nodes.

    An answer says nothing of a cluster whose account, addresses or certificates are
    others by now. The nodes are prefetched.
    """
    nodes = sorted(f"{node.pk}.{node.revision}" for node in cluster.nodes.all())
    return " ".join([str(cluster.revision), *nodes])


def editions_of(pks: Iterable[str]) -> dict[str, str]:
    """Give the present editions of these clusters by their ids."""
    rows = Cluster.objects.filter(pk__in=list(pks)).prefetch_related("nodes")
    return {str(row.pk): edition_of(row) for row in rows}
