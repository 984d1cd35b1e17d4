"""What a change of clusters and nodes means for peers."""

from typing import Any

from django.dispatch import receiver

from clusters.models import Cluster, Node
from clusters.signals import cluster_leaving, node_changed
from peers import relations
from peers.locks import withdraw_jobs


@receiver(node_changed)
def relink_peers(node: Node, before: Node | None, **extra: Any) -> None:
    relations.relink_peers(node, before)


@receiver(cluster_leaving)
def withdraw_jobs_of_peers(cluster: Cluster, **extra: Any) -> None:
    withdraw_jobs(cluster.peers.all())
