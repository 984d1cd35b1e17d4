"""A cluster's database: the attested tables in SQLite behind the Informix dialect."""

import json
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from . import informix
from .generations import Release

UUID = (
    "(lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || "
    "substr(lower(hex(randomblob(2))), 2) || '-a' || "
    "substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))))"
)
PKID = f"char(36) PRIMARY KEY DEFAULT {UUID}"
FLAG_T = "text NOT NULL DEFAULT 't'"
FLAG_F = "text NOT NULL DEFAULT 'f'"

ENDUSER = {
    "pkid": PKID,
    "userid": "varchar(132) NOT NULL",
    "xcp_user_id": "integer",
    "tkuserlocale": "integer",
    "imaddress": "varchar(255)",
    "xep106imaddress": "varchar(255)",
    "directoryuri": "varchar(255)",
    "mailid": "varchar(255)",
    "status": "integer DEFAULT 1",
    "fkdirectorypluginconfig": "char(36)",
    "deletedtimestamp": "integer",
    "passwordreverse": "varchar(64)",
    "tkuserprofile": "integer DEFAULT 1",
    "tkassignmentstate": "integer DEFAULT 1",
    "ocsprimaryuseraddress": "varchar(255)",
    "fkucccmcipprofile": "char(36)",
    "tkphonepresence": "integer",
    "primarynodeid": "integer",
    "xep106userid": "varchar(255)",
    "xep106mailid": "varchar(255)",
    "auth_pwd": "varchar(128)",
    "login_stamp": "integer",
    "logout_stamp": "integer",
    "auth_count": "integer",
    "pwd_stamp": "integer",
    "last_status": "integer",
    "fkucserviceprofile": "char(36)",
    "enablecalendarpresence": FLAG_F,
    "enablecups": FLAG_T,
    "discoveryuseridentity": "varchar(255)",
}
TABLES = {
    "enduser": ENDUSER,
    "enterprisenode": {
        "id": "integer PRIMARY KEY",
        "name": "varchar(255) NOT NULL UNIQUE",
        "subclusterid": "integer",
        "isprimary": FLAG_T,
        "tkhaserverstate": "integer DEFAULT 3",
    },
    "enterprisesubcluster": {
        "id": "integer PRIMARY KEY",
        "name": "varchar(255) NOT NULL",
        "haenabled": FLAG_T,
    },
    "processnode": {
        "pkid": PKID,
        "name": "varchar(255) NOT NULL UNIQUE",
        "nodeid": "integer",
        "systemnode": FLAG_F,
        "tknodeusage": "integer",
    },
    "epassyncagentcfg": {
        "pkid": PKID,
        "ccmpublisherip": "varchar(255)",
        "axluser": "varchar(128)",
        "axlpassword": "varchar(128)",
        "cucm_axluser_pkid": "char(36)",
        "syncstatus": "varchar(255)",
    },
    "applicationuser": {"pkid": PKID, "name": "varchar(128) NOT NULL UNIQUE"},
}
HIDDEN = """
CREATE TABLE IF NOT EXISTS lab_credential
    (name text PRIMARY KEY, password text NOT NULL, role text NOT NULL);
CREATE TABLE IF NOT EXISTS lab_setting (name text PRIMARY KEY, value text);
CREATE TABLE IF NOT EXISTS lab_service (node text, name text, status text,
    reason integer, since real, PRIMARY KEY (node, name));
"""
PEER_FIELDS = (
    "address",
    "username",
    "password",
    "protocol",
    "external_phone_number_mask",
)


@dataclass(frozen=True)
class PeerTable:
    """Where a cluster keeps its peers: unknown in reality, so a setting."""

    table: str = "cupsinterclusterpeers"
    columns: dict[str, str] = field(
        default_factory=lambda: dict(
            zip(
                PEER_FIELDS,
                ("peeraddress", "username", "password", "preferredprotocol")
                + ("phonemask",),
                strict=True,
            )
        )
    )
    protocol_values: dict[str, str] = field(
        default_factory=lambda: {"TCP": "1", "UDP": "2", "TLS": "3"}
    )

    def as_dict(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "columns": dict(self.columns),
            "protocol_values": dict(self.protocol_values),
        }

    def definition(self) -> dict[str, str]:
        address, username, password, protocol, mask = (
            self.columns[name] for name in PEER_FIELDS
        )
        return {
            "pkid": PKID,
            address: "varchar(255) NOT NULL UNIQUE",
            username: "varchar(128)",
            password: "varchar(128)",
            protocol: "varchar(10) NOT NULL",
            mask: "varchar(50)",
            "description": "varchar(255) DEFAULT 'left alone'",
        }


