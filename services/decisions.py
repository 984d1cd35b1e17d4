"""What to do next about one service that is being controlled: pure decisions.

A target is fresh until its command was sent. After that its memo tells when, what the
service was before, and whether the node is known to have accepted the command.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from jobs.models import JobStep
from wire import Code, ServiceStatus, WireError
from wire.control_center_reasons import is_success

SETTLE_TIMEOUT = 180.0
# A command whose answer was lost may still be about to act.
GRACE = 15.0
MAX_TRIES = 2
BACK_OFF = 30.0
MAX_THROTTLED = 4

GOAL = {"start": "started", "stop": "stopped", "restart": "started"}
ON_THE_WAY = {"start": "starting", "stop": "stopping"}
MOVING = ("starting", "stopping")
NO_SUCH_SERVICE = "The node has no such service."
RATED = "The node asked for fewer requests; it is tried again soon."


class Do(Enum):
    """The next move for a target that is not settled."""

    COMMAND = "command"
    FOLLOW = "follow"
    WAIT = "wait"
    BACK_OFF = "back off"


@dataclass(frozen=True)
class Settled:
    """How a target ended."""

    state: str
    detail: str


Verdict = Do | Settled


def settled_done(detail: str) -> Settled:
    return Settled(JobStep.State.DONE, detail)


def settled_failed(detail: str) -> Settled:
    return Settled(JobStep.State.FAILED, detail)


def settled_unknown(detail: str) -> Settled:
    return Settled(JobStep.State.UNKNOWN, detail)


def in_words(error: WireError) -> str:
    return f"{error.message} {error.remedy}".strip()


def status_snapshot(status: ServiceStatus) -> dict[str, Any]:
    """What must be remembered of a service before a command, to see its effect."""
    return {
        "status": str(status.status),
        "start_time": status.start_time,
        "up_time": status.up_time,
    }


def judge_fresh(
    action: str,
    memo: dict[str, Any],
    status: ServiceStatus | None,
    error: WireError | None,
    now: float,
) -> Verdict:
    """Compare the desired state first: what is so already needs no command."""
    if memo.get("not_before", 0) > now:
        return Do.WAIT
    if error is not None:
        return decide_refusal(error, memo)
    if status is None:
        return settled_failed(NO_SUCH_SERVICE)
    if status.status == GOAL[action] and action != "restart":
        return settled_done(f"It was {status.status} already.")
    if status.status == ON_THE_WAY.get(action):
        return Do.FOLLOW
    if status.status in MOVING:
        since = memo.get("waiting_since", now)
        return (
            still_waiting(status, now - since)
            if now - since > SETTLE_TIMEOUT
            else Do.WAIT
        )
    return Do.COMMAND


def decide_refusal(error: WireError, memo: dict[str, Any]) -> Verdict:
    """Nothing happened; after a rate fault it is tried again, a few times."""
    if error.code == Code.THROTTLED and memo.get("throttled", 0) < MAX_THROTTLED:
        return Do.BACK_OFF
    return settled_failed(in_words(error))


def judge_sent(
    action: str,
    memo: dict[str, Any],
    status: ServiceStatus | None,
    error: WireError | None,
    now: float,
) -> Verdict:
    """Read back what a command did; it is repeated only where it did nothing."""
    waited = now - memo["sent_at"]
    if error is not None or status is None:
        why = in_words(error) if error else "The node no longer lists the service."
        return settled_unknown(why) if waited > SETTLE_TIMEOUT else Do.WAIT
    if has_reached(action, memo["before"], status):
        return settled_done(
            f"{status.status.capitalize()} after {max(waited, 0):.0f} s."
        )
    if not memo.get("accepted") and status_snapshot(status) | UNCOUNTED == (
        memo["before"] | UNCOUNTED
    ):
        return _unmoved(memo, status, waited)
    return still_waiting(status, waited) if waited > SETTLE_TIMEOUT else Do.WAIT


UNCOUNTED = {"up_time": None}


def _unmoved(memo: dict[str, Any], status: ServiceStatus, waited: float) -> Verdict:
    """The answer to the command was lost, and the service is as it was before."""
    if waited <= GRACE:
        return Do.WAIT
    if memo.get("tries", 1) < MAX_TRIES:
        return Do.COMMAND
    return settled_failed(
        f"Asked {MAX_TRIES} times without an answer; still {status.status}."
    )


def waiting_sentence(was_sent: bool, status: ServiceStatus | None) -> str:
    """Say how it stands with a target that is waited for."""
    if status is None:
        return "Asked; the node does not answer now." if was_sent else RATED
    if was_sent or status.status in MOVING:
        return f"{'Asked' if was_sent else 'Waiting'}; it is {status.status} now."
    return RATED


def has_reached(action: str, before: dict[str, Any], status: ServiceStatus) -> bool:
    if status.status != GOAL[action]:
        return False
    return action != "restart" or has_restarted(before, status)


def has_restarted(before: dict[str, Any], status: ServiceStatus) -> bool:
    """Tell a new run of a service from the one before the command."""
    if before["status"] != "started":
        return True
    if before["start_time"] and status.start_time:
        return bool(before["start_time"] != status.start_time)
    if before["up_time"] is None or status.up_time is None:
        return False
    return status.up_time < int(before["up_time"])


def still_waiting(status: ServiceStatus, waited: float) -> Settled:
    good = is_success(status.reason_code, status.reason)
    reported = status.reason and not good
    reason = f" The node says: {status.reason}." if reported else ""
    return settled_failed(
        f"Still {status.status} after {waited / 60:.0f} minutes.{reason} "
        "Look at the service's log on the node, then retry."
    )


def split_waves(nodes: list[Any]) -> list[list[Any]]:
    """Split nodes into one, a tenth, and the rest."""
    tenth = -(-len(nodes) // 10)
    split = [nodes[:1], nodes[1 : 1 + tenth], nodes[1 + tenth :]]
    return [wave for wave in split if wave]
