"""REST: clusters and nodes."""

from clusters.api.clusters import ClusterViewSet
from clusters.api.nodes import NodeViewSet

__all__ = ["ClusterViewSet", "NodeViewSet"]
