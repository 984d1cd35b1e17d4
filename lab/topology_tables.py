"""The rows that name a cluster's nodes, as a release installs them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cluster import LabCluster


def fill_node_tables(cluster: "LabCluster") -> None:
    for node in cluster.nodes:
        pair = (node.number + 1) // 2
        cluster.database.execute(
            "INSERT OR IGNORE INTO enterprisenode VALUES (?, ?, ?, ?, 3)",
            node.number,
            node.name,
            pair,
            "t" if node.number % 2 else "f",
        )
        cluster.database.execute(
            "INSERT OR IGNORE INTO enterprisesubcluster VALUES (?, ?, ?)",
            pair,
            f"DefaultCUPSubcluster{pair if pair > 1 else ''}",
            "t" if len(cluster.nodes) > 1 else "f",
        )


def fill_process_nodes(cluster: "LabCluster") -> None:
    rows = [(n.name, n.number, 0 if n.is_publisher else 1, 2) for n in cluster.nodes]
    if cluster.generation == "imp":
        rows.append((cluster.call_manager, len(rows) + 1, 0, 1))
    role = ", tkprocessnoderole" if cluster.generation == "imp" else ""
    for name, number, usage, kind in rows:
        extra = [kind] if role else []
        cluster.database.execute(
            f"INSERT INTO processnode (name, nodeid, tknodeusage{role}) "  # noqa: S608
            f"VALUES (?, ?, ?{', ?' if role else ''})",
            name,
            number,
            usage,
            *extra,
        )
    cluster.database.execute(
        "INSERT INTO processnode (name, nodeid, systemnode, tknodeusage) "
        "VALUES ('EnterpriseWideData', 0, 't', 0)"
    )
    cluster.database.execute(
        "INSERT INTO epassyncagentcfg (ccmpublisherip, axluser, syncstatus) "
        "VALUES (?, 'ccmaxl', 'Completed 2026-01-01 00:00:00')",
        cluster.call_manager,
    )
