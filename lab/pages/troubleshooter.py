"""The rows of the troubleshooter, each with the outcome that is true in the lab."""

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.agent import LabPeerEntry

from .screens import UNKNOWN, PanelSection, PanelTest
from .status import NOT_REACHABLE, is_reachable, is_secure

if TYPE_CHECKING:
    from lab.cluster import LabCluster

LISTED = 10
DUPLICATED = (
    "SELECT {column} FROM enduser WHERE {column} <> '' "
    "GROUP BY lower({column}) HAVING count(*) > 1"
)
MISSING = (
    "SELECT userid FROM enduser WHERE tkuserprofile = 1 AND ifnull({column}, '') = ''"
)


def all_sections(cluster: "LabCluster", list_path: str) -> list[PanelSection]:
    """Return all sections; `list_path` is where a link leads to correct peers."""
    return [
        PanelSection("Sync Agent Troubleshooter", _sync_agent(cluster)),
        PanelSection("SIP Proxy Troubleshooter", (_service(cluster, "SIP Proxy"),)),
        PanelSection("Presence Engine Troubleshooter", _presence_engine(cluster)),
        PanelSection("Inter-Clustering Troubleshooter", peer_tests(cluster, list_path)),
        PanelSection("Topology Troubleshooter", _topology(cluster)),
        PanelSection("User Troubleshooter", _users(cluster)),
    ]


def peer_tests(cluster: "LabCluster", list_path: str) -> tuple[PanelTest, ...]:
    entered = cluster.peers()
    exist = "Verify if there are any inter-cluster peer entries."
    if not entered:
        none = "There are no inter-cluster peer entries currently provisioned."
        return (PanelTest(exist, "information", none, none, list_path),)
    return (
        PanelTest(exist, "passed"),
        _service(cluster, "Intercluster Sync Agent"),
        *(_connection(cluster, peer, list_path) for peer in entered),
        _certificates(cluster, entered, list_path),
        _duplicates(cluster, entered, list_path),
    )


def _connection(cluster: "LabCluster", peer: LabPeerEntry, path: str) -> PanelTest:
    """One row for each peer, as the guide wants a check mark beside each."""
    name = f"Verify the connection to the inter-cluster peer. {peer.address}"
    status = cluster.agent.status.get(peer.address)
    if status is None:
        return PanelTest(name, "warning", "The peer was not synchronized yet.", "Wait.")
    if status == "Completed":
        return PanelTest(name, "passed")
    problem = status if is_reachable(cluster, peer) else NOT_REACHABLE
    return PanelTest(name, "failed", problem, "Correct the entry of the peer.", path)


def _certificates(
    cluster: "LabCluster", entered: list[LabPeerEntry], path: str
) -> PanelTest:
    name = (
        "Verify that each TLS-enabled inter-cluster peer has successfully exchanged "
        "security certificates"
    )
    bad = [
        p.address for p in entered if p.protocol == "TLS" and not is_secure(cluster, p)
    ]
    if not bad:
        return PanelTest(name, "passed")
    return PanelTest(
        name, "failed", _listed_names(bad), "Force Manual Sync on the peer.", path
    )


def _duplicates(
    cluster: "LabCluster", entered: list[LabPeerEntry], path: str
) -> PanelTest:
    name = "Verify that no two peers lead to the same cluster."
    seen: set[object] = set()
    double = []
    for peer in entered:
        remote = cluster.lab.cluster_at(peer.address)
        if remote and remote in seen:
            double.append(peer.address)
        seen.add(remote)
    if not double:
        return PanelTest(name, "passed")
    return PanelTest(name, "failed", _listed_names(double), "Delete one of them.", path)


def _service(cluster: "LabCluster", what: str) -> PanelTest:
    name = next(s.name for s in cluster.release.services if s.name.endswith(what))
    test = f"Verify that the {name} service is running."
    off = [n.name for n in cluster.nodes if not n.services[name].is_started]
    if not off:
        return PanelTest(test, "passed")
    return PanelTest(
        test, "failed", f"Not running: {_listed_names(off)}", "Start the service."
    )


def _sync_agent(cluster: "LabCluster") -> tuple[PanelTest, ...]:
    status = cluster.database.value("SELECT syncstatus FROM epassyncagentcfg") or ""
    name = "Verify that the sync agent has synchronized the relevant data."
    good = "failed" not in status
    done = (
        PanelTest(name, "passed")
        if good
        else PanelTest(name, "failed", status, "Check it.")
    )
    exists = PanelTest("Verify that the AXL settings entry exists.", "passed")
    return exists, done, _service(cluster, " Sync Agent")


def _presence_engine(cluster: "LabCluster") -> tuple[PanelTest, ...]:
    return _service(cluster, "Presence Engine"), _service(cluster, "OAM Agent")


def _topology(cluster: "LabCluster") -> tuple[PanelTest, ...]:
    sql = "SELECT userid FROM enduser WHERE tkuserprofile = 1 AND primarynodeid IS NULL"
    abnormal = (
        "SELECT name FROM enterprisenode WHERE subclusterid IS NOT NULL "
        "AND tkhaserverstate <> 3"
    )
    free = "SELECT name FROM enterprisenode WHERE subclusterid IS NULL AND id < 2801"
    return (
        _nobody_matches(cluster, "Verify that there are no unassigned users.", sql),
        _nobody_matches(cluster, "Verify that all available nodes are assigned.", free),
        _nobody_matches(
            cluster, "Verify that all nodes are in the Normal state.", abnormal
        ),
    )


def _users(cluster: "LabCluster") -> tuple[PanelTest, ...]:
    return (
        _nobody_matches(
            cluster,
            "Verify that all users have a unique User ID configured.",
            DUPLICATED.format(column="userid"),
        ),
        _nobody_matches(
            cluster,
            "Verify that all users have a Directory URI configured.",
            MISSING.format(column="directoryuri"),
        ),
        _nobody_matches(
            cluster,
            "Verify that all users have a unique Directory URI configured.",
            DUPLICATED.format(column="directoryuri"),
        ),
        _nobody_matches(
            cluster,
            "Verify that all users have a unique Mail ID configured.",
            DUPLICATED.format(column="mailid"),
        ),
    )


def _nobody_matches(cluster: "LabCluster", name: str, sql: str) -> PanelTest:
    """Return a test that passes when a query finds nobody."""
    found = [str(row[0]) for row in cluster.database.execute(sql)]
    if not found:
        return PanelTest(name, "passed")
    return PanelTest(name, "failed", _listed_names(found), "Correct what is listed.")


def _listed_names(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def without_outcomes(section: PanelSection) -> PanelSection:
    """Return a section whose outcomes are icons that no key explains."""
    tests = tuple(replace(test, outcome=UNKNOWN) for test in section.tests)
    return replace(section, tests=tests)
