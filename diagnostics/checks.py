"""Checking peers: which clusters that takes, and what is collected of them."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings

import wire
from clusters.connections import cluster_policy
from clusters.inventory import node_ownership
from clusters.models import Cluster
from diagnostics.collect import gather_facts, resolve_all
from diagnostics.collect_peer import RESOLVE
from diagnostics.facts import ClusterFacts, Facts, NodeFacts
from diagnostics.node_addresses import clusters_of, peers_of
from diagnostics.page_reading import reserve_accounts
from diagnostics.results_store import store_facts
from diagnostics.service_readings import allow_reading
from peers.models import Peer

TOTAL = 45.0


def check_peers(peers: Iterable[Peer], *, total: float | None = None) -> dict[str, str]:
    """Check peers now, both sides in one collection; return outcomes by peer id.

    Args:
        total: seconds for all questions; by default as long as so many peers may take.
    """
    peers = list(peers)
    return store_facts(collect_for(peers, total=total or total_for(peers)))


def total_for(peers: Sequence[Peer]) -> float:
    one: float = settings.PEER_CHECK_TIMEOUT
    return one if len(peers) == 1 else max(TOTAL, one)


def check_with_back(peer: Peer) -> dict[str, str]:
    """Check a peer and the one that points back, whose status hangs on it as well.

    Returns the outcome of the peer alone. Both need the same two clusters, so that the
    other side costs little.
    """
    back = [row for row in reverse_peers([peer]) if not row.removing]
    outcomes = check_peers([peer, *back], total=total_for([peer]))
    return {pk: outcome for pk, outcome in outcomes.items() if pk == str(peer.pk)}


def collect_for(
    peers: list[Peer], *, also: Iterable[Any] = (), total: float = TOTAL, **options: Any
) -> Facts:
    """Collect the facts of these peers, of all clusters they touch, and of others.

    Args:
        total: seconds for all questions, those of DNS before the others too.
    """
    end = time.monotonic() + total
    find_remotes(peers, seconds=min(total, RESOLVE))
    touched = {*map(UUID, also)}
    touched |= {peer.cluster_id for peer in peers}
    touched |= {peer.remote_cluster_id for peer in peers if peer.remote_cluster_id}
    rows = Cluster.objects.filter(pk__in=touched).prefetch_related("nodes")
    clusters = clusters_of(rows)
    with (
        allow_reading(clusters) as permitted,
        reserve_accounts(permitted, total) as clusters,
    ):
        facts = gather_facts(
            clusters,
            peers_of(peers, clusters),
            held=peers_of(reverse_peers(peers), clusters),
            total=max(end - time.monotonic(), 0),
            peer_total=settings.PEER_CHECK_TIMEOUT,
            **options,
        )
    return replace(facts, bystanders=bystanders_of(facts))


def bystanders_of(facts: Facts) -> tuple[ClusterFacts, ...]:
    """Describe the clusters that were not asked, as far as the console knows them."""
    rows = Cluster.objects.exclude(pk__in=facts.clusters).prefetch_related("nodes")
    return tuple(
        ClusterFacts(
            str(row.pk),
            row.name,
            row.domain,
            row.address_scheme,
            row.generation,
            nodes=tuple(
                NodeFacts(
                    str(node.pk),
                    node.name,
                    node.address,
                    resolved=tuple(node.resolved.split()),
                )
                for node in row.nodes.all()
            ),
        )
        for row in rows
    )


def find_remotes(peers: list[Peer], *, seconds: float = RESOLVE) -> None:
    """Learn by DNS which managed cluster an address leads to, where no name tells."""
    without_remote = [peer for peer in peers if peer.remote_cluster_id is None]
    if not without_remote:
        return
    addresses = [peer.address for peer in without_remote]
    found = wire.run_loop(resolve_all(addresses, cluster_policy(), seconds))
    owners = node_ownership()
    for peer, hosts in zip(without_remote, found, strict=True):
        led_to = set(map(owners.of, hosts)) - {None, peer.cluster_id}
        if len(led_to) == 1:
            peer.remote_cluster_id = led_to.pop()
            Peer.objects.filter(pk=peer.pk).mark_remote(peer.remote_cluster_id)


def reverse_peers(peers: Iterable[Peer]) -> list[Peer]:
    """Return the console's own entries that point back, in one query."""
    peers = [peer for peer in peers if peer.remote_cluster_id]
    reversed_pairs = {(peer.remote_cluster_id, peer.cluster_id) for peer in peers}
    rows = Peer.objects.filter(
        cluster__in={home for home, _ in reversed_pairs},
        remote_cluster__in={remote for _, remote in reversed_pairs},
    ).defer("entries")
    return [
        row for row in rows if (row.cluster_id, row.remote_cluster_id) in reversed_pairs
    ]
