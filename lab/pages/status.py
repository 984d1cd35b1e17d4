"""The status of a peer as its cluster sees it: true, from what the agent did."""

import datetime
from typing import TYPE_CHECKING

from lab.agent import LabPeerEntry

from .screens import PanelEntry
from .words import Words

if TYPE_CHECKING:
    from lab.cluster import LabCluster

NOT_REACHABLE = (
    "Not reachable (Check peer address is valid, AXL is running on peer and AXL "
    "username/password credentials are valid)"
)


def users_of(cluster: "LabCluster", peer: LabPeerEntry) -> int:
    """Return how many users the sync agent has carried from a peer."""
    remote = cluster.lab.cluster_at(peer.address)
    sql = (
        "SELECT count(*) FROM enduser WHERE tkuserprofile = 100 AND primarynodeid IN "
        "(SELECT id FROM enterprisenode JOIN lab_setting s "
        "ON s.name = 'remote ' || enterprisenode.name WHERE s.value = ?)"
    )
    return int(cluster.database.value(sql, remote.name)) if remote else 0


def is_reachable(cluster: "LabCluster", peer: LabPeerEntry) -> bool | None:
    """Tell whether the peer answered; None while it was not asked yet."""
    status = cluster.agent.status.get(peer.address)
    return None if status is None else not status.startswith("Not reachable")


def is_secure(cluster: "LabCluster", peer: LabPeerEntry) -> bool:
    """Tell whether every certificate of the peer is the one that was exchanged."""
    remote = cluster.lab.cluster_at(peer.address)
    known = cluster.agent.exchanged.get(peer.address)
    if not remote or not known:
        return False
    return all(known.get(node.name) == node.fingerprint for node in remote.nodes)


def peer_outcome(cluster: "LabCluster", peer: LabPeerEntry) -> str:
    """Return one outcome for everything that is known of a peer."""
    status = cluster.agent.status.get(peer.address)
    if status is None:
        return "information"
    good = status == "Completed" and is_secure(cluster, peer)
    return "passed" if good else "failed"


def status_entries(
    cluster: "LabCluster", peer: LabPeerEntry, words: Words, order: tuple[str, ...]
) -> list[PanelEntry]:
    """Return the rows of the status panel in a skin's order."""
    known = _entries(cluster, peer, words)
    return [entry for name in order for entry in known.get(name, [])]


def _entries(
    cluster: "LabCluster", peer: LabPeerEntry, words: Words
) -> dict[str, list[PanelEntry]]:
    status = cluster.agent.status.get(peer.address)
    completed = cluster.agent.completed.get(peer.address)
    if status is None:
        return {"sync_status": [PanelEntry(words("sync_status"), "", "")]}
    reachable = is_reachable(cluster, peer)
    done = status == "Completed"
    result = {
        "connectivity": [
            PanelEntry(
                words("connectivity"),
                "Reachable" if reachable else NOT_REACHABLE,
                "passed" if reachable else "failed",
            )
        ],
        "sync_status": [
            PanelEntry(
                words("sync_status"),
                "Completed" if done else f"Failed ({status})",
                "passed" if done else "failed",
            )
        ],
        "certificate": _certificates(cluster, peer, words),
        "users": [PanelEntry(words("users"), str(users_of(cluster, peer)))],
    }
    if float(cluster.release.short) >= 11:
        result["groups"] = [PanelEntry(words("groups"), "No conflict found", "passed")]
    if float(cluster.release.short) >= 12.5 and completed:
        result["synchronised"] = [
            PanelEntry(words("synchronised"), _date(completed, words))
        ]
    return result


def _certificates(
    cluster: "LabCluster", peer: LabPeerEntry, words: Words
) -> list[PanelEntry]:
    secure = is_secure(cluster, peer)
    remote = cluster.lab.cluster_at(peer.address)
    known = cluster.agent.exchanged.get(peer.address, {})
    text = "Connection is secure" if secure else "Certificate out-of-sync"
    whole = PanelEntry(words("certificate"), text, "passed" if secure else "failed")
    return [whole] + [
        PanelEntry(
            f"{words('certificate_of')} {node.name}",
            "tomcat",
            "passed" if known.get(node.name) == node.fingerprint else "failed",
        )
        for node in (remote.nodes if remote else [])
    ]


def _date(seconds: float, words: Words) -> str:
    when = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    if words.language == "de":
        return f"{when:%d.%m.%Y %H:%M:%S}"
    return f"{when:%b} {when.day}, {when.year} {when:%I:%M:%S %p}"
