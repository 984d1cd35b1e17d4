"""Simulated clusters on real sockets, with faults that can be set while they run."""

from .cluster import Cluster
from .lab import Lab
from .node import Node

__all__ = ["Cluster", "Lab", "Node"]
