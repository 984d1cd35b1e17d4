"""Checking peers: which clusters that takes, and what is collected of them."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings

from clusters.models import Cluster
from diagnostics.collect import Check, OnProgress, held_peers
from diagnostics.collect_peer import RESOLVE
from diagnostics.elsewhere import ask_elsewhere
from diagnostics.facts import ClusterFacts, Facts, NodeFacts, merge_facts
from diagnostics.near import Question, collect_near
from diagnostics.node_addresses import clusters_of, peers_of
from diagnostics.remotes import find_remotes
from diagnostics.results_store import store_facts
from peers.models import Peer

TOTAL = 45.0


def check_peers(peers: Iterable[Peer], *, total: float | None = None) -> dict[str, str]:
    """Check peers now, both entries in one collection; return outcomes by peer id.

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
    other cluster costs little.
    """
    back = [row for row in reverse_peers([peer]) if not row.removing]
    outcomes = check_peers([peer, *back], total=total_for([peer]))
    return {pk: outcome for pk, outcome in outcomes.items() if pk == str(peer.pk)}


def collect_for(
    peers: list[Peer],
    *,
    also: Iterable[Any] = (),
    total: float = TOTAL,
    deep: bool = False,
    on_progress: OnProgress = lambda name: None,
    check: Check = lambda: None,
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
    rows = list(Cluster.objects.filter(pk__in=touched).prefetch_related("nodes"))
    clusters = clusters_of(rows)
    question = Question(total, settings.PEER_CHECK_TIMEOUT, deep)
    tried = peers_of(peers, clusters)
    with ask_elsewhere(rows, clusters, tried, question) as asked:
        facts = collect_near(
            asked.clusters,
            asked.peers,
            question.within(end - time.monotonic()),
            on_progress=on_progress,
            check=check,
        )
        others = asked.facts(check, on_progress)
    known = held_peers([*tried, *peers_of(reverse_peers(peers), clusters)])
    facts = replace(merge_facts(facts, others), held=known)
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
