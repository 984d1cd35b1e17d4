"""The ports of a node: who accepts, and what happens before the first byte."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from .certificates import server_context
from .http import ServerConnection
from .http_faults import reset_transport
from .presence import PORT as PRESENCE_PORT
from .presence import PresenceConnection, PresencePort
from .sip import Datagrams, SipStream
from .tls import Secured

if TYPE_CHECKING:
    from .node import LabNode

BACKLOG = 1024
PAGES_PORT = 443
CLOSED = "down"
Speak = Callable[[], asyncio.Protocol]


class Mute(asyncio.Protocol):
    """Accepts a connection and says nothing, or resets it."""

    def __init__(self, node: "LabNode", reset: bool) -> None:
        self.node = node
        self.reset = reset

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.node.connections.add(self.transport)
        if self.reset:
            reset_transport(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.node.connections.discard(self.transport)


async def open_listeners(node: "LabNode", kind: str) -> None:
    """Open every port of a node, the TLS ones as a `tls` fault asks for."""
    await _listen(node, node.axl_port, lambda: ServerConnection(node), kind)
    if node.site or node.cluster.release.shows_certificates:
        await _listen_for_pages(node, kind)
    if node.has_presence:
        await _listen_for_presence(node, kind)
    if not node.cluster.lab.options.sip:
        return
    await _listen(node, node.sip_port, lambda: SipStream(node), "plain")
    await _listen(node, node.sip_tls_port, lambda: SipStream(node), kind)
    await _listen(node, node.sip_peer_tls_port, lambda: SipStream(node), kind, True)
    node.datagrams, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Datagrams(node), (node.bind_address, node.sip_port)
    )


async def _listen(
    node: "LabNode", port: int, speak: Speak, kind: str, mutual: bool = False
) -> int:
    """Open a port, any that is free for 0; return which."""
    context: ssl.SSLContext | None = None
    accept = speak
    if kind in ("stall", "reset"):
        accept = partial(Mute, node, kind == "reset")
    elif mutual or kind == "legacy":
        accept = partial(Secured, partial(node.context, kind, mutual), speak)
    elif kind != "plain":
        context = node.context(kind, mutual)
    server = await asyncio.get_running_loop().create_server(
        accept, node.bind_address, port, ssl=context, backlog=BACKLOG
    )
    node.servers.append(server)
    return int(server.sockets[0].getsockname()[1])


async def _listen_for_pages(node: "LabNode", kind: str) -> None:
    """Take the usual port where the node's address is its own and this process may."""
    usual = 0 if node.cluster.lab.options.single_address else PAGES_PORT
    for port in (node.pages_port or usual, 0):
        with contextlib.suppress(OSError):
            node.pages_port = await _listen(
                node, port, lambda: ServerConnection(node), kind
            )
            return
    raise OSError(f"no port for the pages of {node.name} is free")


async def _listen_for_presence(node: "LabNode", kind: str) -> None:
    """Open the port of the Presence Web Service, which has its own certificate."""
    usual = 0 if node.cluster.lab.options.single_address else PRESENCE_PORT
    server = await asyncio.get_running_loop().create_server(
        lambda: PresenceConnection(PresencePort(node)),
        node.bind_address,
        node.presence_port or usual,
        ssl=server_context(node.cup_identity),
        backlog=BACKLOG,
    )
    node.servers.append(server)
    node.presence_port = int(server.sockets[0].getsockname()[1])


async def close_listeners(node: "LabNode") -> None:
    """Close every port of a node and cut what is connected."""
    for server in node.servers:
        server.close()
    node.servers.clear()
    if node.datagrams:
        node.datagrams.close()
        node.datagrams = None
    for transport in list(node.connections):
        with contextlib.suppress(OSError, RuntimeError):
            transport.abort()
    node.connections.clear()
