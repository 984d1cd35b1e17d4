"""From an XMPP port in the clear to a connection over TLS (RFC 6120, section 5).

Nothing but the name of the domain is sent before the certificate has been compared.
"""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from xml.sax.saxutils import quoteattr

from presence.errors import PresenceCode, PresenceError
from wire import Certificate, Deadline, NodeAddress, Policy, WireError
from wire.connect import Stream, connect_host, server_name
from wire.os_errors import map_os_errors
from wire.tls import (
    Handshake,
    check_pin,
    context_for,
    read_certificate,
    unverified_context,
)

_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
_REQUEST = f"<starttls xmlns='{_TLS}'/>".encode()
_MOST_BYTES = 16 * 1024


def header(domain: str) -> bytes:
    """Write the opening of a stream to a domain."""
    return (
        f"<?xml version='1.0'?><stream:stream to={quoteattr(domain)} "
        "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        "version='1.0'>"
    ).encode()


async def secured(node: NodeAddress, port: int, domain: str, clock: Deadline) -> Stream:
    """Open a connection whose certificate is the confirmed one."""
    context = context_for(node.trust, node.name)
    stream = await connect_host(node.address, port, node.policy, clock, node.name)
    try:
        name = server_name(node)
        stream = await _upgrade(stream, node.name, domain, name, context, clock)
        check_pin(stream.handshake, node.trust, node.name)
    except BaseException:
        stream.close()
        raise
    return stream


async def fetch_starttls_certificate(
    address: str,
    port: int,
    policy: Policy,
    *,
    domain: str,
    server_name: str = "",
    legacy: bool = False,
    deadline: float = 10.0,
) -> Certificate:
    """Read the certificate that an XMPP port presents; nothing secret is sent."""
    clock, label = Deadline(deadline), server_name or address
    stream = await connect_host(address, port, policy, clock, label)
    context = unverified_context(legacy)
    try:
        stream = await _upgrade(stream, label, domain, label, context, clock)
        return read_certificate(stream.handshake, label)
    finally:
        stream.close()


async def _upgrade(
    stream: Stream,
    label: str,
    domain: str,
    name: str,
    context: ssl.SSLContext,
    clock: Deadline,
) -> Stream:
    with map_os_errors(label):
        async with clock.limit():
            await _request_tls(stream, label, domain)
            await stream.writer.start_tls(context, server_hostname=name)
    session: ssl.SSLObject = stream.writer.get_extra_info("ssl_object")
    presented = session.getpeercert(binary_form=True) or b""
    handshake = Handshake(presented, session.version() or "", at=datetime.now(UTC))
    return replace(stream, handshake=handshake)


async def _request_tls(stream: Stream, label: str, domain: str) -> None:
    """Ask for TLS; return when the server proceeds."""
    stream.writer.write(header(domain))
    await _read_until(stream.reader, b"</stream:features>", b"<starttls", label)
    stream.writer.write(_REQUEST)
    await _read_until(stream.reader, b">", b"<proceed", label)


async def _read_until(
    reader: asyncio.StreamReader, end: bytes, wanted: bytes, label: str
) -> None:
    """Read to the end of an element in which something must stand."""
    received = b""
    while end not in received:
        data = await reader.read(4096)
        received += data
        if not data and not received:
            raise ConnectionResetError
        if b"<host-unknown" in received:
            raise PresenceError(PresenceCode.XMPP_DOMAIN, node=label)
        if not data or len(received) > _MOST_BYTES or b"<stream:error" in received:
            raise no_tls(label)
    if wanted not in received:
        raise no_tls(label)


def no_tls(label: str) -> WireError:
    return PresenceError(PresenceCode.XMPP_NO_TLS, node=label)
