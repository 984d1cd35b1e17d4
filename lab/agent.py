"""The Intercluster Sync Agent: carries users between clusters over AXL."""

import asyncio
import base64
import contextlib
import random
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from . import soap
from .certificates import trusting_context
from .dns import Unresolvable

if TYPE_CHECKING:
    from .cluster import LabCluster
    from .node import LabNode

PROBE = "SELECT count(*) from processnode WHERE systemnode='f' and tknodeusage= 0"
USERS = (
    "SELECT SKIP {skip} FIRST {first} eu.userid, eu.imaddress, eu.directoryuri, "
    "eu.mailid, {number} en.name nodename from enduser eu, enterprisenode en "
    "WHERE eu.primarynodeid = en.id and eu.tkuserprofile = 1 ORDER BY eu.pkid"
)
PAGE = 10_000
# Not the module's own: tests in the same process seed that one and watch it.
CHANCE = random.Random()
CONCURRENT = 4
COPY_COLUMNS: tuple[str, ...] = (
    "userid",
    "imaddress",
    "directoryuri",
    "mailid",
    "primarynodeid",
    "tkuserprofile",
    "enablecups",
)
REMOTE_PROFILE = 100
FIRST_REMOTE_NODE = 2801


class SyncFailed(Exception):
    """A peer could not be synchronised, for the reason given."""


@dataclass(frozen=True)
class LabPeerEntry:
    """One row of a cluster's peer table."""

    pkid: str
    address: str
    username: str
    password: str
    protocol: str
    mask: str = ""


