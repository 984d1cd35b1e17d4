"""Collecting facts over the wire: once for a run, in parallel, in a total time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import wire
from diagnostics.collect_cluster import collect_cluster, collect_users
from diagnostics.collect_peer import RESOLVE, as_held, collect_peer
from diagnostics.collector import Collector
from diagnostics.facts import ClusterFacts, Facts, PeerFacts
from diagnostics.node_addresses import ClusterTarget, PeerTarget
from wire import Policy, WireError

TOTAL = 60.0
# For all questions about one peer together.
PEER_TOTAL = 20.0

# Between two looks whether somebody wants the end.
GLANCE = 0.5

T = TypeVar("T")
OnProgress = Callable[[str], None]
Check = Callable[[], None]


def gather_facts(
    clusters: Iterable[ClusterTarget],
    peers: Iterable[PeerTarget] = (),
    *,
    held: Iterable[PeerTarget] = (),
    deep: bool = False,
    total: float = TOTAL,
    peer_total: float = PEER_TOTAL,
    on_progress: OnProgress = lambda name: None,
    check: Check = lambda: None,
) -> Facts:
    """Ask everything and come back in `total` seconds, whatever does not answer.

    Args:
        held: peers that need not be tried, but are known to the console.
        deep: ask also what only the troubleshooter judges.
        peer_total: seconds for all questions about one peer.
        on_progress: called with a cluster's name once its facts are there.
        check: called again and again; what it raises ends the collection.
    """
    peers = list(peers)
    collection = _collect_all(
        list(clusters), peers, deep, (total, peer_total), on_progress
    )
    facts = wire.run_loop(_run_check(collection, check))
    return replace(facts, held=held_peers([*peers, *held]))


def held_peers(peers: Iterable[PeerTarget]) -> dict[tuple[str, str], PeerFacts]:
    """Give the peers that lead to a cluster of the console, as it holds them."""
    return {
        (one.home, one.remote): as_held(one) for one in peers if one.remote is not None
    }


async def _collect_all(
    clusters: list[ClusterTarget],
    peers: list[PeerTarget],
    deep: bool,
    totals: tuple[float, float],
    on_progress: OnProgress,
) -> Facts:
    at = datetime.now(UTC)
    total, peer_total = totals
    collector = Collector(total)

    async def cluster_facts(cluster: ClusterTarget) -> ClusterFacts:
        facts = await collect_cluster(collector, cluster, deep=deep)
        on_progress(cluster.name)
        return facts

    with wire.remembered_names() as lookups:
        found, tried = await asyncio.gather(
            asyncio.gather(*map(cluster_facts, clusters)),
            asyncio.gather(
                *(collect_peer(collector.within(peer_total), peer) for peer in peers)
            ),
        )
    clusters_by_id = {c.id: c for c in found}
    peers_by_id = {p.id: p for p in tried}
    return Facts(at, clusters_by_id, peers_by_id, silent_servers=lookups.late)


async def _run_check(work: Coroutine[Any, Any, T], check: Check) -> T:
    task = asyncio.create_task(work)
    try:
        while not task.done():
            check()
            await asyncio.wait([task], timeout=GLANCE)
        return task.result()
    finally:
        # Its connections are closed before the end is told.
        task.cancel()
        await asyncio.wait([task])


def count_users(
    clusters: Iterable[ClusterTarget], *, total: float = TOTAL
) -> dict[str, ClusterFacts]:
    """Ask only whose users each cluster shows; facts by cluster id."""

    async def ask_all() -> list[ClusterFacts]:
        collector = Collector(total)
        collections = (collect_users(collector, cluster) for cluster in clusters)
        with wire.remembered_names():
            return list(await asyncio.gather(*collections))

    return {found.id: found for found in wire.run_loop(ask_all())}


async def resolve_all(
    hosts: Iterable[str], policy: Policy, seconds: float = RESOLVE
) -> list[set[str]]:
    """Give all names and addresses that each host leads to, none where it does not."""

    async def led_to(host: str) -> set[str]:
        try:
            found = await wire.resolve_host(host, policy, deadline=seconds)
        except WireError:
            return set()
        return {target.host for target in found.targets} | set(found.addresses)

    with wire.remembered_names():
        return list(await asyncio.gather(*map(led_to, hosts)))
