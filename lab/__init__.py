"""Simulated clusters on real sockets, with faults that can be set while they run."""

from .cluster import LabCluster
from .lab import Lab
from .node import LabNode

__all__ = ["LabCluster", "Lab", "LabNode"]
