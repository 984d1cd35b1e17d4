"""One fault, many crosses: which failed test is only the consequence of another."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from diagnostics.facts import Facts, PeerFacts
from diagnostics.judge.mesh import doubled_peers, one_sided
from diagnostics.judge.tests import ALL, Codes, Finding, run_tests
from diagnostics.judge.verdict import Outcome

# What keeps the users of a cluster from its peers.
NOT_CARRIED = (
    "node_reachable",
    "address",
    "connect",
    "certificate",
    "axl",
    "credentials",
    "sync_agent",
    "provisioned",
    "reverse_peer",
    "protocol_match",
    "duplicate_peer",
    "unique_userids",
    "dns_reverse",
)
# Warnings that are the cause of something worse.
SERIOUS = {"initial_syncs"}
# Consequence: the tests that cause it, the first that failed is named.
CAUSES: dict[str, tuple[str, ...]] = {
    "node_axl": ("node_reachable",),
    "control_center": ("node_reachable", "node_axl"),
    "sip_answers": ("node_reachable", "sip_proxy_service"),
    "dns_reverse": ("dns_forward",),
    "dns_certificate_names": ("dns_forward",),
    "unique_uris": ("unique_userids",),
    "unique_mails": ("unique_userids",),
    "address": ("dns_forward",),
    "connect": ("node_reachable", "address"),
    "certificate": ("node_certificate", "certificate_expiry"),
    "axl": ("node_axl",),
    "credentials": ("axl_user",),
    "sip": ("node_reachable", "sip_proxy_service", "sip_answers"),
    "reverse_peer": ("provisioned",),
    "protocol_match": ("provisioned",),
    "duplicate_peer": ("address",),
    "xcp_connection_manager_service": ("xcp_router_service",),
    "xcp_authentication_service": ("xcp_router_service",),
    "xcp_sip_federation_service": ("xcp_router_service",),
    "shared_userids": ("unique_userids",),
    "shared_uris": ("unique_uris", "unique_userids", "shared_userids"),
    "shared_mails": ("unique_userids", "shared_userids"),
    "sync_data": ("sync_agent_service",),
    "associated_users": (*NOT_CARRIED, "stale_sync", "initial_syncs"),
    "mesh_complete": ("reverse_peer",),
    "unknown_entries": ("duplicate_peer",),
    "initial_syncs": NOT_CARRIED,
    "stale_sync": NOT_CARRIED,
    "left_users": ("sync_agent",),
}
WORDS = {
    "node_reachable": "a node that is not reachable",
    "node_axl": "AXL, which does not answer",
    "node_certificate": "the node's certificate",
    "certificate_expiry": "the node's certificate",
    "sip_proxy_service": "the SIP Proxy service",
    "sip_answers": "the SIP proxy of the node",
    "dns_forward": "DNS, which does not know the node",
    "dns_reverse": "DNS, which does not lead back to the node",
    "axl_user": "the AXL user of the cluster, which is refused as well",
    "address": "the peer address",
    "connect": "no connection to the peer",
    "certificate": "the certificate of the peer",
    "axl": "AXL of the peer",
    "credentials": "the user name, password or role of the peer",
    "sync_agent": "the Intercluster Sync Agent, which is not started everywhere",
    "sync_agent_service": "the Sync Agent service",
    "provisioned": "an entry that does not match the console",
    "reverse_peer": "the missing matching entry",
    "protocol_match": "protocols that differ",
    "duplicate_peer": "a cluster that is peered twice",
    "unique_userids": "user IDs that occur on both clusters",
    "unique_uris": "directory URIs that occur twice",
    "shared_userids": "user IDs that occur on both clusters",
    "xcp_router_service": "the XCP Router, which is not started",
    "initial_syncs": "several peers that carry their users for the first time",
    "stale_sync": "a sync that is stuck",
}


def judge_facts(
    facts: Facts, chosen: frozenset[str] | None = None, only: Codes = ALL
) -> Iterator[Finding]:
    """Judge everything, and say of each consequence what caused it."""
    found = list(run_tests(facts, chosen, only))
    failed = {
        (finding.test.code, own_subject(finding))
        for finding in found
        if is_cause(finding)
    }
    return (with_cause(finding, failed) for finding in found)


def is_cause(finding: Finding) -> bool:
    outcome, code = finding.verdict.outcome, finding.test.code
    return outcome is Outcome.FAILED or (outcome is Outcome.WARNING and code in SERIOUS)


def own_subject(finding: Finding) -> str:
    """Give the id of what a finding is about, "" for the whole mesh."""
    if finding.peer:
        return finding.peer.peer.id
    if finding.node:
        return finding.node.id
    return finding.cluster.id if finding.cluster else ""


def with_cause(finding: Finding, failed: set[tuple[str, str]]) -> Finding:
    verdict = finding.verdict
    if verdict.outcome not in (Outcome.FAILED, Outcome.WARNING):
        return finding
    subjects = list(related_ids(finding))
    for cause in CAUSES.get(finding.test.code, ()):
        if any((cause, subject) in failed for subject in subjects):
            problem = f"{verdict.problem} Caused by: {WORDS[cause]}."
            explained = replace(verdict, problem=problem)
            return replace(finding, verdict=explained, cause=cause)
    return finding


def related_ids(finding: Finding) -> Iterable[str]:
    """Give the ids of what a finding depends on: its peers, nodes and clusters."""
    yield own_subject(finding)
    view = finding.peer
    if view is None:
        if finding.cluster:
            yield finding.cluster.id
        if finding.cluster is None:  # the whole mesh
            yield from finding.view.clusters
        elif finding.node is None:
            yield from (node.id for node in finding.cluster.nodes)
        yield from (peer.id for peer in peers_behind(finding))
        return
    if view.back:
        yield view.back.id
    if finding.test.code not in ("associated_users", "stale_sync"):
        yield from filter(None, [view.peer.target])
        return
    for cluster in filter(None, (view.home, view.remote)):
        yield cluster.id
        yield from (node.id for node in cluster.nodes)


def peers_behind(finding: Finding) -> list[PeerFacts]:
    """Give the peers that may be to blame for what is said of a whole cluster."""
    if finding.test.code == "initial_syncs":
        peers = finding.view.facts.peers.values()
        return [peer for peer in peers if peer.home == finding.view.cluster.id]
    if finding.test.code == "mesh_complete":
        return one_sided(finding.view)
    if finding.test.code == "unknown_entries":
        return doubled_peers(finding.view)
    return []
