"""Commands to the Control Center: each sent once, and what its answer says."""

import asyncio
from typing import Any
from uuid import UUID

import wire
from clusters.connections import address_of
from clusters.models import Node
from services.decisions import Do, Settled, decide_refusal, settled_failed
from services.rate_limit import CallGrant, grant_calls
from wire import (
    Backoff,
    ControlCenterClient,
    ControlResult,
    NodeAddress,
    WireError,
)

DEADLINE = 60.0
# After a rate fault the job waits by itself, and the other nodes go on.
AT_ONCE_OR_NEVER = Backoff(tries=1)
OPERATION_PENDING = -1029

Answer = list[ControlResult] | WireError


def classify_answer(answer: Answer, name: str, memo: dict[str, Any]) -> Do | Settled:
    """Read the node's answer to a command for one service.

    WAIT: the outcome is unknown, the intent stands. BACK_OFF: nothing was done.
    """
    if isinstance(answer, WireError):
        if answer.outcome_unknown:
            return Do.WAIT
        return decide_refusal(answer, memo)
    result = next((result for result in answer if result.name == name), None)
    if result is None:
        return Do.WAIT
    if result.ok or result.reason_code == OPERATION_PENDING:
        return Do.FOLLOW
    return settled_failed(f"The node refused: {result.reason} ({result.reason_code})")


def send_command(
    action: str, nodes: dict[UUID, Node], names: dict[UUID, list[str]]
) -> dict[UUID, Answer]:
    """Send one command to each node."""
    answers: dict[UUID, Answer] = {}
    addresses: dict[UUID, NodeAddress] = {}
    for pk, node in nodes.items():
        try:
            addresses[pk] = address_of(node)
        except WireError as error:
            answers[pk] = error
    with grant_calls(addresses, 1) as grants:
        found = wire.run_loop(_send_all(action, addresses, names, grants))
    return answers | found


async def _send_all(
    action: str,
    addresses: dict[UUID, NodeAddress],
    names: dict[UUID, list[str]],
    grants: dict[UUID, CallGrant],
) -> dict[UUID, Answer]:
    async def one(pk: UUID) -> Answer:
        await grants[pk].ready()
        try:
            async with ControlCenterClient(
                addresses[pk], limiter=grants[pk], backoff=AT_ONCE_OR_NEVER
            ) as client:
                return await client.control(action, names[pk], deadline=DEADLINE)
        except WireError as error:
            return error

    found = await asyncio.gather(*map(one, addresses))
    return dict(zip(addresses, found, strict=True))
