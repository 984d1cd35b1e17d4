"""A cluster's database: the attested tables in SQLite behind the Informix dialect."""

import json
import re
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from . import informix
from .peer_table import PKID, LabPeerTable
from .releases import LabRelease

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


@dataclass(frozen=True)
class TableRows:
    """What a query gave."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class LabDatabase:
    """One cluster's tables. Every method may be called from any thread."""

    def __init__(
        self, path: str, release: LabRelease, peer_table: LabPeerTable
    ) -> None:
        self.lock = threading.RLock()
        self.peer_table = peer_table
        self.users_revision = 0
        self.connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, cached_statements=256
        )
        informix.install_functions(self.connection)
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
        self.connection.executescript(self.peer_table.view())
        self.has_telephone = "telephonenumber" in self._columns("enduser")

    def _columns(self, table: str) -> list[str]:
        sql = "SELECT name FROM pragma_table_info(?)"
        return [row[0] for row in self.execute(sql, table)]

    def _kept_peer_table(self) -> LabPeerTable:
        sql = "SELECT value FROM lab_setting WHERE name = 'peer_table'"
        return LabPeerTable(**json.loads(self.value(sql)))

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

    def query(self, text: str, replica: sqlite3.Connection | None = None) -> TableRows:
        """Carry out an Informix SELECT, on a replica if one is given."""
        statement = informix.translate_sql(text, ("select",))
        with self.lock:
            try:
                cursor = (replica or self.connection).execute(statement)
                rows = cursor.fetchall()
            except sqlite3.Error as error:
                raise informix.explain_error(error) from None
        names = tuple(informix.column_name(d[0]) for d in cursor.description)
        return TableRows(names, rows)

    def update(self, text: str) -> int:
        """Carry out an Informix INSERT, UPDATE or DELETE; return the rows changed."""
        statement = informix.translate_sql(text, ("insert", "update", "delete"))
        with self.lock:
            try:
                changed = self.connection.execute(statement).rowcount
            except sqlite3.Error as error:
                raise informix.explain_error(error) from None
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
        informix.install_functions(copy)
        return copy

    def _create(self, tables: dict[str, dict[str, str]]) -> None:
        index = "CREATE INDEX enduser_node ON enduser (primarynodeid, tkuserprofile)"
        statements = [_definition(name, columns) for name, columns in tables.items()]
        self.connection.executescript(";".join([HIDDEN, *statements, index]))
        for number, (name, columns) in enumerate(tables.items(), start=100):
            self._list(number, name, columns)
        self.execute(
            "INSERT INTO lab_setting VALUES ('peer_table', ?)",
            json.dumps(asdict(self.peer_table)),
        )

    def add_table(self, name: str, columns: dict[str, str]) -> bool:
        """Add a table that the catalogue lists; return False if it is there."""
        with self.lock:
            if self._columns(name):
                return False
            self.execute(_definition(name, columns))
            number = self.value("SELECT max(tabid) + 1 FROM systables")
            self._list(number, name, columns)
            return True

    def drop_table(self, name: str) -> None:
        """Drop a table and what the catalogue says of it."""
        with self.lock:
            self.execute(f"DROP TABLE IF EXISTS {name}")
            self.execute(
                "DELETE FROM syscolumns WHERE tabid IN "
                "(SELECT tabid FROM systables WHERE tabname = ?)",
                name,
            )
            self.execute("DELETE FROM systables WHERE tabname = ?", name)

    def _list(self, number: int, table: str, columns: dict[str, str]) -> None:
        self.execute(
            "INSERT INTO systables VALUES (?, ?, 'informix', 'T', ?)",
            number,
            table,
            len(columns),
        )
        self.many(
            "INSERT INTO syscolumns VALUES (?, ?, ?, ?, 255)",
            [
                (column, number, place, _type_number(kind))
                for place, (column, kind) in enumerate(columns.items(), 1)
            ],
        )


def _definition(table: str, columns: dict[str, str]) -> str:
    listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    return f"CREATE TABLE {table} ({listed})"


def _type_number(kind: str) -> int:
    """Return Informix's number for a type, plus 256 where NULL is not allowed."""
    numbers = {"char": 0, "smallint": 1, "integer": 2, "varchar": 13, "lvarchar": 43}
    word = re.match(r"\w+", kind)
    number = numbers.get(word[0] if word else "", 13)
    return number + 256 * ("NOT NULL" in kind)


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


def tables_of(
    release: LabRelease, peer_table: LabPeerTable
) -> dict[str, dict[str, str]]:
    """Return the tables of a release, its peer table and the catalogue."""
    tables = {name: dict(columns) for name, columns in TABLES.items()}
    if release.telephone_in_enduser:
        tables["enduser"]["telephonenumber"] = "varchar(64)"
    if release.generation == "imp":
        tables["processnode"]["tkprocessnoderole"] = "integer"
    return {**CATALOGUE, **tables, **peer_table.tables()}
