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
from diagnostics.facts import ClusterFacts, Facts
from diagnostics.targets import ClusterTarget, PeerTarget
from wire import Policy, WireError

TOTAL = 60.0

# Between two looks whether somebody wants the end.
GLANCE = 0.5

T = TypeVar("T")
Told = Callable[[str], None]
Check = Callable[[], None]


def collect(
    clusters: Iterable[ClusterTarget],
    peers: Iterable[PeerTarget] = (),
    *,
    held: Iterable[PeerTarget] = (),
    deep: bool = False,
    total: float = TOTAL,
    told: Told = lambda name: None,
    check: Check = lambda: None,
) -> Facts:
    """Ask everything and come back in `total` seconds, whatever does not answer.

    Args:
        held: peers that need not be tried, but are known to the console.
        deep: ask also what only the troubleshooter judges.
        told: called with a cluster's name once its facts are there.
        check: called again and again; what it raises ends the collection.
    """
    peers = list(peers)
    asked = _collect(list(clusters), peers, deep, total, told)
    facts = wire.run(_checked(asked, check))
    known = {
        (one.home, one.remote): as_held(one)
        for one in (*peers, *held)
        if one.remote is not None
    }
    return replace(facts, held=known)


async def _collect(
    clusters: list[ClusterTarget],
    peers: list[PeerTarget],
    deep: bool,
    total: float,
    told: Told,
) -> Facts:
    at = datetime.now(UTC)
    collector = Collector(total)

    async def cluster_facts(cluster: ClusterTarget) -> ClusterFacts:
        facts = await collect_cluster(collector, cluster, deep=deep)
        told(cluster.name)
        return facts

    found, tried = await asyncio.gather(
        asyncio.gather(*map(cluster_facts, clusters)),
        asyncio.gather(*(collect_peer(collector, peer) for peer in peers)),
    )
    return Facts(at, {c.id: c for c in found}, {p.id: p for p in tried})


async def _checked(work: Coroutine[Any, Any, T], check: Check) -> T:
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
        asked = (collect_users(collector, cluster) for cluster in clusters)
        return list(await asyncio.gather(*asked))

    return {found.id: found for found in wire.run(ask_all())}


async def resolve_all(hosts: Iterable[str], policy: Policy) -> list[set[str]]:
    """Give all names and addresses that each host leads to, none where it does not."""

    async def led_to(host: str) -> set[str]:
        try:
            found = await wire.resolve(host, policy, deadline=RESOLVE)
        except WireError:
            return set()
        return {target.host for target in found.targets} | set(found.addresses)

    return list(await asyncio.gather(*map(led_to, hosts)))
