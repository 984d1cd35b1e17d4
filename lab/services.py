"""The services of a node: their states and the time that a change of state takes."""

import time
from dataclasses import dataclass, field

from .releases import ServiceKind

SUCCESSFUL = -1
NO_SUCH_SERVICE = -1010
BAD_ARGUMENTS = -1012
OPERATION_PENDING = -1029
ALREADY_STARTED = -1039
ALREADY_STOPPED = -1040
NOT_ALLOWED = -1042
NOT_ACTIVATED = -1068
OUT_OF_SERVICE = -1069

REASONS = {
    SUCCESSFUL: " ",
    NO_SUCH_SERVICE: "No such service",
    BAD_ARGUMENTS: "Bad arguments",
    -1019: "Component is not running",
    OPERATION_PENDING: "Operation pending",
    -1031: "Operation timed-out",
    -1036: "Dependency active",
    ALREADY_STARTED: "Component already started",
    ALREADY_STOPPED: "Component already stopped",
    NOT_ALLOWED: "State transition not allowed",
    -1046: "Process recovery in progress",
    -1050: "Shutdown in progress",
    NOT_ACTIVATED: "Service Not Activated",
    OUT_OF_SERVICE: "Commanded Out of Service",
}
DAY = 86_400


@dataclass
class LabService:
    """One service on one node. Changes under way are worked out when it is asked."""

    kind: ServiceKind
    steady: str = "Started"
    reason: int = SUCCESSFUL
    since: float = field(default_factory=lambda: time.time() - DAY)
    pending: list[tuple[float, str]] = field(default_factory=list)
    changed: bool = False
    stuck: bool = False

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def status(self) -> str:
        """Return Started, Stopped, Starting or Stopping, as it is now."""
        self._settle()
        return self.steady

    @property
    def is_started(self) -> bool:
        return self.status == "Started"

    @property
    def up_time(self) -> int:
        return int(time.time() - self.since) if self.is_started else -1

    def set(self, status: str) -> None:
        """Put the service in a state at once."""
        self.pending.clear()
        self._enter(status, time.time())

    def command(self, action: str, duration: float, stuck: bool = False) -> int:
        """Start, stop or restart in `duration` seconds; return the reason code."""
        if refused := self._refusal(action):
            return refused
        now = time.time()
        self.stuck = stuck
        if action == "Start":
            self._plan((now, "Starting"), (now + duration, "Started"))
        elif action == "Stop":
            self._plan((now, "Stopping"), (now + duration, "Stopped"))
        else:
            half = now + duration / 2
            self._plan((now, "Stopping"), (half, "Starting"))
            self.pending.append((now + duration, "Started"))
        return SUCCESSFUL

    def _refusal(self, action: str) -> int:
        status = self.status
        if action not in ("Start", "Stop", "Restart"):
            return BAD_ARGUMENTS
        if self.kind.restrict == "DoNotStop" and action != "Start":
            return NOT_ALLOWED
        if status in ("Starting", "Stopping"):
            return OPERATION_PENDING
        if self.reason == NOT_ACTIVATED:
            return NOT_ACTIVATED
        if action == "Start" and status == "Started":
            return ALREADY_STARTED
        if action == "Stop" and status == "Stopped":
            return ALREADY_STOPPED
        return 0

    def _plan(self, *steps: tuple[float, str]) -> None:
        self.pending = list(steps)
        self._settle()

    def _settle(self) -> None:
        now = time.time()
        while self.pending and self.pending[0][0] <= now:
            if self.stuck and self.pending[0][1] == "Started":
                return
            at, status = self.pending.pop(0)
            self._enter(status, at)

    def _enter(self, status: str, at: float) -> None:
        self.steady = status
        self.since = at
        self.reason = OUT_OF_SERVICE if status == "Stopped" else SUCCESSFUL
        self.changed = True


def reason_text(code: int) -> str:
    return REASONS.get(code, "Unknown reason")
