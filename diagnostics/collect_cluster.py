"""The facts of one cluster: each node by itself, the database by its publisher."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import wire
from diagnostics.answers import UNASKED, Answer, Failure
from diagnostics.collect_deep import (
    DEEP_QUESTIONS,
    Question,
    certificate_names,
    ha_nodes,
    node_details,
    with_user_faults,
)
from diagnostics.collector import Collector
from diagnostics.facts import ClusterFacts, NodeFacts, ProcessNode, SyncAgentSettings
from diagnostics.node_addresses import ClusterTarget, NodeTarget
from diagnostics.page_reading import PageFacts, read_pages
from wire import (
    AxlClient,
    Certificate,
    Code,
    ControlCenterClient,
    Handshake,
    NodeAddress,
    PeerEntry,
    PeerTableClient,
    ServiceStatus,
    Session,
    WireError,
    count_of,
    platforms,
    sql,
)

T = TypeVar("T")

CONNECT, CERTIFICATE, AXL, SERVICES = 5.0, 10.0, 20.0, 30.0
# After this the services are asked beside an AXL that has not answered yet.
SLOW = 1.0
# After these no later question on the same connection can fare better.
HOPELESS = {
    Code.AXL_OFF,
    Code.CERTIFICATE_CHANGED,
    Code.CERTIFICATE_INVALID,
    Code.CERTIFICATE_UNKNOWN,
    Code.FORBIDDEN,
    Code.POLICY,
    Code.REFUSED,
    Code.SINGLE_SIGN_ON,
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

SEARCH = "Search the catalogue on the peer table page of the cluster."


async def collect_cluster(
    collector: Collector, cluster: ClusterTarget, *, deep: bool = False
) -> ClusterFacts:
    """Ask a cluster what a check needs; `deep` adds what the troubleshooter asks."""
    facts = ClusterFacts(
        id=cluster.id,
        name=cluster.name,
        domain=cluster.domain,
        address_scheme=cluster.address_scheme,
        generation=cluster.generation,
        direct=cluster.direct,
        edition=cluster.edition,
    )
    collect_one = collect_node_deep if deep else collect_node
    questions = QUESTIONS | DEEP_QUESTIONS if deep else QUESTIONS
    # The database first: its questions come one after the other and take the longest.
    database, nodes, pages = await asyncio.gather(
        _database(collector, cluster, questions),
        asyncio.gather(*(collect_one(collector, node) for node in cluster.nodes)),
        read_pages(collector, cluster, deep=deep),
    )
    if cluster.by_pages:
        database |= _as_pages_show(pages)
    publisher = database.pop("publisher", None)
    nodes = [replace(n, **publisher) if n.publisher and publisher else n for n in nodes]
    return replace(facts, nodes=tuple(nodes), **database)


def _as_pages_show(pages: Answer[PageFacts]) -> dict[str, Any]:
    found = pages.value
    return {
        "peers": pages.part(found.entries if found else ()),
        "by_pages": True,
        "page_status": found.statuses if found else {},
        "page_tests": found.tests if found else pages.part(()),
        "page_notices": found.notices if found else (),
    }


async def collect_users(collector: Collector, cluster: ClusterTarget) -> ClusterFacts:
    """Ask a publisher only for the nodes it knows and the users on them."""
    facts = ClusterFacts(
        id=cluster.id,
        name=cluster.name,
        nodes=tuple(
            NodeFacts(
                node.id,
                node.name,
                node.address.address,
                node.publisher,
                resolved=node.resolved,
            )
            for node in cluster.nodes
        ),
    )
    node = cluster.publisher
    if node is None or node.blocked:
        return facts
    async with AxlClient(node.address) as axl:
        conversation = Conversation(collector, axl)
        users = await conversation.ask(lambda s: _users(axl, s))
        nodes = await conversation.ask(lambda s: _process_nodes(axl, s))
        return replace(facts, users=users, process_nodes=nodes)


async def collect_node(collector: Collector, node: NodeTarget) -> NodeFacts:
    """Ask one node all but its database, which is asked of the publisher."""
    facts = NodeFacts(
        id=node.id,
        name=node.name,
        address=node.address.address,
        publisher=node.publisher,
        confirmed=node.confirmed,
        resolved=node.resolved,
    )
    async with Session(node.address) as session:
        connect, services = await asyncio.gather(
            connect_time(collector, node.address),
            _ask_services(collector, node, session),
        )
        certificate = await presented_certificate(collector, connect, session)
        return replace(facts, connect=connect, certificate=certificate, **services)


async def _ask_services(
    collector: Collector, node: NodeTarget, session: Session
) -> dict[str, Any]:
    """Ask AXL, then the services on the same connection unless AXL is slow."""
    async with asyncio.TaskGroup() as group:
        axl = group.create_task(_axl(collector, node, session))
        await asyncio.wait([axl], timeout=SLOW)
        services = group.create_task(_services(collector, node, session))
    return axl.result() | services.result()


async def connect_time(collector: Collector, where: NodeAddress) -> Answer[float]:
    return await collector.ask(
        lambda seconds: wire.connect_time(
            where.address, where.axl_port, where.policy, deadline=seconds
        ),
        CONNECT,
    )


async def presented_certificate(
    collector: Collector, connect: Answer[float], session: Session
) -> Answer[Certificate]:
    """Give the certificate that a conversation met; without one, go and look."""
    if session.handshake:
        return _met_certificate(session, session.handshake)
    if not connect.known:
        return UNASKED
    where = session.node
    return await collector.ask(
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


def _met_certificate(session: Session, handshake: Handshake) -> Answer[Certificate]:
    value, failure = None, None
    try:
        value = session.certificate()
    except WireError as error:
        failure = Failure.of(error)
    return Answer(value, failure, handshake.duration_ms, handshake.at)


async def _services(
    collector: Collector, node: NodeTarget, session: Session
) -> dict[str, Any]:
    if node.blocked:
        return {"services": Answer(failure=node.blocked)}
    if node.services is not None:
        return {"services": Answer(node.services)}
    client = ControlCenterClient(node.address, session=session, limiter=node.limiter)

    async def statuses(seconds: float) -> tuple[ServiceStatus, ...]:
        return tuple(await client.statuses(deadline=seconds))

    answer = await collector.ask(statuses, SERVICES)
    return {"services": answer, "control_center": client.control_center or ""}


async def _axl(
    collector: Collector, node: NodeTarget, session: Session
) -> dict[str, Any]:
    """Probe a subscriber; the publisher's answer comes with its database."""
    if node.publisher:
        return {}
    if node.blocked:
        return {"axl": Answer(failure=node.blocked)}
    axl = AxlClient(node.address, session=session)
    answer = await collector.ask(lambda s: axl.probe(deadline=s), AXL)
    return _spoken_version(axl, answer)


