"""A DNS server for what the lab's does not say: each question is answered as told."""

import asyncio
import ipaddress
import struct
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from wire import Policy

Script = Callable[[str, str], object]
RCODES = ("SERVFAIL", "REFUSED", "NOTIMP", "NXDOMAIN", "FORMERR")


def zone(records: dict[tuple[str, str], object], otherwise: object = ()) -> Script:
    """Answer by name and kind: records, an rcode, or one of the ways below.

    drop: nothing. lame: a referral. wrong-id: another id first. long: cut over UDP.
    """
    return lambda name, kind: records.get((name, kind), otherwise)


class DnsServer:
    """Keeps what it was asked: kind, name and whether over TCP."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.queries: list[tuple[str, str]] = []
        self.over_tcp = 0

    async def __aenter__(self) -> "DnsServer":
        self._tcp = await asyncio.start_server(self._stream, "127.0.0.1", 0)
        self.port = self._tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), ("127.0.0.1", self.port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answers(self, data: bytes, *, tcp: bool = False) -> list[bytes]:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = str(question.name).rstrip("."), question.rdtype.name
        self.queries.append((name, kind))
        self.over_tcp += tcp
        said = self.script(name, kind)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        ways = [said] if isinstance(said, str) else list(said)
        if "drop" in ways:
            return []
        if "lame" in ways:
            reply.flags &= ~dns.flags.RA
        for rcode in set(ways) & set(RCODES):
            reply.set_rcode(dns.rcode.from_text(rcode))
        for way in ways:
            if " " in way:
                reply.answer.append(dns.rrset.from_text(*way.split(" ", 4)))
        if "long" in ways and not tcp:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
        wire = reply.to_wire()
        other = bytes([wire[0] ^ 255, wire[1]]) + wire[2:]
        return [other, wire] if "wrong-id" in ways else [wire]

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        for wire in self.answers(await reader.readexactly(size), tcp=True):
            writer.write(struct.pack("!H", len(wire)) + wire)
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for wire in self.server.answers(data):
            self.transport.sendto(wire, addr)


def policy_of(*servers: DnsServer | str) -> Policy:
    return Policy(
        networks=(
            ipaddress.ip_network("192.0.2.0/24"),
            ipaddress.ip_network("2001:db8::/32"),
        ),
        dns_servers=tuple(s if isinstance(s, str) else s.address for s in servers),
    )
