"""What a question was asked with, to know at its answer whether that still holds."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from clusters.models import Cluster, Node


def edition_of(cluster: Cluster) -> str:
    """Name the state of what people entered and confirmed of a cluster and its nodes.

    An answer says nothing of a cluster whose account, addresses or certificates are
    others by now. The nodes are prefetched.
    """
    nodes = ((node.pk, node.revision) for node in cluster.nodes.all())
    return _edition(cluster.revision, nodes)


def editions_of(pks: Iterable[str]) -> dict[str, str]:
    """Give the present editions of these clusters by their ids."""
    keys = [UUID(pk) for pk in pks]
    nodes: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    rows = Node.objects.filter(cluster__in=keys)
    for cluster, pk, revision in rows.values_list("cluster", "pk", "revision"):
        nodes[cluster].append((pk, revision))
    clusters = Cluster.objects.filter(pk__in=keys).values_list("pk", "revision")
    return {str(pk): _edition(revision, nodes[pk]) for pk, revision in clusters}


def _edition(revision: int, nodes: Iterable[tuple[UUID, int]]) -> str:
    return " ".join([str(revision), *sorted(f"{pk}.{n}" for pk, n in nodes)])