@dataclass(frozen=True)
class Rows:
    """What a query gave."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Database:
    """One cluster's tables. Every method may be called from any thread."""

    def __init__(self, path: str, release: Release, peer_table: PeerTable) -> None:
        self.lock = threading.RLock()
        self.peer_table = peer_table
        self.users_revision = 0
        self.connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, cached_statements=256
        )
        informix.teach(self.connection)
        self.connection.execute("PRAGMA synchronous = OFF")
        if path != ":memory:":
            self.connection.execute("PRAGMA journal_mode = WAL")
        self.is_new = not self.value(
            "SELECT count(*) FROM sqlite_master WHERE name = 'enduser'"
        )
        if self.is_new:
            self._create(tables_of(release, peer_table))
        else:
            self.peer_table = self._kept_peer_table()
        self.has_telephone = "telephonenumber" in self._columns("enduser")

    def _columns(self, table: str) -> list[str]:
        sql = "SELECT name FROM pragma_table_info(?)"
        return [row[0] for row in self.execute(sql, table)]

    def _kept_peer_table(self) -> PeerTable:
        sql = "SELECT value FROM lab_setting WHERE name = 'peer_table'"
        return PeerTable(**json.loads(self.value(sql)))

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Carry out SQLite's own SQL; for the lab itself."""
        with self.lock:
            return self.connection.execute(sql, values).fetchall()

    def many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self.lock:
            self.connection.execute("BEGIN")
            self.connection.executemany(sql, rows)
            self.connection.execute("COMMIT")

    def insert(
        self, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Insert many rows by one statement.

        A statement a row would give up the interpreter's lock at each of them.
        """
        values = ", ".join(
            f"json_extract(value, '$[{n}]')" for n in range(len(columns))
        )
        names = ", ".join(columns)
        sql = f"INSERT INTO {table} ({names}) SELECT {values} FROM json_each(?)"  # noqa: S608
        self.execute(sql, json.dumps(list(rows)))

    def value(self, sql: str, *values: Any) -> Any:
        rows = self.execute(sql, *values)
        return rows[0][0] if rows else None

    def query(self, text: str, replica: sqlite3.Connection | None = None) -> Rows:
        """Carry out an Informix SELECT, on a replica if one is given."""
        statement = informix.translate(text, ("select",))
        with self.lock:
            try:
                cursor = (replica or self.connection).execute(statement)
                rows = cursor.fetchall()
            except sqlite3.Error as error:
                raise informix.explain(error) from None
        names = tuple(informix.column_name(d[0]) for d in cursor.description)
        return Rows(names, rows)

    def update(self, text: str) -> int:
        """Carry out an Informix INSERT, UPDATE or DELETE; return the rows changed."""
        statement = informix.translate(text, ("insert", "update", "delete"))
        with self.lock:
            try:
                changed = self.connection.execute(statement).rowcount
            except sqlite3.Error as error:
                raise informix.explain(error) from None
            if "enduser" in statement.lower():
                self.users_revision += 1
        return changed

    @property
    def change_count(self) -> int:
        """Return a number that is another one after every change of the data."""
        return self.connection.total_changes

    def snapshot(self) -> sqlite3.Connection:
        """Return a copy of the data as it is now, for a node that no longer follows."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with self.lock:
            self.connection.backup(copy)
        informix.teach(copy)
        return copy

    def _create(self, tables: dict[str, dict[str, str]]) -> None:
        statements = [
            f"CREATE TABLE {name} ("
            + ", ".join(f"{column} {kind}" for column, kind in columns.items())
            + ")"
            for name, columns in tables.items()
        ]
        index = "CREATE INDEX enduser_node ON enduser (primarynodeid, tkuserprofile)"
        self.connection.executescript(";".join([HIDDEN, *statements, index]))
        self._fill_catalogue(tables)
        self.execute(
            "INSERT INTO lab_setting VALUES ('peer_table', ?)",
            json.dumps(self.peer_table.as_dict()),
        )

    def _fill_catalogue(self, tables: dict[str, dict[str, str]]) -> None:
        numbered = dict(enumerate(tables, start=100))
        owner = "informix"
        self.many(
            "INSERT INTO systables VALUES (?, ?, ?, ?, ?)",
            [(n, t, owner, "T", len(tables[t])) for n, t in numbered.items()],
        )
        self.many(
            "INSERT INTO syscolumns VALUES (?, ?, ?, ?, ?)",
            [
                (column, number, place, 13 if "char" in kind else 2, 255)
                for number, table in numbered.items()
                for place, (column, kind) in enumerate(tables[table].items(), 1)
            ],
        )


CATALOGUE = {
    "systables": {
        "tabid": "integer",
        "tabname": "varchar(128)",
        "owner": "char(32)",
        "tabtype": "char(1)",
        "ncols": "integer",
    },
    "syscolumns": {
        "colname": "varchar(128)",
        "tabid": "integer",
        "colno": "integer",
        "coltype": "integer",
        "collength": "integer",
    },
}


def tables_of(release: Release, peer_table: PeerTable) -> dict[str, dict[str, str]]:
    """Return the tables of a release, its peer table and the catalogue."""
    tables = {name: dict(columns) for name, columns in TABLES.items()}
    if release.telephone_in_enduser:
        tables["enduser"]["telephonenumber"] = "varchar(64)"
    if release.generation == "imp":
        tables["processnode"]["tkprocessnoderole"] = "integer"
    return {**CATALOGUE, **tables, peer_table.table: peer_table.definition()}
