"""Made-up databases that are out to be taken for what they are not.

Every table below holds publishers of other clusters. The true peer table may be absent,
empty, split, hidden behind a view, or have columns that no word gives away.
"""

import random

from tests.wire.catalogues import CODES, OWN, Made, SqliteAxl
from wire.recognition import KnownPeer, Surroundings

Rows = list[tuple]
PEER = ["peeraddress", "username", "password", "protocol"]


def hidden_words(axl: SqliteAxl, rows: Rows) -> str:
    axl.create("icpartner", ["partner", "uid", "pw", "mode"], rows)
    return "icpartner"


def with_home(axl: SqliteAxl, rows: Rows) -> str:
    columns = ["homenode", "remotenode", "loginname", "cipherpass", "proto"]
    axl.create("iclink", columns, [(OWN[0], *row) for row in rows])
    return "iclink"


def by_key(axl: SqliteAxl, rows: Rows) -> str:
    axl.create(
        "icsystem",
        ["peeraddress", "protocol", "fkcredential"],
        [(host, code, n) for n, (host, _, _, code) in enumerate(rows)],
    )
    names = ["pkid", "username", "password"]
    filled = [(n, user, word) for n, (_, user, word, _) in enumerate(rows)]
    axl.create("iccredential", names, filled)
    return "icsystem"


def side_by_side(axl: SqliteAxl, rows: Rows) -> str:
    names = ["pkid", "peeraddress", "username", "protocol"]
    hosts = [(n, host, user, code) for n, (host, user, _, code) in enumerate(rows)]
    axl.create("icone", names, hosts)
    words = [(n, word) for n, (_, _, word, _) in enumerate(rows)]
    axl.create("ictwo", ["pkid", "password"], words)
    return "icone"


def plain(axl: SqliteAxl, rows: Rows) -> str:
    axl.create("icsystem", PEER, rows)
    return "icsystem"


def empty(axl: SqliteAxl, rows: Rows) -> str:
    axl.create("icsystem", PEER, [])
    return "icsystem"


def shrunk(axl: SqliteAxl, rows: Rows) -> str:
    """Most entries were deleted; what others keep of them is more."""
    axl.create("icsystem", PEER, rows[:1])
    return "icsystem"


def absent(axl: SqliteAxl, rows: Rows) -> str:
    return ""


TRUE = [hidden_words, with_home, by_key, side_by_side, plain, plain, empty, shrunk]
TRUE += [absent]


def decoys(rows: Rows) -> dict[str, tuple[list[str], Rows]]:
    """Tables by name, with the columns and rows that they have."""
    hosts = [row[0] for row in rows]
    return {
        "sipproxystaticroute": (
            ["destinationhost", "digestuser", "digestpassword", "transport"],
            [(host, "route", "x", "TLS") for host in hosts],
        ),
        "certificatetrustlist": (
            ["hostname", "servicename", "fingerprint", "certificate"],
            [(host, "tomcat", "ab", "PEM") for host in hosts],
        ),
        "trustcredential": (
            ["servername", "username", "trustpassword", "protocol"],
            [(host, "trust", "x", "TLS") for host in hosts],
        ),
        "jabberconfig": (
            ["presenceserver", "defaultuser", "defaultpassword", "sipprotocol"],
            [(host, "%u", "", "TLS") for host in hosts],
        ),
        "drfbackupdevice": (
            ["servername", "username", "password", "transferprotocol"],
            [(hosts[0], "sftp", "x", "SFTP")],
        ),
        "peerhistory": (
            [*PEER, "deletedat"],
            [(*row, "2020") for row in rows],
        ),
        "cdrreplica_peer": (
            ["replhost", "repluser", "replpassword", "replproto"],
            list(rows),
        ),
        "peeraudit": (
            ["host", "login", "secret", "transport", "fkenduser"],
            [row + (n,) for n, row in enumerate(rows) for _ in (1, 2)],
        ),
        "peeraddressbook": (["peeraddress", "contact"], [(h, "desk") for h in hosts]),
        "federatedcluster": (
            ["clusterhost", "username", "password", "protocol"],
            [*((h, "fed", "x", "TLS") for h in hosts), ("x.example.net", "f", "", "")],
        ),
    }


def made(seed: int) -> Made:
    chance = random.Random(f"adversary {seed}")
    size = chance.choice([1, 2, 3, 7, 19])
    codes = chance.choice(CODES)
    hosts = [spelt(chance, n) for n in range(size)]
    rows = [
        (
            host,
            chance.choice(["ic", f"user{n}"]),
            f"cipher{n}",
            *chance.sample(list(codes.values()), 1),
        )
        for n, host in enumerate(hosts)
    ]
    axl = SqliteAxl(chance.choice(["", "", "tabtype", "t.tabname, c.colname"]))
    table = chance.choice(TRUE)(axl, rows)
    axl.create("processnode", ["name", "tknodeusage"], [(name, 0) for name in OWN])
    found = decoys(rows)
    for name in chance.sample(sorted(found), chance.randint(1, len(found))):
        axl.create(name, *found[name])
    known = {
        host.casefold(): KnownPeer(user if chance.random() < 0.7 else "")
        for host, user, *_ in rows
        if chance.random() < 0.6
    }
    publishers = {f"c{n}-pub.example.com" for n in range(size)}
    publishers |= {f"10.9.{n}.1" for n in range(size)}
    mesh = Surroundings(frozenset(OWN), frozenset(publishers), frozenset(), known)
    return Made(axl, mesh, table)


def spelt(chance: random.Random, number: int) -> str:
    name = f"c{number}-pub.example.com"
    return chance.choice([name, name.upper(), f"10.9.{number}.1"])
