"""The DNS server of the lab: A, PTR and SRV records of all nodes."""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset

if TYPE_CHECKING:
    from .faults import Faults
    from .lab import Lab
    from .node import LabNode

TTL = 60
MAX_DATAGRAM = 1232
SRV_PREFIXES = ("_sip._tcp.", "_sip._udp.", "_sips._tcp.", "")


class Unresolvable(Exception):
    """The name cannot be resolved now."""


class Zone:
    """The records of the lab, worked out from its nodes."""

    def __init__(self, lab: "Lab") -> None:
        self.lab = lab
        nodes: list[LabNode] = lab.nodes
        self.hosts = {f"{node.name}.".lower(): node for node in nodes}
        self.reverse = {
            dns.reversename.from_address(node.address).to_text(): node for node in nodes
        }

    def nodes_of_service(self, name: str) -> list["LabNode"]:
        """Return the nodes that an SRV name stands for, the publisher first."""
        for prefix in SRV_PREFIXES:
            for cluster in self.lab.clusters:
                if name == f"{prefix}{cluster.service_name}.":
                    return cluster.nodes
        return []

    def faults_of(self, name: str) -> "Faults":
        node = self.hosts.get(name) or self.reverse.get(name)
        if node:
            return node.faults
        nodes = self.nodes_of_service(name)
        return nodes[0].cluster.faults if nodes else self.lab.faults

    def records(self, name: str, kind: str) -> list[str]:
        """Return the data of the records of one name and kind."""
        if kind == "A" and name in self.hosts:
            return [self.hosts[name].address]
        if kind == "PTR" and name in self.reverse:
            return [f"{self.reverse[name].name}."]
        if kind == "SRV":
            # The order of records says nothing: priority and weight do.
            return [
                f"{1 if n.is_publisher else 2} {10 * n.number} "
                f"{self._port(name, n)} {n.name}."
                for n in sorted(self.nodes_of_service(name), key=lambda n: n.name)
            ]
        return []

    def exists(self, name: str) -> bool:
        return (
            name in self.hosts
            or name in self.reverse
            or bool(self.nodes_of_service(name))
            or name == f"{self.lab.options.domain}."
        )

    def _port(self, name: str, node: "LabNode") -> int:
        return node.sip_tls_port if name.startswith("_sips") else node.sip_port

    async def look_up(self, address: str) -> "LabNode":
        """Return the node that a peer address leads to, as the sync agent finds it."""
        name = f"{address.lower().rstrip('.')}."
        node = self.lab.node_at(address)
        if node is None:
            service = self.nodes_of_service(name)
            node = self.hosts.get(name) or (service[0] if service else None)
        if node is None:
            raise Unresolvable(address)
        if setting := node.faults.get("dns"):
            if setting.value == "slow":
                await asyncio.sleep(setting.number(3))
            else:
                raise Unresolvable(address)
        return node


class DnsServer:
    """Answers on one UDP and one TCP port."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.tasks: set[asyncio.Task[None]] = set()
        self.datagrams: asyncio.DatagramTransport | None = None
        self.server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        self.server = await asyncio.start_server(self._stream, host, port)
        port = self.server.sockets[0].getsockname()[1]
        self.datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _DnsDatagrams(self), (host, port)
        )
        return port

    async def close(self) -> None:
        if self.datagrams:
            self.datagrams.close()
        if self.server:
            self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def start(self, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await work()

        task = asyncio.get_running_loop().create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def answer(self, wire: bytes, limit: int) -> bytes | None:
        """Return the answer to a message; None where there is to be none."""
        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return None
        if not query.question:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        question = query.question[0]
        name = question.name.to_text().lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        if not await self._misbehave(response, name, kind):
            return None
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()

    async def _misbehave(
        self, response: dns.message.Message, name: str, kind: str
    ) -> bool:
        setting = self.zone.faults_of(name).take("dns")
        value = setting.value if setting else ""
        if value == "silent":
            return False
        if setting and value == "slow":
            await asyncio.sleep(setting.number(3))
        if value == "servfail":
            response.set_rcode(dns.rcode.SERVFAIL)
        elif value == "nxdomain" or (value == "no-ptr" and kind == "PTR"):
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            self._fill(response, name, kind)
        return True

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        records = self.zone.records(name, kind)
        if records:
            question = response.question[0].name
            response.answer.append(
                dns.rrset.from_text(question, TTL, "IN", kind, *records)
            )
        elif not self.zone.exists(name):
            response.set_rcode(dns.rcode.NXDOMAIN)

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                answer = await self.answer(await reader.readexactly(size), 65535)
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        writer.close()


class _DnsDatagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        async def work() -> None:
            answer = await self.server.answer(data, MAX_DATAGRAM)
            if answer and not self.transport.is_closing():
                self.transport.sendto(answer, addr)

        self.server.start(work)
