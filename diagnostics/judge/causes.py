"""One fault, many crosses: which failed test is only the consequence of another."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from diagnostics.facts import Facts
from diagnostics.judge.tests import Finding, judged
from diagnostics.judge.verdict import Outcome

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
    "sync_data": ("sync_agent_service",),
    "associated_users": (
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
    ),
    "stale_sync": ("associated_users",),
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
    "provisioned": "a peer entry that is not as wanted",
    "reverse_peer": "the missing entry back",
    "protocol_match": "protocols that differ",
    "duplicate_peer": "a cluster that is peered twice",
    "unique_userids": "user IDs that occur on both clusters",
    "associated_users": "users that were not carried",
}


def findings(facts: Facts, chosen: frozenset[str] | None = None) -> Iterator[Finding]:
    """Judge everything, and say of each consequence what caused it."""
    found = list(judged(facts, chosen))
    failed = {
        (finding.test.code, subject)
        for finding in found
        if finding.verdict.outcome is Outcome.FAILED
        for subject in own_subject(finding)
    }
    return (explained(finding, failed) for finding in found)


def own_subject(finding: Finding) -> tuple[str, ...]:
    """Give the id of what a finding is about."""
    if finding.peer:
        return (finding.peer.peer.id,)
    if finding.node:
        return (finding.node.id,)
    return (finding.cluster.id,) if finding.cluster else ()


def explained(finding: Finding, failed: set[tuple[str, str]]) -> Finding:
    verdict = finding.verdict
    if verdict.outcome not in (Outcome.FAILED, Outcome.WARNING):
        return finding
    subjects = list(related(finding))
    for cause in CAUSES.get(finding.test.code, ()):
        if any((cause, subject) in failed for subject in subjects):
            problem = f"{verdict.problem} Caused by: {WORDS[cause]}."
            told = replace(verdict, problem=problem)
            return replace(finding, verdict=told, cause=cause)
    return finding


def related(finding: Finding) -> Iterable[str]:
    """Give the ids of what a finding depends on: its peers, nodes and clusters."""
    yield from own_subject(finding)
    view = finding.peer
    if view is None:
        if finding.cluster:
            yield finding.cluster.id
        if finding.cluster and not finding.node:
            yield from (node.id for node in finding.cluster.nodes)
        return
    if view.back:
        yield view.back.id
    if finding.test.code != "associated_users":
        yield from filter(None, [view.peer.target])
        return
    for cluster in filter(None, (view.home, view.remote)):
        yield cluster.id
        yield from (node.id for node in cluster.nodes)
