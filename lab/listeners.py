"""The ports of a node: who accepts, and what happens before the first byte."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from .http import Connection
from .misbehaviour import reset_transport
from .sip import Datagrams, Stream
from .tls import Secured

if TYPE_CHECKING:
    from .node import Node

BACKLOG = 1024
CLOSED = "down"
Speak = Callable[[], asyncio.Protocol]


class Mute(asyncio.Protocol):
    """Accepts a connection and says nothing, or resets it."""

    def __init__(self, node: "Node", reset: bool) -> None:
        self.node = node
        self.reset = reset

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.node.connections.add(self.transport)
        if self.reset:
            reset_transport(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.node.connections.discard(self.transport)


async def open_listeners(node: "Node", kind: str) -> None:
    """Open every port of a node, the TLS ones as a `tls` fault asks for."""
    await _listen(node, node.axl_port, lambda: Connection(node), kind)
    if not node.cluster.lab.options.sip:
        return
    await _listen(node, node.sip_port, lambda: Stream(node), "plain")
    await _listen(node, node.sip_tls_port, lambda: Stream(node), kind)
    await _listen(node, node.sip_peer_tls_port, lambda: Stream(node), kind, True)
    node.datagrams, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Datagrams(node), (node.bind_address, node.sip_port)
    )


async def _listen(
    node: "Node", port: int, speak: Speak, kind: str, mutual: bool = False
) -> None:
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


async def close_listeners(node: "Node") -> None:
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
