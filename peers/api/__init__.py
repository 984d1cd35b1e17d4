"""REST: clusters, nodes and peers."""

from peers.api.clusters import ClusterViewSet
from peers.api.nodes import NodeViewSet
from peers.api.peers import PeerViewSet

__all__ = ["ClusterViewSet", "NodeViewSet", "PeerViewSet"]
