"""Statuses and SOAP faults of both dialects, as errors of the wire."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from wire.errors import Code, WireError
from wire.http import Reply
from wire.interfaces import Interface, seen_at
from wire.xml import SoapMessage, local_name, parse_message

# For words with one space between them, see _words.
_TOTAL = re.compile(r"total rows matched: ?([0-9]{1,12})", re.I)
_SUGGESTED = re.compile(
    r"suggest\w{0,20} row fetch: ?less than ?([0-9]{1,12})", re.I | re.A
)
_RATE = re.compile(r"exceeded allowed rate|maximum axl memory", re.I)
_UNKNOWN = re.compile(
    r"no method found|no such operation|operation .{0,80}not found"
    r"|(end ?point|epr)\b.{0,80}\bnot found",
    re.I,
)
_LONGEST = 4096
_MAX_FAULT = 1024 * 1024
# Where identity providers and the product's own service provider live.
_PROVIDER = re.compile(
    r"saml(request|response)=|/(saml2?|ssosp|sso|adfs|idp|oauth2?|openid-connect)"
    r"(?=[/?#.]|$)",
    re.I,
)
_SIGN_IN_FORM = b"SAMLRequest"
_STATUSES = {
    401: Code.UNAUTHORIZED,
    403: Code.FORBIDDEN,
    413: Code.TOO_LARGE,
    429: Code.THROTTLED,
    502: Code.UNAVAILABLE,
    503: Code.THROTTLED,
    504: Code.UNAVAILABLE,
    599: Code.VERSION,
}


@dataclass(frozen=True)
class SoapFault:
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


def read_fault(message: SoapMessage) -> SoapFault | None:
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
                return SoapFault(code, words or text, number)
    return SoapFault(code, text)


def fault_error(fault: SoapFault, node: str) -> WireError:
    words = _words(fault.text)
    total = _TOTAL.search(words)
    suggested = _SUGGESTED.search(words)
    if total or suggested:
        return TooLarge(
            node,
            int(total[1]) if total else None,
            int(suggested[1]) if suggested else None,
        )
    number = "" if fault.axl_code is None else f"{fault.axl_code} "
    detail = f"{number}{fault.text or fault.code}"
    if _RATE.search(words):
        return WireError(Code.THROTTLED, node=node, detail=detail)
    if _UNKNOWN.search(words):
        return WireError(Code.NOT_OFFERED, node=node, detail=detail)
    return WireError(Code.FAULT, node=node, detail=detail)


def _words(text: str) -> str:
    """Give the beginning of a text, which tells what there is to tell."""
    return " ".join(text[:_LONGEST].split())


async def failure_of(
    reply: Reply, node: str, interface: Interface, *, write: bool = False
) -> WireError:
    """Say why a node answered with another status than 200."""
    if reply.status == 500:
        return seen_at(interface, await _internal_error(reply, node))
    reply.discard()
    if 300 <= reply.status < 400:
        return seen_at(interface, _redirection(reply, node))
    code = _STATUSES.get(reply.status, Code.HTTP)
    if reply.status == 404:
        code = interface.missing
    elif reply.status == 503 and _is_page(reply) and not write:
        # A write has its read before it, so that its 503 means a full queue.
        code = Code.UNAVAILABLE
    return seen_at(interface, WireError(code, node=node, detail=_status(reply)))


async def read_message(
    reply: Reply, node: str, interface: Interface, *, write: bool = False
) -> SoapMessage:
    """Read the message of a 200, or raise what the node reported instead."""
    if reply.status != 200:
        raise await failure_of(reply, node, interface, write=write)
    body = await reply.read()
    try:
        message = parse_message(body, node)
    except WireError as error:
        form = _SIGN_IN_FORM in body
        cause = WireError(Code.SINGLE_SIGN_ON, node=node) if form else error
        raise seen_at(interface, cause) from None
    fault = read_fault(message)
    if fault:
        raise seen_at(interface, fault_error(fault, node))
    return message


async def _internal_error(reply: Reply, node: str) -> WireError:
    """Read the fault that a 500 carries; anything else is Tomcat's own trouble."""
    body = await reply.read(_MAX_FAULT)
    try:
        fault = read_fault(parse_message(body, node))
    except WireError as error:
        cut = error.code is Code.INCOMPLETE
        code = Code.INCOMPLETE if cut else Code.UNAVAILABLE
        detail = f"{_status(reply)}, {error.detail}"
        return WireError(code, node=node, detail=detail)
    if fault is None:
        return WireError(Code.HTTP, node=node, detail=_status(reply))
    return fault_error(fault, node)


def _redirection(reply: Reply, node: str) -> WireError:
    target = reply.header("location")
    code = Code.SINGLE_SIGN_ON if _PROVIDER.search(target) else Code.REDIRECT
    try:
        host = urlsplit(target).hostname
    except ValueError:
        host = None
    where = f" to {host}" if host else ""
    return WireError(code, node=node, detail=f"{_status(reply)}{where}")


def _is_page(reply: Reply) -> bool:
    return "html" in reply.header("content-type").lower()


def _status(reply: Reply) -> str:
    return f"HTTP {reply.status}"
