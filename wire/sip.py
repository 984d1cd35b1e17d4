"""SIP OPTIONS: does the proxy of a node answer?"""

import asyncio
import re
import secrets
import ssl
import time
from dataclasses import dataclass

from wire import client_certificate
from wire.connect import Stream, allowed_addresses, connect_host
from wire.deadline import Deadline
from wire.errors import Code, WireError, clean_text
from wire.interfaces import Interface, seen_at
from wire.node import NodeAddress
from wire.os_errors import map_os_errors, wire_error
from wire.tls import fingerprint_of, unverified_context

_STATUS = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: ([^\r\n]{0,200}))?\r?\n", re.I)
_LENGTH = re.compile(
    r"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,7})[ \t]*\r?$", re.I | re.M
)
_CALL_ID = re.compile(r"^(?:call-id|i)[ \t]*:[ \t]*(\S+)[ \t]*\r?$", re.I | re.M)
_MAX_REPLY = 65536
_LONGEST_REASON = 200
_FIRST_RETRANSMISSION = 0.5
_DOWN = frozenset({408, 503})


@dataclass(frozen=True)
class SipReply:
    """A final answer, or the refusal of a handshake that wanted our certificate.

    `up` says that the proxy answered well; a refused handshake shows only that
    something speaks TLS there.
    """

    up: bool
    status: int | None
    reason: str
    duration_ms: float
    peer_auth_refused: bool = False
    fingerprint: str = ""


