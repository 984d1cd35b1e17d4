"""Keeping what every collection read from the clusters' own peer tables."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from clusters.models import Cluster
from clusters.signals import entries_read
from diagnostics.facts import ClusterFacts, Facts, HaNode
from diagnostics.signals import clusters_recorded
from mesh import addresses, observed
from mesh.models import UsersSeen
from peers import lifecycle
from peers.models import Peer
from peers.signals import peer_removed
from wire import PeerEntry


@receiver(peer_removed)
def forget_entry(peer: Peer, **kwargs: Any) -> None:
    """An entry that the console has just deleted is none that it does not know."""
    observed.forget_entries(peer.cluster_id, {peer.address, peer.applied_address})


def listed_nodes(cluster: ClusterFacts) -> tuple[HaNode, ...]:
    """The node table of a cluster, where it was read."""
    return cluster.ha_nodes.value or ()


@receiver(clusters_recorded)
def remember_users(facts: Facts, **kwargs: Any) -> None:
    counted = {c.id: c for c in facts.clusters.values() if c.counted is not None}
    newer = UsersSeen.objects.filter(read_at__gt=facts.at).values("pk")
    alive = Cluster.objects.filter(pk__in=counted).exclude(pk__in=newer).order_by("pk")
    rows = [
        UsersSeen(
            cluster_id=pk,
            users=dict(counted[str(pk)].users.value or {}),
            own_nodes=[n.name for n in counted[str(pk)].process_nodes.value or ()],
            nodes=[
                [n.name, n.subcluster] for n in counted[str(pk)].ha_nodes.value or ()
            ],
            read_at=facts.at,
        )
        for pk in alive.values_list("pk", flat=True)
    ]
    UsersSeen.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["cluster"],
        update_fields=["users", "own_nodes", "nodes", "read_at"],
    )


@receiver(entries_read)
def remember_table(
    cluster: Cluster, entries: list[PeerEntry], at: datetime, **kwargs: Any
) -> None:
    """A search that has just read the table need not be followed by a sweep."""
    observed.store_tables({str(cluster.pk): entries}, at)
    lifecycle.learn_values({str(cluster.pk): entries})


@receiver(clusters_recorded)
def remember_entries(facts: Facts, **kwargs: Any) -> None:
    tables = {
        cluster.id: cluster.peers.value
        for cluster in facts.clusters.values()
        if cluster.peers.value is not None
    }
    pages = {one.id for one in facts.clusters.values() if one.by_pages}
    observed.store_tables(tables, facts.at, pages)
    lifecycle.learn_values(tables)
    addresses.resolve_addresses(facts.clusters)
