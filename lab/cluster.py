"""One simulated cluster: its nodes, database, users and peers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import data_faults, platform, presence, sip_presence, topology_tables
from .agent import LabAgent, LabPeerEntry
from .availability import LabAvailability
from .database import LabDatabase
from .faults import Faults
from .node import LabNode
from .pages import Pages
from .peer_table import PEER_FIELDS, LabPeerTable
from .releases import LabRelease
from .releases import release as release_of
from .sample_users import (
    USER_COLUMNS,
    SamplePerson,
    employees_of,
    person_at,
    pkid_of,
)
from .sessions import FULL, NONE, READ_ONLY

if TYPE_CHECKING:
    from .lab import Lab


class LabCluster:
    """A cluster of nodes that share one database."""

    def __init__(
        self,
        lab: "Lab",
        number: int,
        release: LabRelease,
        peer_table: LabPeerTable,
        pages: str = "",
    ) -> None:
        self.lab = lab
        self.number = number
        self.name = f"cup{number}"
        self.domain = lab.options.domain
        self.service_name = f"{self.name}.{self.domain}"
        self.directory: Path = lab.directory / self.name
        self.directory.mkdir(parents=True, exist_ok=True)
        stored = self.directory / "database.sqlite"
        path = str(stored) if lab.options.state else ":memory:"
        self.database = LabDatabase(path, release, peer_table)
        self.credentials: dict[str, tuple[str, str]] = {
            name: (password, role)
            for name, password, role in self.database.execute(
                "SELECT name, password, role FROM lab_credential"
            )
        }
        self.release = self._kept_release() or release
        self.faults = Faults(lab.faults)
        self.axl_username = "axladmin"
        self.axl_password = self._password("axladmin", "axl")
        self.intercluster_username = "intercluster"
        self.intercluster_password = self._password("intercluster", "intercluster")
        self.user_password = "lab-user"
        self.pages = Pages(self, pages)
        self.nodes: list[LabNode] = []
        self.remembered: dict[str, tuple[int, Any]] = {}
        self.agent = LabAgent(self)
        self.availability = LabAvailability(self)
        self.presence = presence.LabPresence(self)
        self.proxy = sip_presence.Proxy(self)

    def _password(self, account: str, what: str) -> str:
        stored = self.credentials.get(account)
        return stored[0] if stored else f"{self.name}-{what}-secret"

    @property
    def generation(self) -> str:
        return self.release.generation

    @property
    def publisher(self) -> LabNode:
        return self.nodes[0]

    @property
    def subscribers(self) -> list[LabNode]:
        return self.nodes[1:]

    @property
    def local_users(self) -> int:
        count = self._remembered("users", self._count_local_users)
        return int(count)

    def _count_local_users(self) -> int:
        sql = "SELECT count(*) FROM enduser WHERE tkuserprofile = 1"
        return int(self.database.value(sql))

    def _remembered(self, name: str, work: Callable[[], Any]) -> Any:
        """Return what work gives, done again only after a change of the data."""
        count = self.database.change_count
        known = self.remembered.get(name)
        if known is None or known[0] != count:
            known = self.remembered[name] = (count, work())
        return known[1]

    @property
    def associated_users(self) -> int:
        """Return the number of users that the sync agent has carried here."""
        return int(
            self.database.value(
                "SELECT count(*) FROM enduser WHERE tkuserprofile = 100"
            )
        )

    def populate(self, users: int) -> None:
        """Fill a new database; of one that was kept, only add new nodes."""
        topology_tables.fill_node_tables(self)
        if not self.database.is_new:
            return
        self._set("release", self.release.short)
        topology_tables.fill_process_nodes(self)
        self._add_accounts()
        self.add_users(users)

    def _kept_release(self) -> LabRelease | None:
        stored = self._get("release")
        return release_of("", stored) if stored else None

    def become(self, generation: str, version: str | None = None) -> None:
        """Turn into another release, as by an upgrade; the data stay."""
        self.release = release_of(generation, version)
        self._set("release", self.release.short)
        for node in self.nodes:
            node.services = node.load_services()

    @property
    def call_manager(self) -> str:
        return f"cucm{self.number}.{self.domain}"

    def _add_accounts(self) -> None:
        for name, password, role in (
            (self.axl_username, self.axl_password, FULL),
            (self.intercluster_username, self.intercluster_password, FULL),
            ("axlreader", f"{self.name}-reader-secret", READ_ONLY),
            ("nobody", f"{self.name}-nobody-secret", NONE),
        ):
            self.add_account(name, password, role)

    def add_account(self, name: str, password: str, role: str = FULL) -> None:
        """Add an application user, or give it another password and role."""
        self.database.execute(
            "INSERT OR IGNORE INTO applicationuser (name) VALUES (?)", name
        )
        self.credentials[name] = (password, role)
        self.database.execute(
            "INSERT OR REPLACE INTO lab_credential VALUES (?, ?, ?)",
            name,
            password,
            role,
        )

    def add_users(self, count: int) -> list[str]:
        """Add new local users; return their user ids."""
        start = int(self._get("next_number") or 0)
        clusters = self.lab.options.clusters
        people = list(
            employees_of(self.number - 1, clusters, start, count, self.domain)
        )
        self._insert(people)
        self._set("next_number", str(start + count))
        return [p.userid for p in people]

    def _get(self, name: str) -> str | None:
        sql = "SELECT value FROM lab_setting WHERE name = ?"
        value: str | None = self.database.value(sql, name)
        return value

    def _set(self, name: str, value: str) -> None:
        self.database.execute(
            "INSERT OR REPLACE INTO lab_setting VALUES (?, ?)", name, value
        )

    def _insert(self, people: list[SamplePerson]) -> None:
        plugin = pkid_of(self.service_name)
        rows: list[tuple[Any, ...]] = [
            (
                pkid_of(f"{self.name}/{p.userid}"),
                p.userid,
                p.directory_uri,
                p.directory_uri,
                p.mail,
                plugin,
                place % len(self.nodes) + 1,
                p.telephone,
            )
            for place, p in enumerate(people)
        ]
        columns = USER_COLUMNS
        if not self.database.has_telephone:
            columns, rows = columns[:-1], [row[:-1] for row in rows]
        self.database.insert("enduser", columns, rows)
        self.database.users_revision += 1

    def remove_users(self, *userids: str) -> int:
        """Remove local users; return how many there were."""
        changed = 0
        for userid in userids:
            changed += len(
                self.database.execute(
                    "DELETE FROM enduser WHERE userid = ? AND tkuserprofile = 1 "
                    "RETURNING pkid",
                    userid,
                )
            )
        self.database.users_revision += 1
        return changed

    def move_user(self, userid: str, target: "LabCluster") -> None:
        """Make a user of this cluster one of another."""
        rows = self.database.execute(
            "SELECT directoryuri FROM enduser WHERE userid = ? AND tkuserprofile = 1",
            userid,
        )
        if not rows:
            raise KeyError(f"{self.name} has no user {userid}")
        self.remove_users(userid)
        number = int(target._get("next_number") or 0)
        moved = SamplePerson(
            userid, person_at(0, number, self.domain).telephone, self.domain
        )
        target._insert([moved])

    def users(self) -> list[str]:
        """Return the user ids of the local users."""
        rows = self.database.execute(
            "SELECT userid FROM enduser WHERE tkuserprofile = 1 ORDER BY userid"
        )
        return [row[0] for row in rows]

    def sql(self, text: str) -> list[dict[str, Any]]:
        """Carry out an Informix SELECT and return its rows."""
        result = self.database.query(text)
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def peers(self) -> list[LabPeerEntry]:
        """Return the entries of the peer table."""
        return list(self._remembered("peers", self._read_peers))

    def _read_peers(self) -> list[LabPeerEntry]:
        codes = self.database.peer_table.protocol_values
        protocols = {code: protocol for protocol, code in codes.items()}
        columns = ", ".join(["pkid", *(f"ifnull({name}, '')" for name in PEER_FIELDS)])
        rows = self.database.execute(f"SELECT {columns} FROM lab_entry")  # noqa: S608
        return [
            LabPeerEntry(
                pkid, address, user, password, protocols.get(str(code), str(code)), mask
            )
            for pkid, address, user, password, code, mask in rows
        ]

    def add_peer(
        self,
        address: str,
        username: str,
        password: str,
        protocol: str = "TCP",
        mask: str = "",
    ) -> None:
        """Write an entry into the peer table, as the cluster's own page would."""
        code = self.database.peer_table.protocol_values.get(protocol, protocol)
        self.database.execute(
            f"INSERT INTO lab_entry ({', '.join(PEER_FIELDS)}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            address,
            username,
            password,
            code,
            mask,
        )

    def change_peer(self, peer: LabPeerEntry) -> None:
        """Give the entry with the key of `peer` the values of `peer`."""
        codes = self.database.peer_table.protocol_values
        named = ", ".join(f"{name} = ?" for name in PEER_FIELDS)
        self.database.execute(
            f"UPDATE lab_entry SET {named} WHERE pkid = ?",  # noqa: S608
            peer.address,
            peer.username,
            peer.password,
            codes.get(peer.protocol, peer.protocol),
            peer.mask,
            peer.pkid,
        )

    def peer_with(self, other: "LabCluster", protocol: str = "TCP") -> None:
        """Set up both sides of a peering."""
        for home, remote in ((self, other), (other, self)):
            home.enter_peer(remote, protocol=protocol)

    def enter_peer(self, remote: "LabCluster", **wrong: str) -> None:
        """Enter a peer as a person would; `wrong` values in place of the right ones."""
        by_name = self.lab.options.single_address or self.database.peer_table.split
        right = {
            "address": remote.publisher.name if by_name else remote.publisher.address,
            "username": remote.intercluster_username,
            "password": remote.intercluster_password,
        }
        self.add_peer(**{**right, **wrong})

    def remove_peer(self, address: str) -> int:
        found = [peer for peer in self.peers() if peer.address == address]
        for peer in found:
            self.database.execute("DELETE FROM lab_entry WHERE pkid = ?", peer.pkid)
        return len(found)

    def set_password(self, username: str, password: str) -> None:
        """Give an application user another password; entries elsewhere keep the old."""
        known = self.credentials.get(username)
        if known is None:
            raise KeyError(f"{self.name} has no application user {username}")
        self.add_account(username, password, known[1])
        if username == self.axl_username:
            self.axl_password = password
        if username == self.intercluster_username:
            self.intercluster_password = password

    def remote_clusters(self, peers: list[LabPeerEntry]) -> "list[LabCluster]":
        """Return the clusters to which peer entries lead, without asking the DNS."""
        found = (self.lab.cluster_at(peer.address) for peer in peers)
        return [cluster for cluster in found if cluster]

    def peer_to(self, other: "LabCluster") -> LabPeerEntry | None:
        """Return the entry that leads to another cluster."""
        entries: dict[Any, LabPeerEntry] = self._remembered(
            "by cluster", self._by_cluster
        )
        return entries.get(other)

    def _by_cluster(self) -> "dict[LabCluster | None, LabPeerEntry]":
        peers = reversed(self.peers())
        return {self.lab.cluster_at(peer.address): peer for peer in peers}

    def set_fault(self, area: str, value: str, node: LabNode | None = None) -> None:
        """Set a fault on the cluster or one of its nodes, and make it effective."""
        faults = node.faults if node else self.faults
        self.clear_faults(area, node)
        data_faults.begin_fault(self, faults.set(area, value))
        self.lab.apply(self)

    def clear_faults(
        self, area: str | None = None, node: LabNode | None = None
    ) -> None:
        """Clear the faults of the cluster and its nodes, or of one node."""
        boxes = (
            [node.faults] if node else [self.faults, *(n.faults for n in self.nodes)]
        )
        for box in boxes:
            for setting in box.clear(area):
                data_faults.end_fault(self, setting)
        self.lab.apply(self)

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "domain": self.domain,
            "generation": self.generation,
            "version": self.release.version,
            "service_name": self.service_name,
            "axl_username": self.axl_username,
            "axl_password": self.axl_password,
            "intercluster_username": self.intercluster_username,
            "intercluster_password": self.intercluster_password,
            **self.pages.describe(),
            "canary": self.database.value(
                "SELECT min(userid) FROM enduser WHERE tkuserprofile = 1"
            ),
            "presence_username": presence.USERNAME,
            "presence_password": self.presence.password,
            **platform.describe_certificate(self),
            "peer_table": self.database.peer_table.described,
            "nodes": [node.describe() for node in self.nodes],
            "users": self.local_users,
        }