def _spoken_version(axl: AxlClient, answer: Answer[int]) -> dict[str, Any]:
    return {
        "axl": answer,
        "axl_version": (axl.axl_version or "") if answer.known else "",
        "clock_offset": axl.date_offset,
    }


async def _database(
    collector: Collector, cluster: ClusterTarget, questions: Mapping[str, Question]
) -> dict[str, Any]:
    """Ask the publisher's database one question after the other."""
    node = cluster.publisher
    if node is None or node.blocked:
        failure = node.blocked if node else NO_PUBLISHER
        failed: dict[str, Any] = dict.fromkeys(questions, Answer(failure=failure))
        if node:
            failed["publisher"] = {"axl": Answer(failure=failure)}
        return with_user_faults(failed | {"peers": Answer(failure=failure)})
    async with AxlClient(node.address) as axl:
        conversation = Conversation(collector, axl)
        probe = await conversation.ask(lambda s: axl.probe(deadline=s))
        found: dict[str, Any] = {"publisher": _spoken_version(axl, probe)}
        for name, question in questions.items():
            found[name] = await conversation.ask(lambda s, q=question: q(axl, s))  # type: ignore[misc]
        found["peers"] = await _peers(conversation, cluster)
        return with_user_faults(found)


async def collect_node_deep(collector: Collector, node: NodeTarget) -> NodeFacts:
    facts: NodeFacts
    facts, more = await asyncio.gather(
        collect_node(collector, node), node_details(collector, node)
    )
    names = await certificate_names(collector, node, facts.certificate)
    return replace(facts, certificate_names=names, **more)


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
    conversation: Conversation, cluster: ClusterTarget
) -> Answer[tuple[PeerEntry, ...]]:
    """Read the peer table, once the cluster's own catalogue agrees with the mapping."""
    if cluster.by_pages:
        return UNASKED
    if cluster.table is None:
        return Answer(failure=NO_TABLE)
    table = PeerTableClient(conversation.axl, cluster.table)

    async def entries(seconds: float) -> tuple[PeerEntry, ...]:
        await table.verify(deadline=seconds)
        return tuple(await table.read(deadline=seconds))

    answer = await conversation.ask(entries)
    if answer.failure and answer.code == Code.CATALOGUE and not cluster.table_confirmed:
        # There is no mapping of theirs to correct.
        return replace(answer, failure=replace(answer.failure, remedy=SEARCH))
    return answer


async def _version(axl: AxlClient, seconds: float) -> str:
    return await axl.version(deadline=seconds) or ""


async def _process_nodes(axl: AxlClient, seconds: float) -> tuple[ProcessNode, ...]:
    generation = axl.node.generation
    profile = platforms.profile_of(generation) if generation else None
    rows = axl.rows(sql.build_query("process_nodes", profile), deadline=seconds)
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
    rows = axl.rows(sql.build_query("users_per_node"), deadline=seconds)
    counts: dict[str, int] = {}
    async for row in rows:
        name = row.get("name") or ""
        count = count_of(row.get("usercount"), axl.node.name)
        counts[name] = counts.get(name, 0) + count
    return counts


async def _sync_agent(axl: AxlClient, seconds: float) -> SyncAgentSettings:
    async for row in axl.rows(sql.build_query("sync_agent_cfg"), deadline=seconds):
        return SyncAgentSettings(True, (row.get("syncstatus") or "").strip())
    return SyncAgentSettings(False)


QUESTIONS: dict[str, Question] = {
    "version": _version,
    "process_nodes": _process_nodes,
    "users": _users,
    "sync_agent": _sync_agent,
    "ha_nodes": ha_nodes,
}
