"""REST: intercluster peers."""

from peers.api.peers import PeerViewSet

__all__ = ["PeerViewSet"]
