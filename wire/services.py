"""What the Control Center says about services, read without trusting it."""

from collections.abc import Sequence
from dataclasses import dataclass

from wire.errors import Code, WireError
from wire.reasons import (
    ALREADY_STARTED,
    ALREADY_STOPPED,
    ALREADY_THERE,
    SUCCESSFUL,
    in_words,
)
from wire.xml import Element, Message, whole_number

STATUSES = ("started", "stopped", "starting", "stopping", "unknown")
_WISHED = {
    "start": {SUCCESSFUL, ALREADY_STARTED, ALREADY_THERE},
    "stop": {SUCCESSFUL, ALREADY_STOPPED, ALREADY_THERE},
    "restart": {SUCCESSFUL},
}
_RESTRICT = {"none": "none", "primarynode": "primary_node", "donotstop": "do_not_stop"}


@dataclass(frozen=True)
class ServiceStatus:
    """A service now; `up_time` in seconds, None while it does not run."""

    name: str
    status: str
    reason_code: int | None = None
    reason: str = ""
    start_time: str = ""
    up_time: int | None = None


@dataclass(frozen=True)
class ServiceInfo:
    """A service as the node knows it, running or not.

    `restrict` is none, primary_node, do_not_stop, or None where the node cannot tell.
    """

    name: str
    group: str = ""
    kind: str = ""
    deployable: bool | None = None
    restrict: str | None = None


@dataclass(frozen=True)
class ControlResult:
    """What the node said to a command for one service."""

    name: str
    ok: bool
    reason_code: int | None = None
    reason: str = ""
    status: str = "unknown"


@dataclass(frozen=True)
class Products:
    """What the node says is installed. Rows are known to come scrambled."""

    active_version: str
    products: tuple[tuple[str, str], ...] = ()


def result_of(message: Message) -> Element:
    """Give the element with the answer: the names differ, the place does not."""
    content = message.content
    inner = [message.follow(child) for child in content if isinstance(child.tag, str)]
    return inner[0] if inner else content


def items_of(message: Message, parent: Element, *lists: str) -> list[Element]:
    holder = message.child(parent, *lists)
    return message.children(holder, "item")


def read_status(message: Message, item: Element) -> ServiceStatus:
    told = message.texts(item)
    word = told.get("ServiceStatus", "").lower()
    code = whole_number(told.get("ReasonCode", ""))
    up_time = whole_number(told.get("UpTime", ""))
    return ServiceStatus(
        name=told.get("ServiceName", ""),
        status=word if word in STATUSES else "unknown",
        reason_code=code,
        reason=in_words(code, told.get("ReasonCodeString", "")),
        start_time=told.get("StartTime", ""),
        up_time=up_time if up_time is not None and up_time >= 0 else None,
    )


def read_infos(message: Message) -> list[ServiceInfo]:
    result = result_of(message)
    items = items_of(message, result, "Services", "ServiceList", "ServiceInfoList")
    items = items or message.children(result, "item")
    infos = [
        ServiceInfo(
            name=message.text(item, "ServiceName"),
            group=message.text(item, "GroupName"),
            kind=message.text(item, "ServiceType").lower(),
            deployable=_boolean(message.text(item, "Deployable")),
            restrict=_restrict(message, item),
        )
        for item in items
    ]
    named = [info for info in infos if info.name]
    if not named:
        raise WireError(Code.NOT_SOAP, detail="no services listed")
    return named


def _restrict(message: Message, item: Element) -> str | None:
    nested = message.child(item, "RestrictServer")
    words = message.text(item, "Restrict") or message.text(nested, "Restrict")
    return _RESTRICT.get(words.lower().replace("_", ""))


def _boolean(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def read_results(
    message: Message, action: str, names: Sequence[str]
) -> list[ControlResult]:
    """Match the answer with what was asked; what it leaves out has its own code."""
    result = result_of(message)
    overall = message.number(result, "ReasonCode")
    words = in_words(overall, message.text(result, "ReasonString"))
    items = items_of(message, result, "ServiceInfoList")
    by_name = {
        status.name: status for status in (read_status(message, x) for x in items)
    }
    results = []
    for name in names:
        status = by_name.get(name) or ServiceStatus(name, "unknown", overall, words)
        ok = status.reason_code in _WISHED[action]
        results.append(
            ControlResult(name, ok, status.reason_code, status.reason, status.status)
        )
    return results
