"""One node of a simulated cluster: its ports, services, sessions and faults."""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import axl, controlcenter, soap
from .certificates import TlsIdentity, identity_at, new_key, server_context
from .database import TableRows
from .faults import Faults, LabFault, Setting
from .http import (
    Deliver,
    LabRequest,
    Response,
    ServerConnection,
    deliver_response,
    html_page,
)
from .http_faults import refusal_page
from .journal import JOURNAL, RecordedCall
from .listeners import CLOSED, close_listeners, open_listeners
from .pages import Site
from .pages.door import root_page
from .pages.skin import ROOT
from .pages.words import product_name
from .platform import ROOT as PLATFORM_ROOT
from .platform import LabCertificates
from .services import NOT_ACTIVATED, LabService
from .sessions import RestSessions, basic_credentials

if TYPE_CHECKING:
    import sqlite3

    from .cluster import LabCluster

Route = Callable[[LabRequest], Awaitable[Response]]
LARGE_BODY = 256 * 1024


class LabNode:
    """A publisher or subscriber on its own address, behind real ports."""

    def __init__(
        self, cluster: "LabCluster", number: int, address: str, ports: tuple[int, ...]
    ) -> None:
        self.cluster = cluster
        self.number = number
        self.address = self.bind_address = address
        self.axl_port, self.sip_port, self.sip_tls_port, self.sip_peer_tls_port = ports
        place = "pub" if number == 1 else f"sub{number - 1}"
        self.short_name = f"{cluster.name}-{place}"
        self.name: str = f"{self.short_name}.{cluster.domain}"
        self.faults: Faults = Faults(cluster.faults)
        self.calls: deque[RecordedCall] = deque(maxlen=JOURNAL)
        self.control_center_calls: list[float] = []
        self.connections: set[asyncio.Transport] = set()
        self.listening = CLOSED
        self.servers: list[asyncio.Server] = []
        self.datagrams: asyncio.DatagramTransport | None = None
        self.memory = 0
        self.replica: sqlite3.Connection | None = None
        self.sessions = RestSessions(cluster.credentials, cluster.domain)
        self.site = Site(self) if cluster.pages.skin else None
        self.pages_port = self.presence_port = 0
        self.services = self.load_services()
        self.certificate_path = cluster.directory / f"{self.short_name}.pem"
        key = cluster.lab.shared_key
        self.identity = identity_at(self.certificate_path, self.name, address, key)
        self.contexts: dict[tuple[str, bool], ssl.SSLContext] = {}
        self.certificates = LabCertificates(self)

    @cached_property
    def cup_identity(self) -> TlsIdentity:
        """Return the certificate of the SIP proxy, which is not the web server's."""
        path = self.cluster.directory / f"{self.short_name}-cup.pem"
        return identity_at(path, self.name, self.address, self.cluster.lab.shared_key)

    @property
    def has_presence(self) -> bool:
        """Return whether the SIP proxy serves the Presence Web Service."""
        option = self.cluster.lab.options.presence
        return option and self.cluster.generation != "cup7"

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
        return self.presented.fingerprint

    @property
    def presented_path(self) -> Path:
        """Return the file of the certificate that is presented now."""
        return self.presented.path

    @property
    def presented(self) -> TlsIdentity:
        """Return the web server's certificate, as the port shows it now."""
        setting = self.faults.get("tls")
        return self._identity(setting.value if setting else "")

    @property
    def latency(self) -> float:
        return self.faults.amount("latency") / 1000

    @property
    def sip_proxy(self) -> LabService:
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

    def query(self, sql: str) -> TableRows:
        """Carry out a query on the data as this node sees it."""
        return self.cluster.database.query(sql, self.follow())

    def set_fault(self, area: str, value: str) -> None:
        self.cluster.set_fault(area, value, self)

    def clear_faults(self, area: str | None = None) -> None:
        self.cluster.clear_faults(area, self)

    def renew_certificate(self) -> str:
        """Take a new certificate for good; return its fingerprint."""
        self.certificate_path.unlink()
        self.identity = identity_at(self.certificate_path, self.name, self.address)
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
        behaviour = CLOSED if self.is_down else setting.value if setting else ""
        if behaviour == self.listening:
            return
        self.listening = behaviour
        await close_listeners(self)
        if behaviour != CLOSED:
            await open_listeners(self, behaviour)

    async def answer(
        self, request: LabRequest, round_trips: int
    ) -> tuple[Response, Deliver]:
        """Answer one HTTP request, faults included."""
        area = _area(request.path)
        return await self.answer_in(
            area, partial(self._route, area), request, round_trips
        )

    async def answer_in(
        self, area: str, route: Route, request: LabRequest, round_trips: int
    ) -> tuple[Response, Deliver]:
        """Answer a request of one of the node's interfaces."""
        if self.latency:
            await asyncio.sleep(self.latency * round_trips)
        setting = self.faults.get(area) if area else None
        response = self._instead(request, setting) if setting else None
        if response is None:
            response = await route(request)
        if setting and setting.fault.stage == "rewrite" and _count_call(setting):
            _effect(setting.fault)(response, setting)
        self._note(request, response)
        if setting and setting.fault.stage == "deliver" and _count_call(setting):
            return response, _misdeliver(setting)
        return response, self._deliver

    def _instead(self, request: LabRequest, setting: Setting) -> Response | None:
        response: Response | None = None
        if setting.fault.stage == "answer":
            response = _effect(setting.fault)(request, setting)
        elif setting.fault.stage == "answer-axl":
            response = _effect(setting.fault)(self, request, setting)
        if response:
            _count_call(setting)
        return response

    async def _route(self, area: str, request: LabRequest) -> Response:
        if area == "axl":
            return await axl.answer_axl(self, request)
        if area == "control_center":
            return await controlcenter.answer_controlcenter(self, request)
        if area == "certificates":
            return await self.certificates.answer(request)
        if area == "pages" and self.site:
            return await self.site.answer(request)
        if request.path == "/":
            return self._root_page()
        return refusal_page(404, f"The requested resource ({request.path}) is unknown.")

    def _root_page(self) -> Response:
        if self.site is None:
            return html_page(200, "Cisco Unified Presence", self.name)
        recovers = bool(self.faults.get("page_sign_in", "sso-recovery"))
        return root_page(self.name, product_name(self.cluster.release), recovers)

    async def _deliver(self, connection: ServerConnection, response: Response) -> None:
        size = len(response.body) if len(response.body) > LARGE_BODY else 0
        self.memory += size
        try:
            await deliver_response(connection, response)
            while size and connection.transport:
                if not connection.transport.get_write_buffer_size():
                    break
                await asyncio.sleep(0.005)
        finally:
            self.memory -= size

    def _note(self, request: LabRequest, response: Response) -> None:
        operation, sql = "", ""
        if request.body and _area(request.path) in ("axl", "control_center"):
            try:
                read = soap.read_operation(request)
                operation, sql = read.name, read.text("sql") or ""
            except soap.Malformed:
                operation = "?"
        user = basic_credentials(request)[0] or "(session)"
        self.calls.append(
            RecordedCall(
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

    def _identity(self, kind: str) -> TlsIdentity:
        if kind not in ("changed", "expired", "legacy"):
            return self.identity
        path = Path(self.cluster.directory, f"{self.short_name}-{kind}.pem")
        key = new_key("1024") if kind == "legacy" and not path.exists() else None
        days = -1 if kind == "expired" else 1825
        return identity_at(path, self.name, self.address, key, days=days)

    def load_services(self) -> dict[str, LabService]:
        services = {k.name: LabService(k) for k in self.cluster.release.services}
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
            "pages_port": self.pages_port or None,
            "presence_port": self.presence_port or None,
            "presence_fingerprint": self.cup_identity.fingerprint
            if self.presence_port
            else None,
            "fingerprint": self.fingerprint,
        }


class NodeService:
    """A service of a node as tests hold it."""

    def __init__(self, node: LabNode, service: LabService) -> None:
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


def _outcome(service: LabService) -> tuple[str, int, float]:
    if service.pending:
        at, status = service.pending[-1]
        return status, -1 if status == "Started" else -1069, at
    return service.steady, service.reason, service.since


def _area(path: str) -> str:
    if path.split("?")[0] == axl.PATH:
        return "axl"
    if f"{path}/".startswith((ROOT, "/ssosp/")):
        return "pages"
    if path.startswith(PLATFORM_ROOT):
        return "certificates"
    return "control_center" if path.startswith("/controlcenterservice") else ""


def _count_call(setting: Setting) -> bool:
    if setting.remaining is not None:
        setting.remaining -= 1
    return True


def _effect(fault: LabFault) -> Callable[..., Any]:
    assert fault.effect is not None  # noqa: S101
    return fault.effect


def _misdeliver(setting: Setting) -> Deliver:
    effect: Callable[..., Awaitable[None]] = partial(
        _effect(setting.fault), setting=setting
    )
    return effect
