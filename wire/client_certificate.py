"""Does a port refuse us because it wants a client certificate?

A refused handshake alone does not tell: the same alert is sent where no cipher is
shared, and some nodes only reset the connection. In TLS 1.2 the order tells: who has
sent its own hello has agreed on version and cipher, and what it refuses after that is
our empty certificate. So a second handshake, at most TLS 1.2, is taken step by step.
"""

import ssl

from wire.connect import Stream, connect_host, server_name
from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.node import NodeAddress
from wire.os_errors import map_os_errors
from wire.tls import unverified_context

_CERTAIN = "certificate required"
_CHUNK = 16384


def may_be_required(error: WireError) -> bool:
    """Say whether a handshake failed in a way that a missing certificate explains."""
    alert = error.code is Code.TLS and "alert" in error.detail
    return alert or error.code is Code.CLOSED


async def is_required(
    node: NodeAddress, port: int, error: WireError, clock: Deadline
) -> bool:
    """Find out, after a refused handshake, whether a certificate of ours was missed."""
    if _CERTAIN in error.detail:
        return True
    try:
        stream = await connect_host(node.address, port, node.policy, clock, node.name)
    except WireError:
        return False
    try:
        return await _refused_after_hello(stream, node, clock)
    except WireError:
        return False
    finally:
        stream.close()


async def _refused_after_hello(
    stream: Stream, node: NodeAddress, clock: Deadline
) -> bool:
    context = unverified_context(node.trust.legacy, ssl.TLSVersion.TLSv1_2)
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, to_send, server_hostname=server_name(node))
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as refusal:
            theirs = "ALERT" in (refusal.reason or "")
            return theirs and tls.cipher() is not None
        else:
            return False
        data = await _exchange(stream, to_send.read(), node.name, clock)
        if not data:
            return tls.cipher() is not None
        received.write(data)


async def _exchange(stream: Stream, data: bytes, name: str, clock: Deadline) -> bytes:
    """Send and receive; nothing when the node has ended the connection."""
    with map_os_errors(name):
        async with clock.limit():
            try:
                stream.writer.write(data)
                await stream.writer.drain()
                return await stream.reader.read(_CHUNK)
            except ConnectionError:
                return b""
