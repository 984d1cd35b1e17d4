"""A proof over SIP: SUBSCRIBE here, PUBLISH there, and the NOTIFY that comes.

What is published ends by itself after two minutes, also where it cannot be taken back.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from presence.documents import State
from presence.errors import PresenceCode
from presence.sip_connection import connect_to
from presence.sip_user import PresenceNotice, SipUser
from presence.stages import (
    PresenceObservation,
    ProofInterface,
    ProofProgress,
    Stage,
    another_than,
    stage_of,
)
from wire import Deadline, NodeAddress, WireError

DEADLINE, ARRIVAL_TIMEOUT, FAREWELL = 30.0, 15.0, 5.0
# How long the first NOTIFY may take, which follows the subscription at once.
FIRST_NOTICE = 2.0
# What the RFC's activities can say so that it is read back as it was.
_STATES = (State.AWAY, State.BUSY)
_NOT_SIGNED_IN = (PresenceCode.DIGEST,)


@dataclass(frozen=True)
class SipCanary:
    """A user of one cluster.

    Args:
        node: a node of its cluster, with the user's digest credentials.
        transport: UDP, TCP or TLS.
    """

    node: NodeAddress
    transport: str
    userid: str
    domain: str

    @property
    def uri(self) -> str:
        return self.userid if "@" in self.userid else f"{self.userid}@{self.domain}"


async def prove_by_sip(
    watcher: SipCanary,
    watched: SipCanary,
    *,
    deadline: float = DEADLINE,
    patience: float = ARRIVAL_TIMEOUT,
) -> PresenceObservation:
    """Publish a state of `watched` and wait until `watcher` is notified of it."""
    proof = _SipProof(watcher, watched, Deadline(deadline), patience)
    try:
        await proof.watch()
    except WireError as error:
        proof.fail(error)
    except TimeoutError:
        pass
    return proof.observation()


@dataclass
class _SipProof(ProofProgress[SipCanary]):
    """A proof, and how the answer to its subscription was routed."""

    route: tuple[str, ...] = ()

    def observation(self) -> PresenceObservation:
        return PresenceObservation(
            self.stage,
            ProofInterface.SIP,
            self.latency,
            self.seen,
            self.error,
            self.restored,
            self.route,
        )

    def fail(self, error: WireError) -> None:
        """Keep an error; some final answers to SUBSCRIBE say what is wrong."""
        watching = self.stage is Stage.SIGNED_IN
        if watching and error.code == PresenceCode.NOT_FOUND:
            self.stage = Stage.UNKNOWN_USER
        elif watching and error.code in _NOT_SIGNED_IN:
            self.stage, self.error = Stage.NOT_SIGNED_IN, error
        else:
            self.error = error

    async def watch(self) -> None:
        async with sip_agent(self.watcher, self.clock) as user:
            self.stage = Stage.SIGNED_IN
            await user.subscribe(self.watched.uri)
            self.stage, self.route = Stage.SUBSCRIBED, tuple(filter(None, user.route))
            try:
                first = await user.next_notice(self.clock.at_most(FIRST_NOTICE))
                if first is None or self.note(first):
                    await self.change(user)
            finally:
                user.clock = Deadline(FAREWELL)
                with suppress(WireError, TimeoutError):
                    await user.subscribe(self.watched.uri, 0)

    async def change(self, user: SipUser) -> None:
        target = another_than(self.seen, among=_STATES)
        before, self.stage = self.stage, Stage.NOT_SET
        async with sip_agent(self.watched, self.clock) as other:
            await other.publish(target)
            self.stage, started = before, time.monotonic()
            try:
                await self.wait(user, target)
                if self.stage is Stage.ARRIVED:
                    self.latency = (time.monotonic() - started) * 1000
            finally:
                other.clock = Deadline(FAREWELL)
                self.restored = await is_withdrawn(other)

    async def wait(self, user: SipUser, target: State) -> None:
        clock = self.clock.at_most(self.patience)
        while clock.remaining() > 0:
            notice = await user.next_notice(clock)
            if notice is None or not self.note(notice):
                break
            if self.seen is target:
                self.stage = Stage.ARRIVED
                return
        if self.stage is Stage.SUBSCRIBED and self.seen:
            self.stage = stage_of(self.seen, target)

    def note(self, notice: PresenceNotice) -> bool:
        """Take what a NOTIFY says; tell whether more can come."""
        self.seen = notice.state or self.seen
        if notice.subscription == "terminated":
            self.stage = {
                "rejected": Stage.BLOCKED,
                "noresource": Stage.UNKNOWN_USER,
            }.get(notice.reason, self.stage)
            return False
        pending = notice.subscription == "pending"
        self.stage = Stage.PENDING if pending else Stage.SUBSCRIBED
        return True


@asynccontextmanager
async def sip_agent(canary: SipCanary, clock: Deadline) -> AsyncIterator[SipUser]:
    async with connect_to(canary.node, canary.transport, clock) as connection:
        yield SipUser(connection, canary.node, canary.uri, clock)


async def is_withdrawn(user: SipUser) -> bool:
    try:
        await user.unpublish()
    except (WireError, TimeoutError):
        return False
    return True
