"""Faults that are wrong data: put in place when set, taken back when cleared."""

from typing import TYPE_CHECKING, Any

from . import decoys
from .faults import Setting

if TYPE_CHECKING:
    from .cluster import LabCluster

AREAS = ("peers", "decoys", "users", "replication", "topology", "sync")
ALL = "1 = 1"
OWN = "subclusterid IS NOT NULL"
LAST = f"id = (SELECT max(id) FROM enterprisenode WHERE {OWN})"  # noqa: S608
SYNC_FAILED = (
    "Sync Completed, but currently failed to connect to the CUCM Database Monitor. "
    "Retrying... 2026-01-01 00:00:00"
)
SOMEBODY = "SELECT pkid, userid, directoryuri FROM enduser WHERE tkuserprofile = 1 "


# A column of local users, and what it is set to.
USERS_SPOILT: dict[tuple[str, str], tuple[str, Any]] = {
    ("users", "no-uri"): ("directoryuri", None),
    ("users", "invalid-uri"): ("directoryuri", "no address"),
    ("users", "duplicate-mail"): ("mailid", "shared@lab.example"),
}
# A table, the key of its rows, which of them, a column, and what it is set to.
TABLES_SPOILT: dict[tuple[str, str], tuple[str, str, str, str, Any]] = {
    ("topology", "failover"): ("enterprisenode", "id", OWN, "tkhaserverstate", 4),
    ("topology", "free-node"): ("enterprisenode", "id", LAST, "subclusterid", None),
    ("topology", "no-ha"): ("enterprisesubcluster", "id", ALL, "haenabled", "f"),
    ("sync", "failed"): ("epassyncagentcfg", "pkid", ALL, "syncstatus", SYNC_FAILED),
}


def begin_fault(cluster: "LabCluster", setting: Setting) -> None:
    """Spoil a cluster's data as a fault asks for."""
    kind = (setting.fault.area, setting.value)
    if kind == ("peers", "one-sided"):
        _take_reverse_entries(cluster)
    elif kind == ("decoys", "all"):
        decoys.create_decoys(cluster)
        _keep_undo(cluster, "decoys", decoys.drop_decoys, cluster)
    elif kind == ("decoys", "copy"):
        _keep_undo(
            cluster, "decoys", cluster.database.drop_table, decoys.copy_peers(cluster)
        )
    elif kind == ("users", "duplicate"):
        _double_users(cluster, int(setting.number(1)))
    elif kind == ("users", "duplicate-uri"):
        _double_uris(cluster, int(setting.number(1)))
    elif kind == ("users", "unassigned"):
        _unassign(cluster, int(setting.number(1)))
    elif kind in USERS_SPOILT:
        _spoil_users(cluster, *USERS_SPOILT[kind], int(setting.number(1)))
    elif kind in TABLES_SPOILT:
        _spoil_table(cluster, setting.fault.area, *TABLES_SPOILT[kind])
    elif kind[0] == "replication":
        for node in cluster.subscribers:
            node.follow()


def end_fault(cluster: "LabCluster", setting: Setting) -> None:
    """Repair what a fault had spoilt."""
    for undo in cluster.lab.undo.pop((cluster.name, setting.fault.area), []):
        undo[0](*undo[1:])


def _keep_undo(cluster: "LabCluster", area: str, *undo: Any) -> None:
    cluster.lab.undo.setdefault((cluster.name, area), []).append(undo)


def _take_reverse_entries(cluster: "LabCluster") -> None:
    for other in cluster.lab.clusters:
        entry = other.peer_to(cluster) if other is not cluster else None
        if entry:
            other.remove_peer(entry.address)
            values = (entry.username, entry.password, entry.protocol, entry.mask)
            _keep_undo(cluster, "peers", other.add_peer, entry.address, *values)


def _other_rows(cluster: "LabCluster", count: int) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for other in cluster.lab.clusters:
        if other is not cluster and len(found) < count:
            missing = count - len(found)
            found += other.database.execute(SOMEBODY + "LIMIT ?", missing)
    return found


def _double_users(cluster: "LabCluster", count: int) -> None:
    for _, userid, uri in _other_rows(cluster, count):
        cluster.database.execute(
            "INSERT INTO enduser (userid, imaddress, directoryuri, mailid, "
            "fkdirectorypluginconfig, primarynodeid) VALUES (?, ?, ?, ?, 'x', 1)",
            userid,
            uri,
            uri,
            uri,
        )
        _keep_undo(cluster, "users", cluster.remove_users, userid)
    cluster.database.users_revision += 1


def _double_uris(cluster: "LabCluster", count: int) -> None:
    own = cluster.database.execute(SOMEBODY + "LIMIT ?", count)
    for (pkid, _, before), (_, _, uri) in zip(
        own, _other_rows(cluster, count), strict=False
    ):
        _set_column(cluster, pkid, "directoryuri", uri.upper())
        _keep_undo(cluster, "users", _set_column, cluster, pkid, "directoryuri", before)


def _unassign(cluster: "LabCluster", count: int) -> None:
    rows = cluster.database.execute(
        "SELECT pkid, primarynodeid FROM enduser WHERE tkuserprofile = 1 LIMIT ?", count
    )
    for pkid, node in rows:
        _set_column(cluster, pkid, "primarynodeid", None)
        _keep_undo(cluster, "users", _set_column, cluster, pkid, "primarynodeid", node)


def _spoil_users(cluster: "LabCluster", column: str, value: Any, count: int) -> None:
    # A value that is shared takes two.
    count += column == "mailid"
    rows = cluster.database.execute(
        f"SELECT pkid, {column} FROM enduser WHERE tkuserprofile = 1 LIMIT ?",  # noqa: S608
        count,
    )
    for pkid, before in rows:
        _set_column(cluster, pkid, column, value)
        _keep_undo(cluster, "users", _set_column, cluster, pkid, column, before)


def _spoil_table(
    cluster: "LabCluster",
    area: str,
    table: str,
    key: str,
    where: str,
    column: str,
    value: Any,
) -> None:
    sql = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"  # noqa: S608
    database = cluster.database
    chosen = f"SELECT {key}, {column} FROM {table} WHERE {where}"  # noqa: S608
    for number, before in database.execute(chosen):
        database.execute(sql, value, number)
        _keep_undo(cluster, area, database.execute, sql, before, number)


def _set_column(cluster: "LabCluster", pkid: str, column: str, value: Any) -> None:
    sql = f"UPDATE enduser SET {column} = ? WHERE pkid = ?"  # noqa: S608
    cluster.database.execute(sql, value, pkid)
    cluster.database.users_revision += 1
