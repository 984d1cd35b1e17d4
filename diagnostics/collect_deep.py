"""What only the troubleshooter asks: names, SIP of every node, more of the database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import wire
from diagnostics.answers import UNASKED, Answer
from diagnostics.collector import Collector
from diagnostics.facts import HaNode, ImAddress, Subcluster, UserFaults, is_address
from diagnostics.node_addresses import NodeTarget
from wire import AxlClient, Certificate, SipReply, count_of, sql

DNS, SIP = 8.0, 6.0
TRANSPORTS = ("UDP", "TCP", "TLS")

Question = Callable[[AxlClient, float], Awaitable[Any]]


async def node_details(collector: Collector, node: NodeTarget) -> dict[str, Any]:
    """Look up the node's name and address, and ask its SIP proxy."""
    names, sip = await asyncio.gather(_names(collector, node), _sip(collector, node))
    return {**names, "sip": sip}


async def _sip(
    collector: Collector, node: NodeTarget
) -> Mapping[str, Answer[SipReply]]:
    async def ask(transport: str) -> Answer[SipReply]:
        return await collector.ask(
            lambda seconds: wire.send_options(
                node.address, transport, deadline=seconds
            ),
            SIP,
        )

    answers = await asyncio.gather(*map(ask, TRANSPORTS))
    return dict(zip(TRANSPORTS, answers, strict=True))


async def _names(collector: Collector, node: NodeTarget) -> dict[str, Any]:
    name, where = node.name, node.address
    forward = UNASKED
    if not is_address(name):
        forward = await _addresses(collector, name, node)
    first = forward.value[0] if forward.value else where.address
    if not is_address(first):
        return {"forward": forward}
    backward = await collector.ask(
        lambda seconds: wire.reverse_names(first, where.policy, deadline=seconds), DNS
    )
    return {"forward": forward, "backward": backward}


async def _addresses(
    collector: Collector, name: str, node: NodeTarget
) -> Answer[tuple[str, ...]]:
    answer = await collector.look_up(name, node.address.policy, DNS)
    return answer.part(answer.value.addresses if answer.value else None)


async def certificate_names(
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


async def _unassigned(axl: AxlClient, seconds: float) -> int:
    rows = axl.rows(sql.build_query("unassigned_count"), deadline=seconds)
    counts = [next(iter(row.values()), None) async for row in rows]
    return count_of(counts[0] if counts else None, axl.node.name)


async def _subclusters(axl: AxlClient, seconds: float) -> tuple[Subcluster, ...]:
    rows = axl.rows(sql.build_query("subclusters"), deadline=seconds)
    return tuple(
        [
            Subcluster(
                row.get("id") or "",
                row.get("name") or "",
                is_true(row.get("haenabled")),
            )
            async for row in rows
        ]
    )


def is_true(flag: str | None) -> bool:
    return (flag or "").strip().casefold() == "t"


async def ha_nodes(axl: AxlClient, seconds: float) -> tuple[HaNode, ...]:
    rows = axl.rows(sql.build_query("ha_nodes"), deadline=seconds)
    return tuple(
        [
            HaNode(
                row.get("name") or "",
                row.get("subclusterid") or "",
                row.get("tkhaserverstate") or "",
            )
            async for row in rows
        ]
    )


async def _im_addresses(axl: AxlClient, seconds: float) -> tuple[ImAddress, ...]:
    """Read some of the cluster's users, as many as show how IM addresses are formed."""
    rows = axl.rows(sql.build_query("im_addresses"), deadline=seconds)
    return tuple(
        [
            ImAddress(
                row.get("userid") or "",
                row.get("imaddress") or "",
                row.get("directoryuri") or "",
                row.get("nodename") or "",
            )
            async for row in rows
        ]
    )


async def _texts(name: str, axl: AxlClient, seconds: float) -> tuple[str, ...]:
    """Give the first column of a query."""
    rows = axl.rows(sql.build_query(name), deadline=seconds)
    return tuple([next(iter(row.values()), None) or "" async for row in rows])


USER_QUESTIONS: dict[str, Question] = {
    "duplicate_userids": partial(_texts, "duplicate_userids"),
    "duplicate_uris": partial(_texts, "duplicate_uris"),
    "duplicate_mails": partial(_texts, "duplicate_mails"),
    "without_uri": partial(_texts, "users_without_uri"),
    "with_invalid_uri": partial(_texts, "users_with_invalid_uri"),
}
DEEP_QUESTIONS: dict[str, Question] = {
    "unassigned": _unassigned,
    "subclusters": _subclusters,
    "im_addresses": _im_addresses,
    **USER_QUESTIONS,
}


def with_user_faults(found: dict[str, Any]) -> dict[str, Any]:
    """Gather the answers about users into one fact, if they were asked for."""
    answers = {name: found.pop(name) for name in USER_QUESTIONS if name in found}
    return found | ({"user_faults": UserFaults(**answers)} if answers else {})
