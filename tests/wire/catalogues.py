"""Made-up databases of clusters: a peer table under some name, and decoys."""

import random
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from wire import Code, Query, WireError
from wire.recognition import KnownPeer, Surroundings

NAMES = {
    "address": ["peeraddress", "hostname", "fqdn", "remoteserver", "ipaddr", "peer_ip"],
    "username": ["username", "axluser", "login", "peer_user", "loginname"],
    "password": ["password", "axlpwd", "secret", "encrypted_pass", "credentialvalue"],
    "protocol": ["preferredprotocol", "tkprotocol", "siptransport", "proto"],
    "external_phone_number_mask": ["phonemask", "e164mask"],
}
TABLES = ["cupsinterclusterpeers", "remotesystem", "icsapeer", "axltarget", "tkz_41"]
CODES = [
    {"TCP": "1", "UDP": "2", "TLS": "3"},
    {"TCP": "tcp", "UDP": "udp", "TLS": "tls"},
    {"TCP": "0", "UDP": "5", "TLS": "9"},
]
OWN = ("own-pub.example.com", "own-sub.example.com", "127.9.0.1", "127.9.0.2")


class SqliteAxl:
    """Answers the queries of a node from SQLite; faults where Informix would."""

    def __init__(self, refuse: str = "") -> None:
        self.database = sqlite3.connect(":memory:")
        self.database.row_factory = sqlite3.Row
        self.refuse = refuse
        self.queries: list[str] = []
        self.database.execute("create table systables (tabid, tabname, tabtype)")
        self.database.execute("create table syscolumns (tabid, colname)")

    def __del__(self) -> None:
        self.database.close()

    def create(self, table: str, columns: list[str], rows: list[tuple]) -> None:
        number = self.database.execute("select count(*) from systables").fetchone()[0]
        self.database.execute(
            "insert into systables values (?, ?, 'T')", (number, table)
        )
        for column in columns:
            self.database.execute(
                "insert into syscolumns values (?, ?)", (number, column)
            )
        self.database.execute(f"create table {table} ({', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        self.database.executemany(f"insert into {table} values ({marks})", rows)

    async def rows(self, query: Query, *, deadline: float) -> AsyncIterator[dict]:
        self.queries.append(query.whole)
        if self.refuse and self.refuse in query.whole:
            raise WireError(Code.FAULT, "refused")
        try:
            found = self.database.execute(query.whole).fetchall()
        except sqlite3.Error as error:
            raise WireError(Code.FAULT, str(error)) from None
        for row in found:
            yield {
                key.lower(): None if row[key] is None else str(row[key])
                for key in row.keys()  # noqa: SIM118 - sqlite3.Row iterates values
            }


@dataclass
class Made:
    """A database with what is true of it."""

    axl: SqliteAxl
    mesh: Surroundings
    table: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    plain: bool = True


def made(seed: int) -> Made:
    chance = random.Random(seed)
    size = chance.choice([1, 2, 5, 12, 29])
    publishers = [f"c{n}-pub.example.com" for n in range(size)]
    others = [f"c{n}-sub.example.com" for n in range(size)]
    table = chance.choice(TABLES)
    columns = {role: chance.choice(names) for role, names in NAMES.items()}
    if chance.random() < 0.4:
        del columns["external_phone_number_mask"]
    codes = chance.choice(CODES)
    protocols = [chance.choice(list(codes)) for _ in publishers]
    rows = [
        (host, f"user{n}", f"cipher{n}", codes[protocol])
        for n, (host, protocol) in enumerate(zip(publishers, protocols, strict=True))
    ]
    known = {
        host: KnownPeer(f"user{n}" if chance.random() < 0.8 else "", protocol)
        for n, (host, protocol) in enumerate(zip(publishers, protocols, strict=True))
        if chance.random() < 0.7
    }
    mesh = Surroundings(frozenset(OWN), frozenset(publishers), frozenset(others), known)
    whole = Made(SqliteAxl(), mesh, table, columns, codes)
    names = ["pkid", *columns.values(), "description", "createdby"]
    whole.axl.create(
        table,
        names,
        [_row(n, row, columns) for n, row in enumerate(rows)],
    )
    _decoys(whole, chance, publishers, others, rows)
    _odd(whole, chance, rows)
    return whole


def _row(number: int, values: tuple, columns: dict[str, str]) -> tuple:
    mask = ("+49XXXX",) if "external_phone_number_mask" in columns else ()
    return (f"{number:08d}-aaaa-4aaa-aaaa-aaaaaaaaaaaa", *values, *mask, "text", "x")


def _decoys(
    whole: Made, chance: random.Random, publishers: list, others: list, rows: list
) -> None:
    """Add tables that a careless search would take."""
    create = whole.axl.create
    create("processnode", ["name", "tknodeusage"], [(name, 0) for name in OWN])
    create("enterprisenode", ["id", "name"], list(enumerate([*OWN, *publishers])))
    decoys = {
        "clusternodecredentials": (
            ["hostname", "username", "password", "protocol"],
            [(name, "admin", "x", "1") for name in (*OWN, *publishers)],
        ),
        "peeraddressbook": (
            ["peeraddress", "contact"],
            [(name, "somebody") for name in publishers],
        ),
        "ldapauthenticationhost": (
            ["hostname", "loginname", "password", "tkldapprotocol"],
            [("ldap.example.com", "cn=x", "y", "1")],
        ),
        "federationpeerhost": (
            ["host", "username", "password", "transport"],
            [("partner.example.net", "u", "p", "TLS")],
        ),
        "peerhistory": (
            ["peeraddress", "username", "protocol", "at"],
            [(host, user, code, "then") for host, user, _, code in rows],
        ),
        "peerlist": (["peername", "comment"], [("none", "empty")]),
    }
    for name in chance.sample(sorted(decoys), chance.randint(2, len(decoys))):
        create(name, *decoys[name])


def _odd(whole: Made, chance: random.Random, rows: list) -> None:
    """Make some of them undecidable: a copy, a foreign key, a split address."""
    kind = chance.choice(["", "", "", "", "copy", "key", "split", "stale"])
    # Without a user name to compare with, nothing is sure.
    known = any(peer.username for peer in whole.mesh.known.values())
    whole.plain = known and not kind
    table, columns = whole.table, whole.columns
    run = whole.axl.database.execute
    if kind == "copy":
        names = ["hostname", "username", "password", "protocol"]
        whole.axl.create("peerbackup", names, rows)
    elif kind == "stale":
        address, user = columns["address"], columns["username"]
        run(f"insert into {table} ({address}, {user}) values ('gone.example.com', 'u')")
    elif kind == "key":
        run(f"update {table} set {columns['username']} = pkid")
    elif kind == "split":
        address = columns["address"]
        run(f"update {table} set {address} = replace({address}, '.example.com', '')")