@dataclass(frozen=True)
class _Request:
    host: str
    port: int
    transport: str
    local: tuple[str, int]
    call_id: str

    def __bytes__(self) -> bytes:
        host, here = _bracketed(self.host), _bracketed(self.local[0])
        uri = f"sip:{host}:{self.port};transport={self.transport.lower()}"
        token = secrets.token_hex(8)
        lines = (
            f"OPTIONS {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {here}:{self.local[1]}"
            f";branch=z9hG4bK{token};rport",
            "Max-Forwards: 70",
            f"From: <sip:cupadmin@{here}>;tag={token}",
            f"To: <sip:{host}:{self.port}>",
            f"Call-ID: {self.call_id}",
            "CSeq: 1 OPTIONS",
            f"Contact: <sip:cupadmin@{here}:{self.local[1]}>",
            "Accept: application/sdp",
            "User-Agent: cupadmin",
            "Content-Length: 0",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def send_options(
    node: NodeAddress,
    transport: str,
    *,
    port: int | None = None,
    peer_auth: bool = False,
    deadline: float = 5.0,
) -> SipReply:
    """Ask the SIP proxy of a node; up is any final answer but 408 and 503.

    Args:
        transport: UDP, TCP or TLS.
        port: by default the node's port of that transport.
        peer_auth: ask the port that wants a certificate of ours.

    Raises:
        WireError: there was no SIP answer, with the reason.
    """
    port = port or _port(node, transport, peer_auth)
    clock = Deadline(deadline)
    started = time.monotonic()
    try:
        answer, fingerprint = await _ask_proxy(node, port, transport, clock)
    except _HandshakeRefusedError as refusal:
        if not await client_certificate.is_required(node, port, refusal.error, clock):
            raise seen_at(Interface.SIP_TLS, refusal.error) from None
        elapsed = (time.monotonic() - started) * 1000
        return SipReply(False, None, "A client certificate is required", elapsed, True)
    except WireError as error:
        interface = Interface.SIP_TLS if transport == "TLS" else Interface.SIP
        raise seen_at(interface, error) from None
    elapsed = (time.monotonic() - started) * 1000
    status, reason = answer
    return SipReply(status not in _DOWN, status, reason, elapsed, False, fingerprint)


async def _ask_proxy(
    node: NodeAddress, port: int, transport: str, clock: Deadline
) -> tuple[tuple[int, str], str]:
    """Give status and reason, and over TLS the fingerprint of the certificate."""
    if transport == "UDP":
        return await _ask_datagram(node, port, clock), ""
    if transport in ("TCP", "TLS"):
        return await _ask_stream(node, port, transport, clock)
    raise WireError(Code.VALUE, "SIP goes over UDP, TCP or TLS.")


def _port(node: NodeAddress, transport: str, peer_auth: bool) -> int:
    if transport != "TLS":
        return node.sip_port
    return node.sip_peer_tls_port if peer_auth else node.sip_tls_port


class _HandshakeRefusedError(Exception):
    """The node ended the TLS connection, perhaps for want of a certificate of ours."""

    def __init__(self, error: WireError) -> None:
        self.error = error


async def _ask_stream(
    node: NodeAddress, port: int, transport: str, clock: Deadline
) -> tuple[tuple[int, str], str]:
    # The proxy presents a certificate of its own, not that of the web pages which
    # the administrator confirmed. Nothing secret is sent, so it is only reported.
    context = unverified_context(node.trust.legacy) if transport == "TLS" else None
    try:
        stream = await connect_host(
            node.address, port, node.policy, clock, node.name, context, node.name
        )
    except WireError as error:
        if context and client_certificate.may_be_required(error):
            raise _HandshakeRefusedError(error) from None
        raise
    try:
        fingerprint = ""
        if context:
            fingerprint = fingerprint_of(stream.handshake.der)
        return await _converse(stream, node, port, transport, clock), fingerprint
    finally:
        stream.close()


async def _converse(
    stream: Stream, node: NodeAddress, port: int, transport: str, clock: Deadline
) -> tuple[int, str]:
    local = stream.writer.get_extra_info("sockname")
    call_id = secrets.token_hex(12)
    request = _Request(node.name, port, transport, local[:2], call_id)
    received = b""
    try:
        async with clock.limit():
            stream.writer.write(bytes(request))
            await stream.writer.drain()
            while True:
                data = await stream.reader.read(4096)
                if not data:
                    raise ConnectionResetError
                received += data
                answer, received = _take_answer(received, call_id, node.name)
                if answer:
                    return answer
    except (ssl.SSLError, ConnectionError) as error:
        # TLS 1.3 tells the refusal of a missing certificate only after the handshake.
        failure = wire_error(error, node.name)
        if transport == "TLS" and not received:
            raise _HandshakeRefusedError(failure) from None
        raise failure from None
    except OSError as error:
        raise wire_error(error, node.name) from None


def _take_answer(
    received: bytes, call_id: str, node: str
) -> tuple[tuple[int, str] | None, bytes]:
    """Take whole messages off the front until a final answer to our request."""
    while True:
        head, blank, rest = received.partition(b"\r\n\r\n")
        if not blank:
            if len(received) > _MAX_REPLY:
                raise WireError(Code.PROTOCOL, node=node, detail="endless SIP message")
            return None, received
        text = head.decode("utf-8", "replace")
        length = _LENGTH.search(text)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            if size > _MAX_REPLY:
                raise WireError(Code.PROTOCOL, node=node, detail="endless SIP message")
            return None, received
        answer = read_answer(text, call_id)
        received = rest[size:]
        if answer:
            return answer, received
        if not text.upper().startswith("SIP/2.0"):
            raise WireError(Code.PROTOCOL, node=node, detail="not SIP")


def read_answer(text: str, call_id: str) -> tuple[int, str] | None:
    """Give status and reason of a final answer to our call, else None."""
    status = _STATUS.match(text + "\r\n")
    call = _CALL_ID.search(text)
    if not status or not call or call[1] != call_id or status[1][0] == "1":
        return None
    return int(status[1]), clean_text(status[2] or "", _LONGEST_REASON)


class _SipDatagrams(asyncio.DatagramProtocol):
    def __init__(self, call_id: str) -> None:
        self._call_id = call_id
        self.answer: asyncio.Future[tuple[int, str]] = (
            asyncio.get_running_loop().create_future()
        )

    def datagram_received(self, data: bytes, addr: object) -> None:
        answer = read_answer(data.decode("utf-8", "replace"), self._call_id)
        if answer and not self.answer.done():
            self.answer.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _ask_datagram(
    node: NodeAddress, port: int, clock: Deadline
) -> tuple[int, str]:
    address, *_ = await allowed_addresses(node.address, port, node.policy, clock)
    call_id = secrets.token_hex(12)
    with map_os_errors(node.name):
        async with clock.limit():
            loop = asyncio.get_running_loop()
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: _SipDatagrams(call_id), remote_addr=(address, port)
            )
            try:
                local = transport.get_extra_info("sockname")
                request = _Request(node.name, port, "UDP", local[:2], call_id)
                return await _retransmit(transport, protocol, bytes(request))
            finally:
                transport.close()


async def _retransmit(
    transport: asyncio.DatagramTransport, protocol: _SipDatagrams, request: bytes
) -> tuple[int, str]:
    """Send at once, then after 0.5, 1, 2, 4 ... seconds, until there is an answer."""
    pause = _FIRST_RETRANSMISSION
    while True:
        transport.sendto(request)
        done, _ = await asyncio.wait({protocol.answer}, timeout=pause)
        if done:
            return protocol.answer.result()
        pause = min(pause * 2, 4.0)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
