"""Keeping what every collection read from the clusters' own peer tables."""

from typing import Any

from django.dispatch import receiver

from diagnostics.facts import Facts
from diagnostics.signals import clusters_recorded
from mesh import shown
from peers.models import Peer
from peers.signals import peer_removed


@receiver(peer_removed)
def forget_entry(peer: Peer, **kwargs: Any) -> None:
    """An entry that the console has just deleted is none that it does not know."""
    shown.forget(peer.cluster_id, {peer.address, peer.applied_address})


@receiver(clusters_recorded)
def remember_entries(facts: Facts, **kwargs: Any) -> None:
    tables = {
        cluster.id: cluster.peers.value
        for cluster in facts.clusters.values()
        if cluster.peers.value is not None
    }
    shown.remember(tables, facts.at)
