"""Clusters, their nodes, intercluster peers, and what people keep of them."""

from peers.models.clusters import Cluster, Generation, Node
from peers.models.kept import SavedSearch, Upload
from peers.models.peers import SEVERITY, Outcome, Peer, PeerQuerySet, owner_of

__all__ = [
    "SEVERITY",
    "Cluster",
    "Generation",
    "Node",
    "Outcome",
    "Peer",
    "PeerQuerySet",
    "SavedSearch",
    "Upload",
    "owner_of",
]
