"""What the Control Center says about services, read without trusting it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from wire.control_center_reasons import (
    ALREADY_STARTED,
    ALREADY_STOPPED,
    ALREADY_THERE,
    in_words,
    is_success,
)
from wire.errors import Code, WireError
from wire.xml import Element, SoapMessage, whole_number

STATUSES = ("started", "stopped", "starting", "stopping", "unknown")
_WISHED: dict[str, set[int]] = {
    "start": {ALREADY_STARTED, ALREADY_THERE},
    "stop": {ALREADY_STOPPED, ALREADY_THERE},
    "restart": set(),
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


Named = TypeVar("Named", ServiceStatus, ServiceInfo)


def result_of(message: SoapMessage) -> Element:
    """Give the element with the answer: the names differ, the place does not."""
    content = message.content
    inner = [message.follow(child) for child in content]
    if len(inner) > 1:
        raise WireError(Code.NOT_SOAP, detail="more than one result")
    return inner[0] if inner else content


def items_of(message: SoapMessage, parent: Element, *lists: str) -> list[Element]:
    """Give what lies in the lists of the first name that is there.

    All of it, by whatever name: in an array of Axis 1 the names mean nothing, and an
    item that was passed over would look like a service that the node does not have.
    """
    for name in lists:
        if holders := message.children(parent, name):
            return [message.follow(x) for holder in holders for x in holder]
    return []


def read_statuses(
    message: SoapMessage, items: Sequence[Element]
) -> list[ServiceStatus]:
    reported = _items_in(message, items)
    return _refuse_unnamed([read_status(message, item) for item in reported])


def _items_in(message: SoapMessage, items: Sequence[Element]) -> list[Element]:
    """Leave out items that say nothing; refuse one that has swallowed another."""
    reported = [
        item
        for item in items
        if any(str(x).strip() for x in item.itertext())
        or any(message.texts(item).values())
    ]
    for item in reported:
        names = list(item.iter("{*}ServiceName"))
        if len(names) > 1 or message.children(item, "item"):
            raise WireError(Code.NOT_SOAP, detail="a service inside another")
    return reported


def _refuse_unnamed(services: list[Named]) -> list[Named]:
    """Refuse a list with a service whose name is lost, rather than shorten it."""
    if not all(service.name for service in services):
        raise WireError(Code.NOT_SOAP, detail="a service without a name")
    return services


def read_status(message: SoapMessage, item: Element) -> ServiceStatus:
    texts = message.texts(item)
    word = texts.get("ServiceStatus", "").lower()
    code = whole_number(texts.get("ReasonCode", ""))
    up_time = whole_number(texts.get("UpTime", ""))
    return ServiceStatus(
        name=texts.get("ServiceName", ""),
        status=word if word in STATUSES else "unknown",
        reason_code=code,
        reason=in_words(code, texts.get("ReasonCodeString", "")),
        start_time=texts.get("StartTime", ""),
        up_time=up_time if up_time is not None and up_time >= 0 else None,
    )


def read_infos(message: SoapMessage) -> list[ServiceInfo]:
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
        for item in _items_in(message, items)
    ]
    if not infos:
        raise WireError(Code.NOT_SOAP, detail="no services listed")
    return _refuse_unnamed(infos)


def _restrict(message: SoapMessage, item: Element) -> str | None:
    nested = message.child(item, "RestrictServer")
    words = message.text(item, "Restrict") or message.text(nested, "Restrict")
    return _RESTRICT.get(words.lower().replace("_", ""))


def _boolean(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def read_results(
    message: SoapMessage, action: str, names: Sequence[str]
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
        ok = is_success(status.reason_code, status.reason)
        ok = ok or status.reason_code in _WISHED[action]
        results.append(
            ControlResult(name, ok, status.reason_code, status.reason, status.status)
        )
    return results
