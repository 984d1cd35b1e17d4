"""Statuses and SOAP faults of both dialects, as errors of the wire."""

import re
from dataclasses import dataclass

from wire.errors import Code, WireError
from wire.http import Reply
from wire.xml import Message, local_name, parse

_TOTAL = re.compile(r"total\s+rows\s+matched:\s*(\d{1,12})", re.I)
_SUGGESTED = re.compile(r"suggest\w*\s+row\s+fetch:\s*less\s+than\s*(\d{1,12})", re.I)
_RATE = re.compile(r"exceeded\s+allowed\s+rate|maximum\s+axl\s+memory", re.I)
_UNKNOWN = re.compile(
    r"no\s+method\s+found|no\s+such\s+operation|operation\s+.{0,80}not\s+found"
    r"|(end\s*point|epr)\b.{0,80}\bnot\s+found",
    re.I | re.S,
)
_MAX_FAULT = 1024 * 1024


@dataclass(frozen=True)
class Fault:
    """A SOAP fault; `axl_code` is negative for the database's own errors."""

    code: str
    text: str
    axl_code: int | None = None


class TooLarge(WireError):
    """A query result over the cluster's limit of 8 MB."""

    def __init__(self, node: str, total: int | None, suggested: int | None) -> None:
        detail = f"{total} rows" if total else ""
        super().__init__(Code.TOO_LARGE, node=node, detail=detail)
        self.suggested = suggested


def read_fault(message: Message) -> Fault | None:
    """Give the fault of a message, if it is one."""
    if message.name != "Fault":
        return None
    content = message.content
    code = message.text(content, "faultcode")
    code = code or message.text(message.child(content, "Code"), "Value")
    text = message.text(content, "faultstring")
    text = text or message.text(message.child(content, "Reason"), "Text")
    detail = message.child(content, "detail", "Detail")
    if detail is not None:
        for element in detail.iter():
            if local_name(element) in ("axlError", "error"):
                number = message.number(element, "axlcode", "code")
                words = message.text(element, "axlmessage", "message")
                return Fault(code, words or text, number)
    return Fault(code, text)


def fault_error(fault: Fault, node: str) -> WireError:
    total = _TOTAL.search(fault.text)
    suggested = _SUGGESTED.search(fault.text)
    if total or suggested:
        return TooLarge(
            node,
            int(total[1]) if total else None,
            int(suggested[1]) if suggested else None,
        )
    number = "" if fault.axl_code is None else f"{fault.axl_code} "
    detail = f"{number}{fault.text or fault.code}"
    if _RATE.search(fault.text):
        return WireError(Code.THROTTLED, node=node, detail=detail)
    if _UNKNOWN.search(fault.text):
        return WireError(Code.NOT_OFFERED, node=node, detail=detail)
    return WireError(Code.FAULT, node=node, detail=detail)


def status_error(status: int, node: str, missing: Code) -> WireError | None:
    """Judge the status before anybody looks at the body; 200 and 500 may hold SOAP."""
    if status in (200, 500):
        return None
    if 300 <= status < 400:
        return WireError(Code.REDIRECT, node=node, detail=f"HTTP {status}")
    code = {
        401: Code.UNAUTHORIZED,
        403: Code.FORBIDDEN,
        404: missing,
        413: Code.TOO_LARGE,
        429: Code.THROTTLED,
        503: Code.THROTTLED,
        599: Code.VERSION,
    }.get(status, Code.HTTP)
    return WireError(code, node=node, detail=f"HTTP {status}")


async def failure_of(reply: Reply, node: str) -> WireError:
    """Read the fault that a 500 carries; HTML gives NOT_SOAP."""
    body = await reply.read(_MAX_FAULT)
    try:
        fault = read_fault(parse(body, node))
    except WireError as error:
        error.detail = f"HTTP {reply.status}, {error.detail}"
        return error
    if fault is None:
        return WireError(Code.HTTP, node=node, detail=f"HTTP {reply.status}")
    return fault_error(fault, node)


async def read_message(reply: Reply, node: str) -> Message:
    """Read the message of a 200 or 500, or raise the fault that it is."""
    if reply.status != 200:
        raise await failure_of(reply, node)
    message = parse(await reply.read(), node)
    fault = read_fault(message)
    if fault:
        raise fault_error(fault, node)
    return message
