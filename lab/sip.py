"""SIP: the proxy's answer to OPTIONS over UDP, TCP and TLS."""

import asyncio
import http
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from .http_faults import reset_transport
from .sip_presence import METHODS, Send, SipRequest

if TYPE_CHECKING:
    from .node import LabNode

REASONS = {408: "Request Timeout", 420: "Bad Extension", 483: "Too Many Hops"}
MAX_MESSAGE = 64 * 1024


def sip_reply(
    node: "LabNode", message: bytes, peer: tuple[Any, ...], send: Send
) -> bytes | None:
    """Return what the proxy says to a message; None when it keeps silent."""
    lines = message.decode("utf-8", "replace").split("\r\n")
    words = lines[0].split(" ")
    headers = _headers(lines[1:])
    if len(words) != 3 or words[2] != "SIP/2.0" or "via" not in headers:
        return None
    setting = node.faults.take("sip")
    if not node.sip_proxy.is_started or (setting and setting.value == "silent"):
        return None
    if words[0] == "ACK":
        return None
    status = int(setting.value) if setting and setting.value.isdigit() else 200
    if not all(name in headers for name in ("from", "to", "call-id", "cseq")):
        status = 400
    elif words[0] in METHODS and node.cluster.lab.options.presence:
        body = message.partition(b"\r\n\r\n")[2]
        request = SipRequest(words[0], words[1], headers, body)
        status, more = node.cluster.proxy.answer(node, request, send)
        return _write_response(status, headers, peer, more)
    elif words[0] != "OPTIONS":
        status = 405
    return _write_response(status, headers, peer)


def _headers(lines: list[str]) -> dict[str, list[str]]:
    short = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length"}
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            break
        name = name.strip().lower()
        headers.setdefault(short.get(name, name), []).append(value.strip())
    return headers


def _write_response(
    status: int,
    headers: dict[str, list[str]],
    peer: tuple[Any, ...],
    more: Iterable[str] = (),
) -> bytes:
    vias = list(headers["via"])
    fields = [f for f in vias[0].split(";") if f.strip() != "rport"]
    rport = [f"rport={peer[1]}"] if len(fields) < len(vias[0].split(";")) else []
    vias[0] = ";".join([*fields, f"received={peer[0]}", *rport])
    to = headers.get("to", [""])[0]
    if ";tag=" not in to:
        to += f";tag={secrets.token_hex(4)}"
    lines = [
        f"SIP/2.0 {status} {_reason(status)}",
        *(f"Via: {via}" for via in vias),
        f"From: {headers.get('from', [''])[0]}",
        f"To: {to}",
        f"Call-ID: {headers.get('call-id', [''])[0]}",
        f"CSeq: {headers.get('cseq', [''])[0]}",
        "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH",
        "Server: Lab-Proxy",
        *more,
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _reason(status: int) -> str:
    if status in REASONS:
        return REASONS[status]
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Response"


class Datagrams(asyncio.DatagramProtocol):
    """The proxy's UDP port."""

    def __init__(self, node: "LabNode") -> None:
        self.node = node

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        answer = sip_reply(self.node, data, addr, lambda more: self._send(more, addr))
        if answer:
            loop = asyncio.get_running_loop()
            loop.call_later(self.node.latency, self._send, answer, addr)

    def _send(self, answer: bytes, addr: tuple[Any, ...]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(answer, addr)


class SipStream(asyncio.Protocol):
    """A connection to the proxy over TCP or TLS."""

    def __init__(self, node: "LabNode") -> None:
        self.node = node
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.node.connections.add(self.transport)
        if not self.node.sip_proxy.is_started:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport:
            self.node.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > MAX_MESSAGE and self.transport:
            self.transport.abort()
        self._advance()

    def _advance(self) -> None:
        while self.transport and (message := self._take()):
            if self.node.faults.take("sip", "reset"):
                reset_transport(self.transport)
                return
            peer = self.transport.get_extra_info("peername") or ("?", 0)
            answer = sip_reply(self.node, message, peer, self._send)
            if answer:
                loop = asyncio.get_running_loop()
                loop.call_later(self.node.latency, self._send, answer)

    def _take(self) -> bytes | None:
        self.buffer = self.buffer.lstrip(b"\r\n")
        head, blank, rest = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        lines = head.decode("utf-8", "replace").split("\r\n")
        length = _headers(lines[1:]).get("content-length", ["0"])[0]
        size = int(length) if length.isdigit() else 0
        if len(rest) < size:
            return None
        self.buffer = rest[size:]
        return head + blank + rest[:size]

    def _send(self, answer: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.write(answer)
