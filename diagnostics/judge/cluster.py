"""The health of one cluster, in a word."""

from diagnostics.facts import ClusterFacts, NodeFacts
from diagnostics.judge.peer import sync_agent
from diagnostics.judge.verdict import Outcome
from wire import Code

# The console was never allowed to ask: that says nothing about the node.
NOT_ASKED = {Code.CERTIFICATE_UNKNOWN, Code.POLICY}


def health_of(cluster: ClusterFacts) -> str:
    """Return ok, warning, failed or unknown; only what was seen to be good is ok."""
    publisher = cluster.publisher
    if publisher is None:
        return "unknown"
    if not publisher.axl.known:
        return "unknown" if asked_nothing(publisher) else "failed"
    troubled = [node for node in cluster.nodes if is_troubled(node)]
    if troubled or sync_agent(cluster).outcome != Outcome.PASSED:
        return "warning"
    return "ok"


def asked_nothing(node: NodeFacts) -> bool:
    return node.connect.known and node.axl.code in NOT_ASKED


def is_troubled(node: NodeFacts) -> bool:
    return not (node.connect.known and node.axl.known and node.services.known)
