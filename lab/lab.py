"""The lab: clusters, DNS server and sync agents on one event loop in one thread."""

import asyncio
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Any

from . import control, data_faults, decoys, pages
from .addresses import Place
from .certificates import Key, new_key
from .cluster import LabCluster
from .dns import DnsServer, Zone
from .faults import Faults
from .listeners import close_listeners
from .node import LabNode
from .peer_table import LabPeerTable, peer_table
from .releases import release

DNS_PORT = 5353
USERS = (120, 85, 240, 60, 150)


@dataclass(frozen=True)
class Options:
    """How a lab is made; see `python -m lab --help`."""

    clusters: int = 3
    nodes: int = 2
    users: tuple[int, ...] = USERS
    network: str = "127.20"
    generation: tuple[str, ...] = ("cup8", "imp")
    versions: tuple[str, ...] = ()
    state: Path | None = None
    domain: str = "lab.example"
    peer_tables: tuple[LabPeerTable, ...] = ()
    forms: str | tuple[str, ...] = ("published",)
    pages: str | tuple[str, ...] = ()
    decoys: bool = False
    peered: bool = False
    service_delay: float = 1.0
    agent_interval: float | None = None
    agent_timeout: float = 5.0
    single_address: bool = not sys.platform.startswith("linux")
    sip: bool = True
    presence: bool = False
    dns: bool = True
    shared_key: bool = False

    @property
    def interval(self) -> float:
        """Return the agents' interval: a second, more where the clusters are many."""
        return self.agent_interval or max(1.0, self.clusters / 20)

    @property
    def probe_period(self) -> float:
        """Return how long a peer is not asked again while no change is known."""
        return 0.0 if self.clusters <= 10 else self.clusters**2 / 40


def _tuple(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str | int | float | LabPeerTable):
        return (value,)
    return tuple(value or ())


