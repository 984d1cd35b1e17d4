"""What the rules and the changes ask of clusters, nodes and peers.

It is asked of the database, or for many rows of what was read for all of them before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from accounts.scope import unlimited
from peers.models import Cluster, Node, Peer, PeerQuerySet, owner_of


class Source(Protocol):
    """Who answers. Only `nodes` is limited to what whoever asks may see."""

    def owner(self, host: str) -> Cluster | None:
        """The cluster that has a node of this name or address."""

    def nodes(self, cluster: Cluster) -> Sequence[Node]:
        """The nodes of a cluster, its publisher first."""

    def twin(self, node: Node) -> Node | None:
        """Another node of the same address and AXL port."""

    def namesake(self, peer: Peer) -> Peer | None:
        """Another peer of the same home cluster and address."""

    def beside(self, peer: Peer, remote: Cluster) -> Peer | None:
        """Another peer of the same home cluster for this remote one."""

    def matching(self, peer: Peer) -> Peer | None:
        """The peer on the remote cluster that points back."""

    def count(self, cluster: Cluster) -> int:
        """How many peers a home cluster has."""


class Database:
    """Asks the database each time."""

    def owner(self, host: str) -> Cluster | None:
        return owner_of(host)

    def nodes(self, cluster: Cluster) -> Sequence[Node]:
        return list(cluster.nodes.all())

    def twin(self, node: Node) -> Node | None:
        same = Node.objects.filter(
            address__iexact=node.address, axl_port=node.axl_port
        ).select_related("cluster")
        with unlimited():
            return same.exclude(pk=node.pk).first()

    def namesake(self, peer: Peer) -> Peer | None:
        return self._siblings(peer).filter(address__iexact=peer.address).first()

    def beside(self, peer: Peer, remote: Cluster) -> Peer | None:
        return self._siblings(peer).filter(remote_cluster=remote).first()

    def matching(self, peer: Peer) -> Peer | None:
        with unlimited():
            return peer.reverse

    def count(self, cluster: Cluster) -> int:
        return cluster.peers.count()

    def _siblings(self, peer: Peer) -> PeerQuerySet:
        return Peer.objects.filter(cluster=peer.cluster_id).exclude(pk=peer.pk)


DATABASE = Database()
_source: ContextVar[Source | None] = ContextVar("source", default=None)


def known() -> Source:
    """Whom to ask here."""
    return _source.get() or DATABASE


@contextmanager
def answered_by(source: Source) -> Iterator[None]:
    """Ask this one within the block."""
    before = _source.set(source)
    try:
        yield
    finally:
        _source.reset(before)
