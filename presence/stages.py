"""How far a proof came, and what it saw."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from presence.documents import State
from wire import Deadline, WireError

Canary = TypeVar("Canary")


class Stage(StrEnum):
    """How far a proof came, in the order of its steps.

    The last four say what was seen in place of the state that was set.
    """

    NOT_SET = "not_set"
    NOT_SIGNED_IN = "not_signed_in"
    SIGNED_IN = "signed_in"
    SUBSCRIBED = "subscribed"
    PENDING = "pending"
    BLOCKED = "blocked"
    OLD_STATE = "old_state"
    UNKNOWN_USER = "unknown_user"
    ARRIVED = "arrived"


class ProofInterface(StrEnum):
    """The interface that a proof used."""

    PWS = "pws"
    SIP = "sip"
    XMPP = "xmpp"


@dataclass(frozen=True)
class PresenceObservation:
    """What a watcher on one cluster saw of a user of another.

    Args:
        error: why it went no further, where the wire says so.
        restored: whether what was set is taken back.
        route: how the answer to the subscription was routed (SIP).
        message_ms: how long a message there and back took (XMPP).
        message_lost: a message was sent and did not come back (XMPP).
    """

    stage: Stage
    way: ProofInterface
    latency_ms: float | None = None
    seen: State | None = None
    error: WireError | None = None
    restored: bool = True
    route: tuple[str, ...] = ()
    message_ms: float | None = None
    message_lost: bool = False

    @property
    def arrived(self) -> bool:
        return self.stage is Stage.ARRIVED


@dataclass
class ProofProgress(Generic[Canary]):
    """One proof between two canaries: how far it came so far."""

    watcher: Canary
    watched: Canary
    clock: Deadline
    patience: float
    stage: Stage = Stage.NOT_SIGNED_IN
    error: WireError | None = None
    seen: State | None = None
    latency: float | None = None
    restored: bool = True


def stage_of(seen: State | None, target: State) -> Stage:
    """Judge what was last seen after `target` was set."""
    if seen is None:
        return Stage.SUBSCRIBED
    if seen is target:
        return Stage.ARRIVED
    if seen is State.UNKNOWN:
        return Stage.UNKNOWN_USER
    # A user who blocks a watcher appears unavailable to that watcher.
    return Stage.BLOCKED if seen is State.UNAVAILABLE else Stage.OLD_STATE


def another_than(
    *states: State | None,
    among: tuple[State, ...] = (State.AWAY, State.DND, State.AVAILABLE),
) -> State:
    """Choose a state that differs from these and that a server keeps as it is."""
    return next(one for one in among if one not in states)
