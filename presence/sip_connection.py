"""A SIP connection to one node, over UDP, TCP or TLS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from presence import sip_message
from presence.errors import PresenceCode, PresenceError
from presence.sip_message import SipMessage
from wire import Code, Deadline, NodeAddress, WireError, client_certificate
from wire.connect import Stream, allowed_addresses, connect_host, connect_node
from wire.os_errors import map_os_errors

_MOST_WAITING = 100
# For finding out why a proxy refused a handshake.
_EXPLAINING = 5.0
_FIRST_RETRANSMISSION, _LONGEST_RETRANSMISSION = 0.5, 4.0


class SipConnection(Protocol):
    """Sends and receives whole messages."""

    transport: str
    local: tuple[str, int]

    async def send(self, data: bytes) -> None: ...
    async def receive(self) -> SipMessage: ...

    # The pauses after which an unanswered request is sent again; none on a stream.
    def pauses(self) -> list[float]: ...


class _OverStream:
    def __init__(self, node: str, stream: Stream, transport: str) -> None:
        self.transport = transport
        self.local = stream.writer.get_extra_info("sockname")[:2]
        self._node, self._stream, self._received = node, stream, b""

    async def send(self, data: bytes) -> None:
        self._stream.writer.write(data)
        await self._stream.writer.drain()

    async def receive(self) -> SipMessage:
        while True:
            message, self._received = sip_message.take_message(
                self._received, self._node
            )
            if message:
                return message
            data = await self._stream.reader.read(4096)
            if not data:
                raise ConnectionResetError
            self._received += data

    def pauses(self) -> list[float]:
        return []


class _OverDatagrams(asyncio.DatagramProtocol):
    transport = "UDP"

    def __init__(self, node: str) -> None:
        self._node = node
        self._waiting: asyncio.Queue[bytes | Exception] = asyncio.Queue(_MOST_WAITING)
        self.local = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket: asyncio.DatagramTransport = transport  # type: ignore[assignment]
        self.local = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._take(data)

    def error_received(self, exc: Exception) -> None:
        self._take(exc)

    def _take(self, what: bytes | Exception) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait(what)

    async def send(self, data: bytes) -> None:
        self._socket.sendto(data)

    async def receive(self) -> SipMessage:
        while True:
            received = await self._waiting.get()
            if isinstance(received, Exception):
                raise received
            if received.strip():
                return sip_message.read_datagram(received, self._node)

    def pauses(self) -> list[float]:
        pauses = [_FIRST_RETRANSMISSION]
        while pauses[-1] < _LONGEST_RETRANSMISSION:
            pauses.append(pauses[-1] * 2)
        return pauses


@asynccontextmanager
async def connect_to(
    node: NodeAddress, transport: str, clock: Deadline
) -> AsyncIterator[SipConnection]:
    """Connect to the SIP proxy of a node.

    Over TLS the certificate must be the confirmed one: what answers a digest
    challenge would help whoever guesses passwords.
    """
    if transport == "UDP":
        datagrams = await _datagrams(node, clock)
        try:
            yield datagrams
        finally:
            datagrams._socket.close()
        return
    stream = await _stream(node, transport, clock)
    try:
        yield _OverStream(node.name, stream, transport)
    except WireError as error:
        # In TLS 1.3 a missing certificate is refused after the handshake.
        if transport == "TLS" and client_certificate.may_be_required(error):
            await _explain_refusal(node, error)
        raise
    finally:
        stream.close()


async def _explain_refusal(node: NodeAddress, error: WireError) -> None:
    """Say so where a proxy wants a certificate of ours.

    Raises:
        PresenceError: it does.
    """
    clock = Deadline(_EXPLAINING)
    if await client_certificate.is_required(node, node.sip_tls_port, error, clock):
        code = PresenceCode.CLIENT_CERTIFICATE
        raise PresenceError(code, node=node.name) from error


async def _stream(node: NodeAddress, transport: str, clock: Deadline) -> Stream:
    if transport == "TLS":
        try:
            return await connect_node(node, node.sip_tls_port, clock)
        except WireError as error:
            if client_certificate.may_be_required(error):
                await _explain_refusal(node, error)
            raise
    if transport == "TCP":
        address, port = node.address, node.sip_port
        return await connect_host(address, port, node.policy, clock, node.name)
    raise WireError(Code.VALUE, "SIP goes over UDP, TCP or TLS.")


async def _datagrams(node: NodeAddress, clock: Deadline) -> _OverDatagrams:
    port = node.sip_port
    address, *_ = await allowed_addresses(node.address, port, node.policy, clock)
    with map_os_errors(node.name):
        async with clock.limit():
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_datagram_endpoint(
                lambda: _OverDatagrams(node.name), remote_addr=(address, port)
            )
    return protocol
