"""Opening connections: policy, address, deadline and certificate, in that order."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from wire import dns
from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.host import parse_host
from wire.node import NodeAddress, Policy
from wire.os_errors import map_os_errors
from wire.tls import (
    Certificate,
    Handshake,
    check_pin,
    context_for,
    read_certificate,
    unverified_context,
)


@dataclass
class Stream:
    """An open connection; `close` never waits."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    handshake: Handshake = Handshake()

    def close(self) -> None:
        # A polite TLS shutdown would wait for a peer that may never answer.
        self.writer.transport.abort()


async def connect_node(node: NodeAddress, port: int, clock: Deadline) -> Stream:
    """Open a TLS connection to a trusted node; nothing has been sent on it."""
    context = context_for(node.trust, node.name)
    stream = await connect_host(
        node.address, port, node.policy, clock, node.name, context, server_name(node)
    )
    try:
        check_pin(stream.handshake, node.trust, node.name)
    except WireError:
        stream.close()
        raise
    return stream


async def connect_host(
    host: str,
    port: int,
    policy: Policy,
    clock: Deadline,
    label: str,
    context: ssl.SSLContext | None = None,
    name: str = "",
) -> Stream:
    """Dial the addresses of a host one after the other until one answers."""
    addresses = await allowed_addresses(host, port, policy, clock)
    last = len(addresses) - 1
    for index, address in enumerate(addresses):
        try:
            return await _dial_addresses(
                address, port, clock, label, context, name or address
            )
        except WireError as error:
            elsewhere = error.code in (Code.REFUSED, Code.UNREACHABLE)
            if index == last or not elsewhere:
                raise
    raise WireError(Code.UNRESOLVABLE, node=label)


async def _dial_addresses(
    address: str,
    port: int,
    clock: Deadline,
    label: str,
    context: ssl.SSLContext | None,
    name: str,
) -> Stream:
    started = time.monotonic()
    with map_os_errors(label):
        async with clock.limit():
            reader, writer = await asyncio.open_connection(
                address, port, ssl=context, server_hostname=name if context else None
            )
    if context is None:
        return Stream(reader, writer)
    session: ssl.SSLObject = writer.get_extra_info("ssl_object")
    handshake = Handshake(
        session.getpeercert(binary_form=True) or b"",
        session.version() or "",
        (time.monotonic() - started) * 1000,
        datetime.now(UTC),
    )
    return Stream(reader, writer, handshake)


async def allowed_addresses(
    host: str, port: int, policy: Policy, clock: Deadline
) -> tuple[str, ...]:
    parsed = parse_host(host)
    if parsed.ip:
        policy.check(parsed.text, port)
        return (parsed.text,)
    resolution = await dns.resolve_host(
        host, policy, deadline=max(clock.remaining(), 0)
    )
    for address in resolution.addresses:
        policy.check(address, port)
    return resolution.addresses


def server_name(node: NodeAddress) -> str:
    """Give the name that the certificate must bear."""
    try:
        return parse_host(node.name).text
    except WireError:
        return node.address


async def connect_time(
    address: str, port: int, policy: Policy, *, deadline: float = 5.0
) -> float:
    """Measure a TCP connection, in milliseconds, its name look-up left out."""
    clock = Deadline(deadline)
    first, *_ = await allowed_addresses(address, port, policy, clock)
    started = time.monotonic()
    stream = await connect_host(first, port, policy, clock, f"{address} port {port}")
    elapsed = (time.monotonic() - started) * 1000
    stream.close()
    return elapsed


async def fetch_certificate(
    address: str,
    port: int,
    policy: Policy,
    *,
    server_name: str = "",
    legacy: bool = False,
    deadline: float = 10.0,
) -> Certificate:
    """Read the certificate that a node presents; only the handshake is sent."""
    stream = await connect_host(
        address,
        port,
        policy,
        Deadline(deadline),
        server_name or address,
        unverified_context(legacy),
        server_name,
    )
    try:
        return read_certificate(stream.handshake, server_name or address)
    finally:
        stream.close()


async def confirmed_certificate(
    node: NodeAddress, *, deadline: float = 10.0
) -> Certificate:
    """Read the certificate of a node that proves who it is; nothing else is sent."""
    stream = await connect_node(node, node.axl_port, Deadline(deadline))
    try:
        return read_certificate(stream.handshake, node.name)
    finally:
        stream.close()
