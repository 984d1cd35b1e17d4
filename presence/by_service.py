"""A proof over the Presence Web Service: a user here watches a user there.

What is set for the watched user is taken back in every case that leaves the node
reachable; where it is not, the state ends with its expiry, and the caller is told.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from presence.documents import SETTABLE, State
from presence.service import SAYS_NOTHING, PresenceService, UserSession
from presence.stages import (
    PresenceObservation,
    ProofInterface,
    ProofProgress,
    Stage,
    another_than,
    stage_of,
)
from wire import Deadline, NodeAddress, WireError

DEADLINE = 30.0
# How long a state may take from cluster to cluster.
ARRIVAL_TIMEOUT = 15.0
# For taking back what was set, and for signing out.
FAREWELL = 8.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0


@dataclass(frozen=True)
class ServiceCanary:
    """A user of one cluster, and the account that signs it in.

    Args:
        node: the user's home node, with the application user's credentials.
    """

    node: NodeAddress
    port: int
    userid: str
    domain: str = field(default="")

    @property
    def uri(self) -> str:
        return self.userid if "@" in self.userid else f"{self.userid}@{self.domain}"


async def own_state(
    canary: ServiceCanary, *, deadline: float = DEADLINE
) -> State | None:
    """Give the state of the canary on its own cluster; None where it shows none.

    The path of a snapshot is not published for all releases.
    """
    async with signed_in(canary, Deadline(deadline)) as session:
        try:
            return await session.snapshot(canary.uri)
        except WireError as error:
            if error.code not in SAYS_NOTHING:
                raise
            return None


async def restore_state(
    canary: ServiceCanary, state: State | None, *, deadline: float = FAREWELL
) -> None:
    """Take back a state that the console set."""
    async with signed_in(canary, Deadline(deadline)) as session:
        if state in SETTABLE:
            await session.set(State(state))


async def prove_by_service(
    watcher: ServiceCanary,
    watched: ServiceCanary,
    before: State | None,
    *,
    deadline: float = DEADLINE,
    patience: float = ARRIVAL_TIMEOUT,
) -> PresenceObservation:
    """Set a state for `watched` and wait until `watcher` sees it.

    Args:
        before: the state of `watched` on its own cluster, which is set again after.
        patience: how long the state may take, within the deadline.
    """
    proof = _ServiceProof(watcher, watched, Deadline(deadline), patience, before=before)
    try:
        await proof.watch()
    except WireError as error:
        proof.error = error
    except TimeoutError:
        pass
    return proof.observation()


@dataclass
class _ServiceProof(ProofProgress[ServiceCanary]):
    """A proof, and the state that it found first."""

    before: State | None = None

    def observation(self) -> PresenceObservation:
        return PresenceObservation(
            self.stage,
            ProofInterface.PWS,
            self.latency,
            self.seen,
            self.error,
            self.restored,
        )

    async def watch(self) -> None:
        async with signed_in(self.watcher, self.clock) as session:
            self.stage = Stage.SIGNED_IN
            async with subscription_to(session, self.watched.uri) as subscription:
                self.stage = Stage.SUBSCRIBED
                self.seen = await session.poll(subscription)
                target = another_than(self.before, self.seen)
                await self.change(session, subscription, target)

    async def change(
        self, session: UserSession, subscription: str, target: State
    ) -> None:
        self.stage = Stage.NOT_SET
        async with signed_in(self.watched, self.clock) as other:
            self.restored = False
            try:
                await other.set(target)
                self.stage = stage_of(self.seen, target)
                await self.poll(session, subscription, target)
            finally:
                other.service.extend(Deadline(FAREWELL))
                self.restored = await take_back(other, self.before)

    async def poll(
        self, session: UserSession, subscription: str, target: State
    ) -> None:
        started, pause = time.monotonic(), FIRST_PAUSE
        clock = self.clock.at_most(self.patience)
        while True:
            state = await session.poll(subscription)
            self.seen = state or self.seen
            self.stage = stage_of(self.seen, target)
            if self.stage is Stage.ARRIVED:
                self.latency = (time.monotonic() - started) * 1000
                return
            if clock.remaining() <= 0:
                return
            await asyncio.sleep(min(pause, max(clock.remaining(), 0)))
            pause = min(pause * 1.5, LONGEST_PAUSE)


@asynccontextmanager
async def signed_in(
    canary: ServiceCanary, clock: Deadline
) -> AsyncIterator[UserSession]:
    """Sign the canary in, and out again in the end."""
    service = PresenceService(canary.node, canary.port, clock)
    try:
        await service.sign_in()
        session = await service.user(canary.userid)
        try:
            yield session
        finally:
            service.extend(Deadline(FAREWELL))
            await ignore_errors(session.sign_out())
    finally:
        service.close()


@asynccontextmanager
async def subscription_to(session: UserSession, contact: str) -> AsyncIterator[str]:
    """Subscribe to a contact, and end the subscription and its endpoint after."""
    service = session.service
    # Nobody listens there: the console polls, and no connection comes in to it.
    endpoint = await service.endpoint("http://127.0.0.1:9/cupadmin")
    try:
        subscription = await session.subscribe(contact, endpoint)
        try:
            yield subscription
        finally:
            service.extend(Deadline(FAREWELL))
            await ignore_errors(session.unsubscribe(subscription))
    finally:
        service.extend(Deadline(FAREWELL))
        await ignore_errors(service.delete_endpoint(endpoint))


async def take_back(session: UserSession, before: State | None) -> bool:
    """Set the state of before; say whether nothing of ours is left."""
    try:
        if before in SETTABLE:
            await session.set(State(before))
        await session.sign_out()
    except WireError:
        return False
    return True


async def ignore_errors(farewell: Awaitable[None]) -> None:
    with suppress(WireError):
        await farewell