class LabAgent:
    """The agent of one cluster; its publisher does the work."""

    def __init__(self, cluster: "LabCluster") -> None:
        self.cluster = cluster
        self.carried: dict[str, tuple[int, str]] = {}
        self.status: dict[str, str] = {}
        self.completed: dict[str, float] = {}
        # By peer address: the certificates of the remote nodes as last exchanged.
        self.exchanged: dict[str, dict[str, str]] = {}
        # The same with all of their services, as the trust lists hold them: PEM.
        self.trusts: dict[str, list[tuple[str, str, str]]] = {}
        self.context: ssl.SSLContext | None = None
        self.probed: dict[LabPeerEntry, tuple[float, Any]] = {}
        self.turn = asyncio.Semaphore(CONCURRENT)

    async def run(self, interval: float) -> None:
        """Synchronise again and again until cancelled."""
        await asyncio.sleep(CHANCE.random() * interval / 4)
        while True:
            if self._works(self.cluster):
                await self.synchronise()
            await asyncio.sleep(interval)

    async def synchronise(self) -> None:
        """Carry out one cycle: every peer, then what belongs to no peer any more."""
        peers = self.cluster.peers()
        self.probed = {p: at for p, at in self.probed.items() if p in set(peers)}
        results = await asyncio.gather(
            *(self._peer(peer) for peer in peers), return_exceptions=True
        )
        for peer, result in zip(peers, results, strict=True):
            self.status[peer.address] = str(result) if result else "Completed"
            if result:
                self.probed.pop(peer, None)
            else:
                self._note_completed(peer.address)
        self._clean_up(peers)

    def _note_completed(self, address: str) -> None:
        self.completed[address] = time.time()
        if address not in self.exchanged:
            self.exchange_certificates(address)

    def exchange_certificates(self, address: str) -> None:
        """Take the certificates that the nodes of a peer present now."""
        if remote := self.cluster.lab.cluster_at(address):
            self.exchanged[address] = {n.name: n.fingerprint for n in remote.nodes}
            self.trusts[address] = [
                (service, node.name, one.pem)
                for node in remote.nodes
                for service, one in node.certificates.identities().items()
            ]

    def synchronise_again(self, address: str) -> None:
        """Make the next cycle carry a peer's users whether they changed or not."""
        if remote := self.cluster.lab.cluster_at(address):
            self.carried.pop(remote.name, None)
        self.probed = {p: at for p, at in self.probed.items() if p.address != address}

    async def _peer(self, peer: LabPeerEntry) -> None:
        if self._is_up_to_date(peer):
            return
        try:
            async with self.turn:
                async with asyncio.timeout(self.cluster.lab.options.agent_timeout):
                    node = await self.cluster.lab.zone.look_up(peer.address)
                remote = node.cluster
                if remote is self.cluster:
                    raise SyncFailed("the peer is this cluster itself")
                rows = await self._fetch(peer, node)
        except (OSError, TimeoutError, Unresolvable, EOFError) as error:
            raise SyncFailed(f"Not reachable ({type(error).__name__})") from None
        if rows is None:
            return
        if peer in self.cluster.peers():
            self._replace(remote, rows)
        else:
            # Not carried after all; the entry may come back before the users change.
            self.carried.pop(remote.name, None)

    def _is_up_to_date(self, peer: LabPeerEntry) -> bool:
        """Tell whether nothing can have changed since a probe not long ago.

        The remote side's notice of a change is taken from its counters.
        """
        remote = self.cluster.lab.cluster_at(peer.address)
        known = self.probed.get(peer)
        if remote is None or known is None:
            return False
        period = self.cluster.lab.options.probe_period
        fresh = asyncio.get_running_loop().time() - known[0] < period
        return fresh and known[1] == self._state_of(remote)

    def _state_of(self, remote: "LabCluster") -> tuple[Any, ...]:
        return (
            remote.database.users_revision,
            self._skipped(),
            self._works(remote),
            remote.peer_to(self.cluster),
            tuple(remote.credentials.values()),
            remote.publisher.faults.get("axl"),
            remote.publisher.faults.get("dns"),
        )

    async def _fetch(
        self, peer: LabPeerEntry, node: "LabNode"
    ) -> list[tuple[str | None, ...]] | None:
        """Return the remote users, or None when nothing has changed since."""
        await self._ask(peer, node, PROBE)
        remote = node.cluster
        self._agree(peer, remote)
        skip = self._skipped()
        key = (remote.database.users_revision, skip)
        self.probed[peer] = (
            asyncio.get_running_loop().time(),
            self._state_of(remote),
        )
        if self.carried.get(remote.name) == key or self._is_frozen():
            return None
        rows: list[tuple[str | None, ...]] = []
        number = "eu.telephonenumber," if remote.database.has_telephone else ""
        while len(rows) % PAGE == 0:
            sql = USERS.format(skip=len(rows), first=PAGE, number=number)
            page = await self._ask(peer, node, sql)
            if not page:
                break
            rows += page
        self.carried[remote.name] = key
        count = len(rows) - int(skip or 0)
        return rows[: max(count, 0)]

    def _skipped(self) -> str:
        setting = self.cluster.faults.get("agent", "skip")
        return str(int(setting.number(1))) if setting else ""

    def _is_frozen(self) -> bool:
        return bool(self.cluster.faults.get("agent", "frozen"))

    def _works(self, cluster: "LabCluster") -> bool:
        publisher = cluster.publisher
        if publisher.is_down or cluster.faults.get("agent", "frozen"):
            return False
        return publisher.service(cluster.release.sync_agent).is_started

    def _agree(self, peer: LabPeerEntry, remote: "LabCluster") -> None:
        """Check what both sides must have in common before users are carried."""
        if not self._works(remote):
            raise SyncFailed("the remote sync agent is not started")
        back = remote.peer_to(self.cluster)
        if back is None:
            raise SyncFailed("the remote cluster has no entry for this one")
        if back.protocol != peer.protocol:
            raise SyncFailed("the preferred protocols differ")

    async def _ask(
        self, peer: LabPeerEntry, node: "LabNode", sql: str
    ) -> list[tuple[str | None, ...]]:
        schema = min(node.cluster.release.schemas, key=lambda s: abs(float(s) - 8))
        body = soap.soap_envelope(
            f'<ns:executeSQLQuery xmlns:ns="http://www.cisco.com/AXL/API/{schema}" '
            f'sequence="{CHANCE.randrange(2**40)}"><sql>{soap.escape(sql)}</sql>'
            "</ns:executeSQLQuery>"
        )
        credentials = f"{peer.username}:{peer.password}".encode()
        head = (
            f"POST /axl/ HTTP/1.1\r\nHost: {node.name}:{node.axl_port}\r\n"
            f"Authorization: Basic {base64.b64encode(credentials).decode()}\r\n"
            f'SOAPAction: "CUCM:DB ver={schema} executeSQLQuery"\r\n'
            "Content-Type: text/xml; charset=utf-8\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return _rows(await self._exchange(node, head.encode() + body))

    async def _exchange(self, node: "LabNode", request: bytes) -> bytes:
        self.context = self.context or trusting_context()
        own = self.cluster.publisher.bind_address
        async with asyncio.timeout(self.cluster.lab.options.agent_timeout):
            reader, writer = await asyncio.open_connection(
                node.bind_address, node.axl_port, ssl=self.context, local_addr=(own, 0)
            )
            try:
                writer.write(request)
                return await reader.read()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    def _replace(self, remote: "LabCluster", rows: list[tuple[Any, ...]]) -> None:
        """Put a remote cluster's users in the place of those carried before."""
        database = self.cluster.database
        columns = COPY_COLUMNS
        if self._carries_numbers(rows):
            columns += ("telephonenumber",)
        with database.lock:
            ids = self._remote_nodes(remote, {row[-1] for row in rows})
            self._delete_copies(remote.name)
            copies = [
                (*row[:4], ids[row[-1]], REMOTE_PROFILE, "f", row[4]) for row in rows
            ]
            common = len(columns)
            database.insert("enduser", columns, [copy[:common] for copy in copies])

    def _carries_numbers(self, rows: list[tuple[Any, ...]]) -> bool:
        has_column = self.cluster.database.has_telephone
        return has_column and bool(rows) and len(rows[0]) == 6

    def _remote_nodes(self, remote: "LabCluster", used: set[str]) -> dict[str, int]:
        database = self.cluster.database
        for name in sorted(used | {n.name for n in remote.nodes}):
            database.execute(
                "INSERT OR IGNORE INTO enterprisenode (id, name, isprimary) "
                "VALUES ((SELECT max(max(id) + 1, ?) FROM enterprisenode), ?, 'f')",
                FIRST_REMOTE_NODE,
                name,
            )
            database.execute(
                "INSERT OR REPLACE INTO lab_setting VALUES (?, ?)",
                f"remote {name}",
                remote.name,
            )
        rows = database.execute("SELECT name, id FROM enterprisenode")
        return {str(name): int(number) for name, number in rows}

    def _delete_copies(self, remote: str) -> None:
        self.cluster.database.execute(
            "DELETE FROM enduser WHERE tkuserprofile = ? AND primarynodeid IN "
            "(SELECT id FROM enterprisenode JOIN lab_setting s "
            "ON s.name = 'remote ' || enterprisenode.name WHERE s.value = ?)",
            REMOTE_PROFILE,
            remote,
        )

    def _clean_up(self, peers: list[LabPeerEntry]) -> None:
        """Take away what was carried from clusters that are peers no more."""
        known_addresses = {peer.address for peer in peers}
        for memory in (self.status, self.completed, self.exchanged, self.trusts):
            for address in set(memory) - known_addresses:
                del memory[address]
        if self.cluster.faults.get("agent", "leftovers"):
            return
        desired = {c.name for c in self.cluster.remote_clusters(peers)}
        known = self.cluster.database.execute(
            "SELECT DISTINCT value FROM lab_setting WHERE name LIKE 'remote %'"
        )
        for (name,) in known:
            if name not in desired:
                self._forget(name)

    def _forget(self, remote: str) -> None:
        database = self.cluster.database
        with database.lock:
            self._delete_copies(remote)
            database.execute(
                "DELETE FROM enterprisenode WHERE 'remote ' || name IN "
                "(SELECT name FROM lab_setting WHERE value = ?)",
                remote,
            )
            database.execute(
                "DELETE FROM lab_setting WHERE name LIKE 'remote %' AND value = ?",
                remote,
            )
        self.carried.pop(remote, None)


def _rows(reply: bytes) -> list[tuple[str | None, ...]]:
    """Return the rows in an HTTP reply, which was read to its end."""
    head, _, body = reply.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise SyncFailed(f"Not reachable (HTTP status {status})")
    if b"Transfer-Encoding: chunked" in head:
        body = _unchunk(body)
    try:
        root = etree.fromstring(body, etree.XMLParser(huge_tree=True, recover=True))
    except etree.XMLSyntaxError:
        raise SyncFailed("Not reachable (the reply is not SOAP)") from None
    if root is None:
        raise SyncFailed("Not reachable (the reply is empty)")
    return [tuple(column.text for column in row) for row in root.iter("row")]


def _unchunk(body: bytes) -> bytes:
    parts: list[bytes] = []
    start = 0
    while (line := body.find(b"\r\n", start)) >= 0:
        size = int(body[start:line], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[line + 2 : line + 2 + size])
        start = line + 4 + size
    raise SyncFailed("Not reachable (the reply was cut)")