class Lab:
    """Simulated clusters, as a context manager; every method may be called from
    any thread."""

    def __init__(
        self,
        clusters: int = 3,
        nodes: int = 2,
        users: int | Sequence[int] = USERS,
        network: str = "127.20",
        generation: str | Sequence[str] = ("cup8", "imp"),
        state: str | os.PathLike[str] | None = None,
        *,
        versions: str | Sequence[str] = (),
        peer_table: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None = None,
        **more: Any,
    ) -> None:
        tables = [peer_table] if isinstance(peer_table, Mapping) else peer_table
        self.options = Options(
            clusters,
            nodes,
            _tuple(users),
            network,
            _tuple(generation),
            _tuple(versions),
            Path(state) if state else None,
            peer_tables=tuple(LabPeerTable(**t) for t in tables or ()),
            **more,
        )
        self.place = Place(
            self.options.network, self.options.single_address, clusters * nodes
        )
        self.faults = Faults()
        self.undo: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
        self.clusters: list[LabCluster] = []
        self.shared_key: Key | None = new_key() if self.options.shared_key else None
        self.loop = _new_loop()
        self.thread: threading.Thread | None = None
        self.dns_address = ""
        self.control_address = ""
        self.control_token = ""
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.directory = self.options.state or self._temporary_directory()

    def _temporary_directory(self) -> Path:
        self._temporary = tempfile.TemporaryDirectory(prefix="lab-")
        return Path(self._temporary.name)

    def __enter__(self) -> "Lab":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything; returns when every port is open."""
        self.thread = threading.Thread(target=self._run, name="lab", daemon=True)
        self.thread.start()
        try:
            self._wait(self._start())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, leaving nothing."""
        if self.thread is None:
            return
        self._wait(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.thread = None
        self.place.leave()
        for cluster in self.clusters:
            for node in cluster.nodes:
                node.save_services()
                node.clear_replica()
            cluster.database.close()
        if self._temporary:
            self._temporary.cleanup()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.set_exception_handler(_ignore_broken_connections)
        self.loop.run_forever()
        self.loop.close()

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def _start(self) -> None:
        for number in range(1, self.options.clusters + 1):
            self.clusters.append(self._new_cluster(number))
        self.zone = Zone(self)
        self._furnish()
        for node in self.nodes:
            await node.apply()
        self.dns_server = DnsServer(self.zone)
        if self.options.dns:
            await self._start_dns()
        self.control = control.ControlServer(self)
        self.control_address = await self.control.open()
        self.agents = [
            self.loop.create_task(c.agent.run(self.options.interval))
            for c in self.clusters
        ]

    async def _start_dns(self) -> None:
        single = self.options.single_address
        host = "127.0.0.1" if single else f"{self.place.network}.0.53"
        port = await self.dns_server.open(host, 0 if single else DNS_PORT)
        self.dns_address = f"{host}:{port}"

    async def _stop(self) -> None:
        for task in getattr(self, "agents", []):
            task.cancel()
        if hasattr(self, "control"):
            await self.control.close()
        if hasattr(self, "dns_server"):
            await self.dns_server.close()
        for node in self.nodes:
            await close_listeners(node)
        pending = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        # A turn for the transports to close their sockets.
        await asyncio.sleep(0.01)

    def _new_cluster(self, number: int) -> LabCluster:
        options = self.options
        index = number - 1
        generation = options.generation[index % len(options.generation)]
        version = (
            options.versions[index % len(options.versions)]
            if (options.versions)
            else None
        )
        cluster = LabCluster(
            self,
            number,
            release(generation, version),
            self._peer_table(index),
            self._pages(index),
        )
        for place in range(1, options.nodes + 1):
            address, ports = self.place.of(number, place, options.nodes)
            cluster.nodes.append(LabNode(cluster, place, address, ports))
        cluster.populate(options.users[index % len(options.users)])
        return cluster

    def _pages(self, index: int) -> str:
        """Return the markup of a cluster's pages; empty when it has none."""
        skins = _tuple(self.options.pages)
        return pages.check_skin(skins[index % len(skins)]) if skins else ""

    def _peer_table(self, index: int) -> LabPeerTable:
        given, forms = self.options.peer_tables, _tuple(self.options.forms)
        if given:
            return given[index % len(given)]
        return peer_table(forms[index % len(forms)], index)

    def _furnish(self) -> None:
        """Put in place what takes all clusters: peerings and decoys."""
        pairs = combinations(self.clusters, 2) if self.options.peered else ()
        for home, remote in pairs:
            if home.database.is_new and remote.database.is_new:
                home.peer_with(remote)
        for cluster in self.clusters if self.options.decoys else ():
            decoys.create_decoys(cluster)

    def later(self, work: Callable[[], None]) -> None:
        """Do something in the next turn of the loop; from any thread."""
        self.loop.call_soon_threadsafe(work)

    def availability_changed(self) -> None:
        """Notify the watchers of all clusters of what is new for them."""
        for cluster in self.clusters:
            for watch in list(cluster.proxy.subscriptions.values()):
                self.later(watch.refresh)

    @property
    def nodes(self) -> list[LabNode]:
        return [node for cluster in self.clusters for node in cluster.nodes]

    def cluster(self, name: str) -> LabCluster:
        """Return the cluster of a name."""
        for cluster in self.clusters:
            if name in (cluster.name, cluster.service_name):
                return cluster
        raise KeyError(f"there is no cluster {name}")

    def node(self, name: str) -> LabNode:
        """Return the node of a name, short or full, or of an address."""
        for node in self.nodes:
            if name in (node.short_name, node.name, node.address):
                return node
        raise KeyError(f"there is no node {name}")

    def node_at(self, address: str) -> LabNode | None:
        """Return the node with an IP address, where each has its own."""
        if self.options.single_address:
            return None
        by_address = getattr(self, "_by_address", None)
        if by_address is None:
            by_address = {node.address: node for node in self.nodes}
            self._by_address: dict[str, LabNode] = by_address
        return by_address.get(address)

    def cluster_at(self, address: str) -> LabCluster | None:
        """Return the cluster that a peer address names, whatever the DNS says."""
        node = self.node_at(address)
        if node is None:
            name = f"{address.lower().rstrip('.')}."
            services = self.zone.nodes_of_service(name)
            node = self.zone.hosts.get(name) or (services[0] if services else None)
        return node.cluster if node else None

    def trusted(self) -> list[Path]:
        """Return the certificates that the mutual TLS ports accept."""
        return [node.certificate_path for node in self.nodes[:200]]

    def set_fault(self, area: str, value: str) -> None:
        """Set a fault on the whole lab; wrong data is set on each cluster."""
        if area in data_faults.AREAS:
            for cluster in self.clusters:
                cluster.set_fault(area, value)
            return
        self.faults.set(area, value)
        for cluster in self.clusters:
            self.apply(cluster)

    def clear_faults(self, area: str | None = None) -> None:
        """Clear every fault, or those of one area."""
        self.faults.clear(area)
        for cluster in self.clusters:
            cluster.clear_faults(area)

    def apply(self, cluster: LabCluster) -> None:
        """Open and close listeners as the faults say; waits unless on the loop."""

        async def work() -> None:
            for node in cluster.nodes:
                await node.apply()

        if threading.current_thread() is self.thread:
            self._applying = self.loop.create_task(work())
        else:
            self._wait(work())

    def describe(self) -> dict[str, Any]:
        """Return what a client has to know, as it is written to lab.json."""
        return {
            "control": self.control_address,
            "control_token": self.control_token,
            "dns": self.dns_address,
            "clusters": [cluster.describe() for cluster in self.clusters],
        }

    def write_description(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(self.describe(), indent=2) + "\n")
        part.replace(path)


def _ignore_broken_connections(
    loop: asyncio.AbstractEventLoop, context: dict[str, Any]
) -> None:
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
