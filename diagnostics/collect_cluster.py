"""The facts of one cluster: each node by itself, the database by its publisher."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import wire
from diagnostics.collector import Collector
from diagnostics.facts import (
    UNASKED,
    Answer,
    ClusterFacts,
    Failure,
    NodeFacts,
    ProcessNode,
    is_address,
)
from diagnostics.targets import ClusterTarget, NodeTarget
from wire import (
    AxlClient,
    Certificate,
    Code,
    ControlCenterClient,
    PeerEntry,
    PeerTableClient,
    ServiceStatus,
    platforms,
    sql,
)

T = TypeVar("T")

CONNECT, CERTIFICATE, AXL, SERVICES, DNS = 5.0, 10.0, 20.0, 30.0, 8.0
# After these no later question on the same connection can fare better.
HOPELESS = {
    Code.AXL_OFF,
    Code.CERTIFICATE_CHANGED,
    Code.CERTIFICATE_INVALID,
    Code.CERTIFICATE_UNKNOWN,
    Code.FORBIDDEN,
    Code.POLICY,
    Code.REFUSED,
    Code.TIMEOUT,
    Code.TLS,
    Code.UNAUTHORIZED,
    Code.UNREACHABLE,
    Code.UNRESOLVABLE,
    Code.VERSION,
}
PRESENCE = "2"
NO_PUBLISHER = Failure("no_publisher", "The cluster has no publisher.", "Add one.")
NO_TABLE = Failure(
    Code.CATALOGUE.value,
    "It is not known where this cluster keeps its peers.",
    "Enter the cluster's peer table mapping, or look at its own page.",
)


async def collect_cluster(collector: Collector, cluster: ClusterTarget) -> ClusterFacts:
    facts = ClusterFacts(
        id=cluster.id,
        name=cluster.name,
        domain=cluster.domain,
        generation=cluster.generation,
        direct=cluster.direct,
    )
    nodes, database = await asyncio.gather(
        asyncio.gather(*(collect_node(collector, node) for node in cluster.nodes)),
        _database(collector, cluster),
    )
    publisher = database.pop("publisher", None)
    nodes = [replace(n, **publisher) if n.publisher and publisher else n for n in nodes]
    return replace(facts, nodes=tuple(nodes), **database)


async def collect_node(collector: Collector, node: NodeTarget) -> NodeFacts:
    """Ask one node everything but its database, which only the publisher is asked."""
    facts = NodeFacts(
        id=node.id,
        name=node.name,
        address=node.address.address,
        publisher=node.publisher,
        confirmed=node.confirmed,
    )
    (connect, certificate), services, axl, names = await asyncio.gather(
        _presented(collector, node),
        _services(collector, node),
        _axl(collector, node),
        _names(collector, node),
    )
    answer, control_center = services
    return replace(
        facts,
        connect=connect,
        certificate=certificate,
        services=answer,
        control_center=control_center,
        certificate_names=await _certificate_names(collector, node, certificate),
        **axl,
        **names,
    )


async def _presented(
    collector: Collector, node: NodeTarget
) -> tuple[Answer[float], Answer[Certificate]]:
    where = node.address
    connect = await collector.ask(
        lambda seconds: wire.connect_time(
            where.address, where.axl_port, where.policy, deadline=seconds
        ),
        CONNECT,
    )
    if not connect.known:
        return connect, UNASKED
    certificate = await collector.ask(
        lambda seconds: wire.fetch_certificate(
            where.address,
            where.axl_port,
            where.policy,
            server_name=where.name,
            legacy=where.trust.legacy,
            deadline=seconds,
        ),
        CERTIFICATE,
    )
    return connect, certificate


async def _services(
    collector: Collector, node: NodeTarget
) -> tuple[Answer[tuple[ServiceStatus, ...]], str]:
    if node.blocked:
        return Answer(failure=node.blocked), ""
    client = ControlCenterClient(node.address)

    async def statuses(seconds: float) -> tuple[ServiceStatus, ...]:
        async with client:
            return tuple(await client.statuses(deadline=seconds))

    answer = await collector.ask(statuses, SERVICES)
    return answer, client.control_center or ""


async def _axl(collector: Collector, node: NodeTarget) -> dict[str, Any]:
    """Probe a subscriber; the publisher's answer comes with its database."""
    if node.publisher:
        return {}
    if node.blocked:
        return {"axl": Answer(failure=node.blocked)}
    async with AxlClient(node.address) as axl:
        answer = await collector.ask(lambda s: axl.probe(deadline=s), AXL)
        return _spoken(axl, answer)


def _spoken(axl: AxlClient, answer: Answer[int]) -> dict[str, Any]:
    return {
        "axl": answer,
        "axl_version": (axl.axl_version or "") if answer.known else "",
        "clock_offset": axl.date_offset,
    }


async def _names(collector: Collector, node: NodeTarget) -> dict[str, Any]:
    """Look the node's name up, and the address that the console uses for it."""
    name, where = node.name, node.address
    forward = UNASKED
    if not is_address(name):
        forward = await _addresses(collector, name, node)
    first = forward.value[0] if forward.value else where.address
    if not is_address(first):
        return {"forward": forward}
    backward = await collector.ask(
        lambda seconds: wire.reverse(first, where.policy, deadline=seconds), DNS
    )
    return {"forward": forward, "backward": backward}


