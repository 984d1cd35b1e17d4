"""SIP messages (RFC 3261), as far as presence needs them: hostile, small, whole."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from presence.errors import PresenceCode, PresenceError
from wire import Code, WireError

MOST_BYTES = 65_536
_MOST_HEADERS = 200
_COMPACT = {
    "c": "content-type",
    "f": "from",
    "i": "call-id",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "t": "to",
    "v": "via",
}
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.{0,200}))?", re.I)
_REQUEST = re.compile(r"([A-Z]{1,20}) (\S{1,2000}) SIP/2\.0", re.I)
_LENGTH = re.compile(r"[0-9]{1,7}")
_TAG = re.compile(r";\s*tag\s*=\s*([^\s;,>]{1,200})", re.I)
_URI = re.compile(r"<([^<>]{1,1000})>|(sips?:[^\s;,<>]{1,1000})", re.I)
_HOST = re.compile(r"sips?:(?:[^@\s]{0,500}@)?(\[[0-9a-f:.]{2,50}\]|[^\s:;?>]+)", re.I)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SipMessage:
    """A request, or with a `status` the answer to one."""

    status: int
    reason: str
    method: str
    headers: Headers
    body: bytes = b""

    def first(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def listed(self, name: str) -> list[str]:
        """Give the values of a header that lists addresses, one each."""
        return [one for value in self.all(name) for one in _split_commas(value)]

    def tag(self, name: str) -> str:
        found = _TAG.search(self.first(name))
        return found[1] if found else ""

    @property
    def sequence(self) -> tuple[str, str]:
        """The number and the method of CSeq."""
        number, _, method = self.first("cseq").partition(" ")
        return number.strip(), method.strip().upper()


def _split_commas(value: str) -> list[str]:
    """Split at the commas outside of angle brackets."""
    pieces, inside = [""], False
    for text in re.split("([<>,])", value[:8000]):
        if text == "," and not inside:
            pieces.append("")
            continue
        inside = text == "<" or (inside and text != ">")
        pieces[-1] += text
    return [piece.strip() for piece in pieces if piece.strip()]


def uri_of(value: str) -> str:
    """Give the URI of an address."""
    found = _URI.search(value)
    return (found[1] or found[2]).strip() if found else ""


def host_of(uri: str) -> str:
    """Give the host of a SIP URI, without brackets."""
    found = _HOST.match(uri)
    return found[1].strip("[]").casefold() if found else ""


def take_message(received: bytes, node: str) -> tuple[SipMessage | None, bytes]:
    """Take the first whole message off a stream; None while there is none."""
    received = received.lstrip(b"\r\n")
    head, blank, rest = received.partition(b"\r\n\r\n")
    if not blank:
        if len(received) > MOST_BYTES:
            raise _bad_message(node, "a message without end")
        return None, received
    message = read_head(head, node)
    size = message.first("content-length") or "0"
    if not _LENGTH.fullmatch(size) or int(size) > MOST_BYTES:
        raise _bad_message(node, "a bad length")
    if len(rest) < int(size):
        return None, received
    return with_body(message, rest[: int(size)]), rest[int(size) :]


def read_datagram(datagram: bytes, node: str) -> SipMessage:
    """Read the one message of a datagram."""
    head, _, body = datagram.partition(b"\r\n\r\n")
    return with_body(read_head(head, node), body)


def with_body(message: SipMessage, body: bytes) -> SipMessage:
    return SipMessage(
        message.status, message.reason, message.method, message.headers, body
    )


def read_head(head: bytes, node: str) -> SipMessage:
    lines = head.decode("utf-8", "replace").replace("\r\n ", " ").split("\r\n")
    status, request = _STATUS.fullmatch(lines[0]), _REQUEST.fullmatch(lines[0])
    if not status and not request:
        raise _bad_message(node, "not SIP")
    headers = tuple(_headers(lines[1 : _MOST_HEADERS + 1]))
    if status:
        return SipMessage(int(status[1]), (status[2] or "").strip(), "", headers)
    return SipMessage(0, "", request[1].upper() if request else "", headers)


def _headers(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.strip().lower()
        if colon and key:
            yield _COMPACT.get(key, key), value.strip()


def _bad_message(node: str, detail: str) -> PresenceError:
    return PresenceError(
        PresenceCode.UNRECOGNISED,
        node=node,
        detail=detail,
        remedy="Check that the port is the SIP port of the node and that no device on "
        "the way rewrites SIP.",
    )


def write_message(
    start: str, headers: Iterable[tuple[str, str]], body: bytes = b""
) -> bytes:
    """Write a message; a line break in a value is refused."""
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body)}")
    if any(sign in line for line in lines for sign in "\r\n\0"):
        raise WireError(Code.VALUE, "A SIP header cannot contain a line break.")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + body


def answer_to(request: SipMessage, status: str) -> bytes:
    """Write the answer to a request that came in."""
    copied = [("Via", via) for via in request.all("via")]
    copied += [
        (name, request.first(name.lower()))
        for name in ("From", "To", "Call-ID", "CSeq")
    ]
    return write_message(f"SIP/2.0 {status}", copied)
