"""Clusters and their nodes, and how the console signs in to them."""

from clusters.choices import AddressScheme, Generation
from clusters.models.clusters import Cluster, ClusterQuerySet
from clusters.models.nodes import Node, NodeQuerySet

__all__ = [
    "AddressScheme",
    "Cluster",
    "ClusterQuerySet",
    "Generation",
    "Node",
    "NodeQuerySet",
]