async def _addresses(
    collector: Collector, name: str, node: NodeTarget
) -> Answer[tuple[str, ...]]:
    async def addresses(seconds: float) -> tuple[str, ...]:
        found = await wire.resolve(name, node.address.policy, deadline=seconds)
        return found.addresses

    return await collector.ask(addresses, DNS)


async def _certificate_names(
    collector: Collector, node: NodeTarget, certificate: Answer[Certificate]
) -> Mapping[str, Answer[tuple[str, ...]]]:
    """Look up every name in the certificate; the Sync Agent wants them resolvable."""
    if certificate.value is None:
        return {}
    ours = node.name.casefold()
    names = [
        name
        for name in certificate.value.names
        if not is_address(name) and "*" not in name and name.casefold() != ours
    ]
    answers = await asyncio.gather(*(_addresses(collector, n, node) for n in names))
    return dict(zip(names, answers, strict=True))


async def _database(collector: Collector, cluster: ClusterTarget) -> dict[str, Any]:
    """Ask the publisher's database one question after the other."""
    node = cluster.publisher
    if node is None or node.blocked:
        failure = node.blocked if node else NO_PUBLISHER
        failed: dict[str, Any] = dict.fromkeys(QUESTIONS, Answer(failure=failure))
        if node:
            failed["publisher"] = {"axl": Answer(failure=failure)}
        return failed | {"peers": Answer(failure=failure)}
    async with AxlClient(node.address) as axl:
        asked = Conversation(collector, axl)
        probe = await asked.ask(lambda s: axl.probe(deadline=s))
        found: dict[str, Any] = {"publisher": _spoken(axl, probe)}
        for name, question in QUESTIONS.items():
            found[name] = await asked.ask(lambda s, q=question: q(axl, s))  # type: ignore[misc]
        found["peers"] = await _peers(asked, cluster)
        return found


class Conversation:
    """Questions to one node; once it is hopeless, the rest get the same answer."""

    def __init__(self, collector: Collector, axl: AxlClient) -> None:
        self.collector = collector
        self.axl = axl
        self.hopeless: Failure | None = None

    async def ask(self, question: Callable[[float], Awaitable[T]]) -> Answer[T]:
        if self.hopeless:
            return Answer(failure=self.hopeless)
        answer = await self.collector.ask(question, AXL)
        if answer.code in HOPELESS:
            self.hopeless = answer.failure
        return answer


async def _peers(
    asked: Conversation, cluster: ClusterTarget
) -> Answer[tuple[PeerEntry, ...]]:
    """Read the peer table, once the cluster's own catalogue agrees with the mapping."""
    if cluster.table is None:
        return Answer(failure=NO_TABLE)
    table = PeerTableClient(asked.axl, cluster.table)

    async def entries(seconds: float) -> tuple[PeerEntry, ...]:
        await table.verify(deadline=seconds)
        return tuple(await table.read(deadline=seconds))

    return await asked.ask(entries)


async def _version(axl: AxlClient, seconds: float) -> str:
    return await axl.version(deadline=seconds) or ""


async def _process_nodes(axl: AxlClient, seconds: float) -> tuple[ProcessNode, ...]:
    generation = axl.node.generation
    profile = platforms.profile(generation) if generation else None
    rows = axl.rows(sql.query("process_nodes", profile), deadline=seconds)
    return tuple(
        [
            ProcessNode(row["name"] or "", (row.get("tknodeusage") or "") == "0")
            async for row in rows
            if row.get("name") and _is_presence(row)
        ]
    )


def _is_presence(row: Mapping[str, str | None]) -> bool:
    """Leave out the system's own row and, where roles are told, the voice nodes."""
    system = (row.get("systemnode") or "f") == "t"
    return not system and (row.get("tkprocessnoderole") or PRESENCE) == PRESENCE


async def _users(axl: AxlClient, seconds: float) -> Mapping[str, int]:
    rows = axl.rows(sql.query("users_per_node"), deadline=seconds)
    counts: dict[str, int] = {}
    async for row in rows:
        name = row.get("name") or ""
        counts[name] = counts.get(name, 0) + int(row.get("usercount") or 0)
    return counts


async def _unassigned(axl: AxlClient, seconds: float) -> int:
    rows = axl.rows(sql.query("unassigned_count"), deadline=seconds)
    async for row in rows:
        return int(next(iter(row.values())) or 0)
    return 0


async def _sync_status(axl: AxlClient, seconds: float) -> str:
    rows = axl.rows(sql.query("sync_agent_cfg"), deadline=seconds)
    async for row in rows:
        return (row.get("syncstatus") or "").strip()
    return ""


QUESTIONS: dict[str, Callable[[AxlClient, float], Awaitable[Any]]] = {
    "version": _version,
    "process_nodes": _process_nodes,
    "users": _users,
    "unassigned": _unassigned,
    "sync_status": _sync_status,
}
