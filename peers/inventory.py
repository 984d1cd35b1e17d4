"""What rules and changes ask of peers, besides what they ask of clusters and nodes."""

from typing import Protocol, cast

from accounts.cluster_limits import all_clusters
from clusters import inventory
from clusters.models import Cluster
from peers.models import Peer, PeerQuerySet


class PeerSource(inventory.ClusterSource, Protocol):
    """Who answers."""

    def namesake(self, peer: Peer) -> Peer | None:
        """Another peer of the same home cluster and address."""

    def beside(self, peer: Peer, remote: Cluster) -> Peer | None:
        """Another peer of the same home cluster for this remote one."""

    def matching(self, peer: Peer) -> Peer | None:
        """The peer on the remote cluster that points back."""

    def count_others(self, peer: Peer) -> int:
        """How many other peers its home cluster has."""


class StoredPeers(inventory.StoredClusters):
    """Asks the database each time."""

    def namesake(self, peer: Peer) -> Peer | None:
        return self._siblings(peer).filter(address__iexact=peer.address).first()

    def beside(self, peer: Peer, remote: Cluster) -> Peer | None:
        return self._siblings(peer).filter(remote_cluster=remote).first()

    def matching(self, peer: Peer) -> Peer | None:
        with all_clusters():
            return peer.reverse

    def count_others(self, peer: Peer) -> int:
        return self._siblings(peer).count()

    def _siblings(self, peer: Peer) -> PeerQuerySet:
        return Peer.objects.filter(cluster=peer.cluster_id).exclude(pk=peer.pk)


DATABASE = StoredPeers()


def known_source() -> PeerSource:
    """Whom to ask here."""
    found = inventory.known_source()
    return DATABASE if found is inventory.DATABASE else cast(PeerSource, found)
