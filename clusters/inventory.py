"""What rules and changes ask of clusters and nodes.

It is asked of the database, or for many rows of what was read for all of them before.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID

from django.db.models import Q

from accounts.cluster_limits import all_clusters
from clusters.models import Cluster, Node
from clusters.ownership import Ownership
from wire import plain_host


class ClusterSource(Protocol):
    """Who answers. Only `nodes` is limited to what whoever asks may see."""

    def owner(self, host: str) -> Cluster | None:
        """The only cluster that has a node of this name or address."""

    def nodes(self, cluster: Cluster) -> Sequence[Node]:
        """The nodes of a cluster, its publisher first."""

    def twin(self, node: Node) -> Node | None:
        """Another node of the same address and AXL port."""


class StoredClusters:
    """Asks the database each time."""

    def owner(self, host: str) -> Cluster | None:
        host = plain_host(host)
        may_be = Q(name__iexact=host) | Q(address__iexact=host)
        may_be |= Q(resolved__contains=f" {host} ")
        if "." not in host and ":" not in host:
            begin = f"{host}."
            may_be |= Q(name__istartswith=begin) | Q(address__istartswith=begin)
        with all_clusters():
            nodes = list(Node.objects.filter(may_be).select_related("cluster"))
        return Ownership(clusters_by_name(nodes)).of(host)

    def nodes(self, cluster: Cluster) -> Sequence[Node]:
        return list(cluster.nodes.all())

    def twin(self, node: Node) -> Node | None:
        same = Node.objects.filter(
            address__iexact=node.address, axl_port=node.axl_port
        ).select_related("cluster")
        with all_clusters():
            return same.exclude(pk=node.pk).first()


def clusters_by_name(nodes: Iterable[Node]) -> Iterator[tuple[str, Cluster]]:
    """The names and addresses of nodes, each with the cluster."""
    for node in nodes:
        yield node.name, node.cluster
        yield node.address, node.cluster
        for address in node.resolved.split():
            yield address, node.cluster


def node_ownership() -> Ownership[UUID]:
    """Whose node each address is, for many questions: the ids of clusters.

    Clusters that the current user may not see count too.
    """
    return _owners("cluster")


def machine_ownership() -> Ownership[UUID]:
    """Which machine each address leads to, for many questions: the ids of nodes.

    An IP address, a full and a short name of one node are spellings of one address.
    """
    return _owners("pk")


def _owners(column: str) -> Ownership[UUID]:
    with all_clusters():
        rows = Node.objects.order_by().values_list(
            "name", "address", "resolved", column
        )
        return Ownership(
            (text, pk)
            for name, address, resolved, pk in rows
            for text in (name, address, *resolved.split())
        )


DATABASE = StoredClusters()


_source: ContextVar[ClusterSource | None] = ContextVar("source", default=None)


def known_source() -> ClusterSource:
    """Whom to ask here."""
    return _source.get() or DATABASE


@contextmanager
def answered_by(source: ClusterSource) -> Iterator[None]:
    """Ask this one within the block."""
    before = _source.set(source)
    try:
        yield
    finally:
        _source.reset(before)
