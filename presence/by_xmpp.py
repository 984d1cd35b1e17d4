"""A proof over XMPP: two users are signed in; presence, and a message there and back.

What a session shows ends with it. A contact that was not in a user's list before is
removed from it after.
"""

import secrets
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from presence.documents import State
from presence.errors import PresenceCode, PresenceError
from presence.stages import (
    PresenceObservation,
    ProofInterface,
    ProofProgress,
    Stage,
    another_than,
    stage_of,
)
from wire import Deadline, NodeAddress, WireError

if TYPE_CHECKING:
    from presence.xmpp_user import Heard, XmppUser

DEADLINE, ARRIVAL_TIMEOUT, FAREWELL = 40.0, 15.0, 5.0
# How long what follows at once may take: the first state, and a message.
AT_ONCE = 3.0
_STATES = (State.AWAY, State.DND)
_NO_ROUTE = ("remote-server-not-found", "remote-server-timeout")
_UNKNOWN = ("item-not-found", "recipient-unavailable", "gone")


@dataclass(frozen=True)
class XmppCanary:
    """A user of one cluster.

    Args:
        node: a node of its cluster, with the user's own password.
    """

    node: NodeAddress
    port: int
    userid: str
    domain: str

    @property
    def uri(self) -> str:
        return self.userid if "@" in self.userid else f"{self.userid}@{self.domain}"


def is_xmpp_installed() -> bool:
    """Say whether the optional package is there."""
    return find_spec("slixmpp") is not None


def _is_shown(heard: "Heard") -> bool:
    """Tell a state from the answer about a user who is not there."""
    return heard.state not in (None, State.UNAVAILABLE)


async def prove_by_xmpp(
    watcher: XmppCanary,
    watched: XmppCanary,
    *,
    deadline: float = DEADLINE,
    patience: float = ARRIVAL_TIMEOUT,
) -> PresenceObservation:
    """Show a state of `watched` and wait until `watcher` sees it."""
    proof = _XmppProof(watcher, watched, Deadline(deadline), patience)
    try:
        if not is_xmpp_installed():
            raise PresenceError(PresenceCode.XMPP_MISSING)
        async with AsyncExitStack() as stack:
            await proof.watch(stack)
    except WireError as error:
        proof.error = error
    except TimeoutError:
        pass
    return proof.observation()


@dataclass
class _XmppProof(ProofProgress[XmppCanary]):
    """A proof, and what became of its message."""

    message_ms: float | None = None
    message_lost: bool = False

    def observation(self) -> PresenceObservation:
        return PresenceObservation(
            self.stage,
            ProofInterface.XMPP,
            self.latency,
            self.seen,
            self.error,
            self.restored,
            message_ms=self.message_ms,
            message_lost=self.message_lost,
        )

    async def watch(self, stack: AsyncExitStack) -> None:
        user = await self._sign_in(stack, self.watcher)
        self.stage = Stage.NOT_SET
        other = await self._sign_in(stack, self.watched, approves=self.watcher.uri)
        self.stage = Stage.SIGNED_IN
        both = ((user, self.watched.uri), (other, self.watcher.uri))
        strangers = [
            (one, contact)
            for one, contact in both
            if not await one.knows(contact, self.clock)
        ]
        try:
            if await self._subscribe(user, other):
                await self._change(user, other)
            if self.stage is Stage.ARRIVED:
                await self._send_message(user)
        finally:
            await self._forget(strangers)

    async def _sign_in(
        self, stack: AsyncExitStack, canary: XmppCanary, approves: str = ""
    ) -> "XmppUser":
        from presence.xmpp_user import signed_in

        session = signed_in(canary.node, canary.port, canary.uri, self.clock, approves)
        return await stack.enter_async_context(session)

    async def _subscribe(self, user: "XmppUser", other: "XmppUser") -> bool:
        """Subscribe, and note how far that came; tell whether states may follow."""
        user.subscribe(self.watched.uri)
        clock, received = self.clock.at_most(self.patience), False
        while heard := await self._hear(user, clock):
            # A server says like this that it took a request, for whomever.
            received = received or heard.state is State.UNAVAILABLE
            if heard.kind == "subscribed" or _is_shown(heard):
                self.stage, self.seen = Stage.SUBSCRIBED, heard.state
                await self._first_state(user)
                return True
            if heard.kind == "unsubscribed":
                # A request that never arrived was refused by the watcher's cluster.
                refused = Stage.BLOCKED if other.was_asked else Stage.UNKNOWN_USER
                self.stage = refused
                return False
            if heard.kind == "error":
                self._refused(heard.condition)
                return False
        if other.was_asked:
            self.stage = Stage.PENDING
        elif received:
            self.stage = Stage.UNKNOWN_USER
        else:
            await self._ask_by_message(user)
        return False

    async def _first_state(self, user: "XmppUser") -> None:
        clock = self.clock.at_most(AT_ONCE)
        while self.seen is None and (heard := await self._hear(user, clock)):
            self.seen = heard.state

    async def _change(self, user: "XmppUser", other: "XmppUser") -> None:
        wanted = another_than(self.seen, among=_STATES)
        other.show(wanted)
        began, clock = time.monotonic(), self.clock.at_most(self.patience)
        while heard := await self._hear(user, clock):
            self.seen = heard.state or self.seen
            if self.seen is wanted:
                self.stage = Stage.ARRIVED
                self.latency = (time.monotonic() - began) * 1000
                return
        self.stage = stage_of(self.seen, wanted)

    async def _send_message(self, user: "XmppUser") -> None:
        """Send a message that the watched user sends back."""
        text = f"cupadmin {secrets.token_hex(8)}"
        user.message(self.watched.uri, text)
        began, clock = time.monotonic(), self.clock.at_most(self.patience)
        while heard := await self._hear(user, clock):
            if heard.kind == "message" and heard.text == text:
                self.message_ms = (time.monotonic() - began) * 1000
                return
            if heard.kind == "error":
                break
        self.message_lost = True

    async def _ask_by_message(self, user: "XmppUser") -> None:
        """Where nothing came back, ask by what is answered: a message.

        A user who blocks another is silent about presence and refuses a message.
        """
        user.message(self.watched.uri, f"cupadmin {secrets.token_hex(8)}")
        clock = self.clock.at_most(AT_ONCE)
        while heard := await self._hear(user, clock):
            if heard.kind == "error":
                self._refused(heard.condition)
                return

    def _refused(self, condition: str) -> None:
        node = self.watcher.node.name
        if condition in _NO_ROUTE:
            self.error = PresenceError(
                PresenceCode.XMPP_ROUTE, node=node, detail=condition
            )
        else:
            unknown = condition in _UNKNOWN
            self.stage = Stage.UNKNOWN_USER if unknown else Stage.BLOCKED

    async def _hear(self, user: "XmppUser", clock: Deadline) -> "Heard | None":
        """Wait for what comes from the watched user."""
        while clock.remaining() > 0:
            heard = await user.hear(clock)
            if heard is None:
                return None
            if heard.sender.casefold() == self.watched.uri.casefold():
                return heard
        return None

    async def _forget(self, strangers: "list[tuple[XmppUser, str]]") -> None:
        """Remove the contacts that the proof has added."""
        for user, contact in strangers:
            with suppress(TimeoutError):
                try:
                    await user.forget(contact, Deadline(FAREWELL))
                except WireError as error:
                    # Where there is nothing to remove, there is nothing of ours.
                    if error.detail != "item-not-found":
                        self.restored = False
