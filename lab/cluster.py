"""One simulated cluster: its nodes, database, users and peers."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import upsets
from .agent import Agent, PeerEntry
from .database import PEER_FIELDS, Database, PeerTable
from .faults import Faults
from .generations import Release
from .generations import release as release_of
from .node import Node
from .people import Person, employees, person
from .sessions import FULL, NONE, READ_ONLY

if TYPE_CHECKING:
    from .lab import Lab

USER_COLUMNS: tuple[str, ...] = (
    "pkid",
    "userid",
    "imaddress",
    "directoryuri",
    "mailid",
    "fkdirectorypluginconfig",
    "primarynodeid",
    "telephonenumber",
)


class Cluster:
    """A cluster of nodes that share one database."""

    def __init__(
        self, lab: "Lab", number: int, release: Release, peer_table: PeerTable
    ) -> None:
        self.lab = lab
        self.number = number
        self.name = f"cup{number}"
        self.domain = lab.options.domain
        self.service_name = f"{self.name}.{self.domain}"
        self.directory: Path = lab.directory / self.name
        self.directory.mkdir(parents=True, exist_ok=True)
        kept = self.directory / "database.sqlite"
        path = str(kept) if lab.options.state else ":memory:"
        self.database = Database(path, release, peer_table)
        self.credentials: dict[str, tuple[str, str]] = {
            name: (password, role)
            for name, password, role in self.database.execute(
                "SELECT name, password, role FROM lab_credential"
            )
        }
        self.release = self._kept_release() or release
        self.faults = Faults(lab.faults)
        self.axl_username = "axladmin"
        self.axl_password = f"{self.name}-axl-secret"
        self.intercluster_username = "intercluster"
        self.intercluster_password = f"{self.name}-intercluster-secret"
        self.user_password = "lab-user"
        self.nodes: list[Node] = []
        self.remembered: dict[str, tuple[int, Any]] = {}
        self.agent = Agent(self)

    @property
    def generation(self) -> str:
        return self.release.generation

    @property
    def publisher(self) -> Node:
        return self.nodes[0]

    @property
    def subscribers(self) -> list[Node]:
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
        self._add_nodes()
        if not self.database.is_new:
            return
        self._set("release", self.release.short)
        self._add_process_nodes()
        self._add_accounts()
        self.add_users(users)

    def _kept_release(self) -> Release | None:
        kept = self._get("release")
        return release_of("", kept) if kept else None

    def become(self, generation: str, version: str | None = None) -> None:
        """Turn into another release, as by an upgrade; the data stay."""
        self.release = release_of(generation, version)
        self._set("release", self.release.short)
        for node in self.nodes:
            node.services = node.load_services()

    def _add_nodes(self) -> None:
        for node in self.nodes:
            pair = (node.number + 1) // 2
            self.database.execute(
                "INSERT OR IGNORE INTO enterprisenode VALUES (?, ?, ?, ?, 3)",
                node.number,
                node.name,
                pair,
                "t" if node.number % 2 else "f",
            )
            self.database.execute(
                "INSERT OR IGNORE INTO enterprisesubcluster VALUES (?, ?, ?)",
                pair,
                f"DefaultCUPSubcluster{pair if pair > 1 else ''}",
                "t" if len(self.nodes) > 1 else "f",
            )

    def _add_process_nodes(self) -> None:
        rows = [(n.name, n.number, 0 if n.is_publisher else 1, 2) for n in self.nodes]
        if self.generation == "imp":
            rows.append((self.call_manager, len(rows) + 1, 0, 1))
        role = ", tkprocessnoderole" if self.generation == "imp" else ""
        for name, number, usage, kind in rows:
            extra = [kind] if role else []
            self.database.execute(
                f"INSERT INTO processnode (name, nodeid, tknodeusage{role}) "  # noqa: S608
                f"VALUES (?, ?, ?{', ?' if role else ''})",
                name,
                number,
                usage,
                *extra,
            )
        self.database.execute(
            "INSERT INTO processnode (name, nodeid, systemnode, tknodeusage) "
            "VALUES ('EnterpriseWideData', 0, 't', 0)"
        )
        self.database.execute(
            "INSERT INTO epassyncagentcfg (ccmpublisherip, axluser, syncstatus) "
            "VALUES (?, 'ccmaxl', 'Completed 2026-01-01 00:00:00')",
            self.call_manager,
        )

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
        people = list(employees(self.number - 1, clusters, start, count, self.domain))
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

    def _insert(self, people: list[Person]) -> None:
        plugin = _pkid(self.service_name)
        rows: list[tuple[Any, ...]] = [
            (
                _pkid(f"{self.name}/{p.userid}"),
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

    def move_user(self, userid: str, target: "Cluster") -> None:
        """Make a user of this cluster one of another."""
        rows = self.database.execute(
            "SELECT directoryuri FROM enduser WHERE userid = ? AND tkuserprofile = 1",
            userid,
        )
        if not rows:
            raise KeyError(f"{self.name} has no user {userid}")
        self.remove_users(userid)
        number = int(target._get("next_number") or 0)
        moved = Person(userid, person(0, number, self.domain).telephone, self.domain)
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

    def peers(self) -> list[PeerEntry]:
        """Return the entries of the peer table."""
        return list(self._remembered("peers", self._read_peers))

    def _read_peers(self) -> list[PeerEntry]:
        table = self.database.peer_table
        columns = ", ".join(["pkid", *(table.columns[name] for name in PEER_FIELDS)])
        protocols = {v: k for k, v in table.protocol_values.items()}
        rows = self.database.execute(f"SELECT {columns} FROM {table.table}")  # noqa: S608
        return [
            PeerEntry(
                row[0],
                row[1] or "",
                row[2] or "",
                row[3] or "",
                protocols.get(str(row[4]), str(row[4])),
                row[5] or "",
            )
            for row in rows
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
        table = self.database.peer_table
        columns = ", ".join(table.columns[name] for name in PEER_FIELDS)
        value = table.protocol_values[protocol]
        self.database.execute(
            f"INSERT INTO {table.table} ({columns}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            address,
            username,
            password,
            value,
            mask,
        )

    def peer_with(self, other: "Cluster", protocol: str = "TCP") -> None:
        """Set up both sides of a peering."""
        for home, remote in ((self, other), (other, self)):
            home.add_peer(
                remote.publisher.name
                if home.lab.options.single_address
                else remote.publisher.address,
                remote.intercluster_username,
                remote.intercluster_password,
                protocol,
            )

    def remove_peer(self, address: str) -> int:
        table = self.database.peer_table
        rows = self.database.execute(
            f"DELETE FROM {table.table} WHERE {table.columns['address']} = ? "  # noqa: S608
            "RETURNING pkid",
            address,
        )
        return len(rows)

    def remote_clusters(self, peers: list[PeerEntry]) -> "list[Cluster]":
        """Return the clusters to which peer entries lead, without asking the DNS."""
        found = (self.lab.cluster_at(peer.address) for peer in peers)
        return [cluster for cluster in found if cluster]

    def peer_to(self, other: "Cluster") -> PeerEntry | None:
        """Return the entry that leads to another cluster."""
        entries: dict[Any, PeerEntry] = self._remembered("by cluster", self._by_cluster)
        return entries.get(other)

    def _by_cluster(self) -> "dict[Cluster | None, PeerEntry]":
        peers = reversed(self.peers())
        return {self.lab.cluster_at(peer.address): peer for peer in peers}

    def set_fault(self, area: str, value: str, node: Node | None = None) -> None:
        """Set a fault on the cluster or one of its nodes, and make it effective."""
        faults = node.faults if node else self.faults
        self.clear_faults(area, node)
        upsets.begin(self, faults.set(area, value))
        self.lab.apply(self)

    def clear_faults(self, area: str | None = None, node: Node | None = None) -> None:
        """Clear the faults of the cluster and its nodes, or of one node."""
        boxes = (
            [node.faults] if node else [self.faults, *(n.faults for n in self.nodes)]
        )
        for box in boxes:
            for setting in box.clear(area):
                upsets.end(self, setting)
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
            "peer_table": self.database.peer_table.as_dict(),
            "nodes": [node.describe() for node in self.nodes],
            "users": self.local_users,
        }


def _pkid(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return (
        f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
    )
