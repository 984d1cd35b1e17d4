"""Tables that look like a peer table and are none, for those who search for it."""

from typing import TYPE_CHECKING, Any

from .peer_table import PKID

if TYPE_CHECKING:
    from .cluster import LabCluster

TEXT = "varchar(255)"
COPY = "_bak"
SIGN_IN = {"hostname": TEXT, "username": TEXT, "password": TEXT, "protocol": "integer"}
DECOYS: dict[str, dict[str, str]] = {
    "clusternodecredential": {"pkid": PKID, **SIGN_IN},
    "peeraddressbook": {"peeraddress": TEXT, "contact": TEXT},
    "peerhistory": {
        "peeraddress": TEXT,
        "username": TEXT,
        "protocol": TEXT,
        "changedat": "integer",
    },
    "ldapauthenticationhost": {
        "hostname": TEXT,
        "loginname": TEXT,
        "password": TEXT,
        "tkldapprotocol": "integer",
    },
    "federationpeerhost": {
        "host": TEXT,
        "username": TEXT,
        "password": TEXT,
        "transport": TEXT,
    },
}


def create_decoys(cluster: "LabCluster") -> None:
    """Add all decoys with their rows; what is there already stays."""
    for table, columns in DECOYS.items():
        if cluster.database.add_table(table, columns):
            names = tuple(name for name in columns if name != "pkid")
            cluster.database.insert(table, names, _rows(cluster, table))


def drop_decoys(cluster: "LabCluster") -> None:
    for table in DECOYS:
        cluster.database.drop_table(table)


def copy_peers(cluster: "LabCluster") -> str:
    """Add a copy of the peer table as it is now; return its name."""
    database, own = cluster.database, cluster.database.peer_table
    name = f"{own.table}{COPY}"
    if database.add_table(name, own.definition()):
        database.execute(f"INSERT INTO {name} SELECT * FROM {own.table}")  # noqa: S608
    return name


def _rows(cluster: "LabCluster", table: str) -> list[tuple[Any, ...]]:
    own = [node.name for node in cluster.nodes]
    others = [c.publisher for c in cluster.lab.clusters if c is not cluster]
    names = [name for node in others for name in (node.name, node.address)]
    rows: dict[str, list[tuple[Any, ...]]] = {
        "clusternodecredential": [(n, "admin", "x", 1) for n in (*own, *names)],
        "peeraddressbook": [(name, "help desk") for name in names],
        "peerhistory": [(name, "intercluster", "TCP", 1_700_000_000) for name in names],
        "ldapauthenticationhost": [("ldap.lab.example", "cn=reader", "x", 1)],
        "federationpeerhost": [("partner.example.net", "partner", "x", "TLS")],
    }
    return rows[table]
