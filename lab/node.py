"""One node of a simulated cluster: its ports, services, sessions and faults."""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import axl, controlcenter, soap
from .certificates import Identity, identity, new_key, server_context
from .database import Rows
from .faults import Fault, Faults, Setting
from .http import Connection, Deliver, Request, Response, deliver, page
from .listeners import CLOSED, close_listeners, open_listeners
from .misbehaviour import refusal
from .services import NOT_ACTIVATED, Service
from .sessions import Sessions, basic_credentials

if TYPE_CHECKING:
    import sqlite3

    from .cluster import Cluster

JOURNAL = 2000
LARGE_BODY = 256 * 1024


@dataclass(frozen=True)
class Call:
    """One request that a node was asked, for the tests to look at."""

    path: str
    operation: str
    user: str
    sql: str
    status: int
    source: str
    headers: dict[str, str]
    time: float


class Node:
    """A publisher or subscriber on its own address, behind real ports."""

    def __init__(
        self, cluster: "Cluster", number: int, address: str, ports: tuple[int, ...]
    ) -> None:
        self.cluster = cluster
        self.number = number
        self.address = self.bind_address = address
        self.axl_port, self.sip_port, self.sip_tls_port, self.sip_peer_tls_port = ports
        place = "pub" if number == 1 else f"sub{number - 1}"
        self.short_name = f"{cluster.name}-{place}"
        self.name: str = f"{self.short_name}.{cluster.domain}"
        self.faults = Faults(cluster.faults)
        self.calls: deque[Call] = deque(maxlen=JOURNAL)
        self.control_center_calls: list[float] = []
        self.connections: set[asyncio.Transport] = set()
        self.listening = CLOSED
        self.servers: list[asyncio.Server] = []
        self.datagrams: asyncio.DatagramTransport | None = None
        self.memory = 0
        self.replica: sqlite3.Connection | None = None
        self.sessions = Sessions(cluster.credentials, cluster.domain)
        self.services = self.load_services()
        self.certificate_path = cluster.directory / f"{self.short_name}.pem"
        key = cluster.lab.shared_key
        self.identity = identity(self.certificate_path, self.name, address, key)
        self.contexts: dict[tuple[str, bool], ssl.SSLContext] = {}

    @property
    def is_publisher(self) -> bool:
        return self.number == 1

    @property
    def role(self) -> str:
        return "publisher" if self.is_publisher else "subscriber"

    @property
    def is_down(self) -> bool:
        return bool(self.faults.get("node", "down"))

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the certificate that is presented now."""
        return self._presented.fingerprint

    @property
    def presented_path(self) -> Path:
        """Return the file of the certificate that is presented now."""
        return self._presented.path

    @property
    def _presented(self) -> Identity:
        setting = self.faults.get("tls")
        return self._identity(setting.value if setting else "")

    @property
    def latency(self) -> float:
        return self.faults.amount("latency") / 1000

    @property
    def sip_proxy(self) -> Service:
        return self.services[self.cluster.release.sip_proxy]

    @property
    def legacy_style(self) -> str:
        """Return how legacy replies are written: as told, or by generation."""
        setting = self.faults.get("control_center")
        if setting and setting.value in ("multiref", "inline"):
            return setting.value
        return "multiref" if self.cluster.release.generation == "cup7" else "inline"

    def now(self) -> float:
        return time.time() + self.faults.amount("clock")

    def service(self, name: str) -> "NodeService":
        if name not in self.services:
            raise KeyError(f"{self.name} has no service {name}")
        return NodeService(self, self.services[name])

    def command(self, name: str, action: str) -> int:
        """Carry out a command of the Control Center; return its reason code."""
        stuck = bool(self.faults.take("control_center", "stuck"))
        duration = self.cluster.lab.options.service_delay
        code = self.services[name].command(action, duration, stuck)
        self.save_services()
        return code

    def query(self, sql: str) -> Rows:
        """Carry out a query on the data as this node sees it."""
        return self.cluster.database.query(sql, self.follow())

    def set_fault(self, area: str, value: str) -> None:
        self.cluster.set_fault(area, value, self)

    def clear_faults(self, area: str | None = None) -> None:
        self.cluster.clear_faults(area, self)

    def renew_certificate(self) -> str:
        """Take a new certificate for good; return its fingerprint."""
        self.certificate_path.unlink()
        self.identity = identity(self.certificate_path, self.name, self.address)
        self.contexts.clear()
        self.listening = "renewed"
        self.cluster.lab.apply(self.cluster)
        return self.identity.fingerprint

    def context(self, kind: str, mutual: bool) -> ssl.SSLContext:
        """Return the TLS context for a fault (empty for none) and a port."""
        if (kind, mutual) not in self.contexts:
            trusted = self.cluster.lab.trusted() if mutual else None
            self.contexts[kind, mutual] = server_context(
                self._identity(kind), trusted=trusted, legacy=kind == "legacy"
            )
        return self.contexts[kind, mutual]

    async def apply(self) -> None:
        """Make the listeners what the faults say."""
        setting = self.faults.get("tls")
        wanted = CLOSED if self.is_down else setting.value if setting else ""
        if wanted == self.listening:
            return
        self.listening = wanted
        await close_listeners(self)
        if wanted != CLOSED:
            await open_listeners(self, wanted)

    async def answer(
        self, request: Request, round_trips: int
    ) -> tuple[Response, Deliver]:
        """Answer one HTTP request, faults included."""
        if self.latency:
            await asyncio.sleep(self.latency * round_trips)
        area = _area(request.path)
        setting = self.faults.get(area) if area else None
        response = self._instead(request, setting) if setting else None
        if response is None:
            response = await self._route(request, area)
        if setting and setting.fault.stage == "rewrite" and _count(setting):
            _effect(setting.fault)(response, setting)
        self._note(request, response)
        if setting and setting.fault.stage == "deliver" and _count(setting):
            return response, _misdeliver(setting)
        return response, self._deliver

    def _instead(self, request: Request, setting: Setting) -> Response | None:
        response: Response | None = None
        if setting.fault.stage == "answer":
            response = _effect(setting.fault)(request, setting)
        elif setting.fault.stage == "answer-axl":
            response = _effect(setting.fault)(self, request, setting)
        if response:
            _count(setting)
        return response

    async def _route(self, request: Request, area: str) -> Response:
        if area == "axl":
            return await axl.answer(self, request)
        if area == "control_center":
            return await controlcenter.answer(self, request)
        if request.path == "/":
            return page(200, "Cisco Unified Presence", self.name)
        return refusal(404, f"The requested resource ({request.path}) is unknown.")

    async def _deliver(self, connection: Connection, response: Response) -> None:
        size = len(response.body) if len(response.body) > LARGE_BODY else 0
        self.memory += size
        try:
            await deliver(connection, response)
            while size and connection.transport:
                if not connection.transport.get_write_buffer_size():
                    break
                await asyncio.sleep(0.005)
        finally:
            self.memory -= size

    def _note(self, request: Request, response: Response) -> None:
        operation, sql = "", ""
        if request.body:
            try:
                read = soap.read(request)
                operation, sql = read.name, read.text("sql") or ""
            except soap.Malformed:
                operation = "?"
        user = basic_credentials(request)[0] or "(session)"
        self.calls.append(
            Call(
                request.path,
                operation,
                user,
                sql,
                response.status,
                request.source,
                request.headers,
                time.time(),
            )
        )

    def follow(self) -> "sqlite3.Connection | None":
        stale = not self.is_publisher and self.faults.get("replication", "stale")
        if stale and self.replica is None:
            self.replica = self.cluster.database.snapshot()
        elif not stale:
            self.clear_replica()
        return self.replica

    def clear_replica(self) -> None:
        if self.replica:
            self.replica.close()
            self.replica = None

    def _identity(self, kind: str) -> Identity:
        if kind not in ("changed", "expired", "legacy"):
            return self.identity
        path = Path(self.cluster.directory, f"{self.short_name}-{kind}.pem")
        key = new_key("1024") if kind == "legacy" and not path.exists() else None
        days = -1 if kind == "expired" else 1825
        return identity(path, self.name, self.address, key, days=days)

    def load_services(self) -> dict[str, Service]:
        services = {k.name: Service(k) for k in self.cluster.release.services}
        stored = self.cluster.database.execute(
            "SELECT name, status, reason, since FROM lab_service WHERE node = ?",
            self.short_name,
        )
        for name, status, reason, since in stored:
            if not (service := services.get(name)):
                continue
            service.steady, service.reason, service.since = status, reason, since
        if not stored and not self.is_publisher:
            reporter = services["Cisco Serviceability Reporter"]
            reporter.steady, reporter.reason = "Stopped", NOT_ACTIVATED
            services["Cisco DRF Master"].set("Stopped")
        return services

    def save_services(self) -> None:
        """Keep the states, those under way as what they lead to."""
        self.cluster.database.many(
            "INSERT OR REPLACE INTO lab_service VALUES (?, ?, ?, ?, ?)",
            [
                (self.short_name, s.name, *_outcome(s))
                for s in self.services.values()
                if s.changed or s.pending
            ],
        )

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "address": self.address,
            "role": self.role,
            "axl_port": self.axl_port,
            "sip_port": self.sip_port,
            "sip_tls_port": self.sip_tls_port,
            "sip_peer_tls_port": self.sip_peer_tls_port,
            "fingerprint": self.fingerprint,
        }


class NodeService:
    """A service of a node as tests hold it."""

    def __init__(self, node: Node, service: Service) -> None:
        self.node = node
        self.service = service

    @property
    def status(self) -> str:
        return self.service.status

    @property
    def is_started(self) -> bool:
        return self.service.is_started

    def set(self, status: str) -> None:
        """Put the service in a state at once, without a transition."""
        if status not in ("Started", "Stopped", "Starting", "Stopping"):
            raise ValueError(f"{status} is not a state of a service")
        self.service.set(status)
        self.node.save_services()


def _outcome(service: Service) -> tuple[str, int, float]:
    if service.pending:
        at, status = service.pending[-1]
        return status, -1 if status == "Started" else -1069, at
    return service.steady, service.reason, service.since


def _area(path: str) -> str:
    if path.split("?")[0] == axl.PATH:
        return "axl"
    return "control_center" if path.startswith("/controlcenterservice") else ""


def _count(setting: Setting) -> bool:
    if setting.remaining is not None:
        setting.remaining -= 1
    return True


def _effect(fault: Fault) -> Callable[..., Any]:
    assert fault.effect is not None  # noqa: S101
    return fault.effect


def _misdeliver(setting: Setting) -> Deliver:
    effect: Callable[..., Awaitable[None]] = partial(
        _effect(setting.fault), setting=setting
    )
    return effect
