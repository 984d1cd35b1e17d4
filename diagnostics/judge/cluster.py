"""The health of one cluster, in a word."""

from clusters.contacts import NOT_QUERIED
from diagnostics.facts import ClusterFacts, NodeFacts
from diagnostics.judge.peer import sync_agent
from diagnostics.judge.verdict import Outcome


def health_of(cluster: ClusterFacts) -> str:
    """Return ok, warning, failed or unknown; only what was seen to be good is ok."""
    publisher = cluster.publisher
    if publisher is None:
        return "unknown"
    if not publisher.axl.known:
        return "unknown" if was_not_asked(publisher) else "failed"
    troubled = [node for node in cluster.nodes if is_troubled(node)]
    late = any(map(is_late, cluster.nodes))
    agent = sync_agent(cluster).outcome
    if troubled or agent == Outcome.FAILED or (agent != Outcome.PASSED and not late):
        return "warning"
    return "unknown" if late else "ok"


def was_not_asked(node: NodeFacts) -> bool:
    """Whether the console could not ask, which says nothing about the node."""
    late = node.axl.late and not node.connect.failure
    return late or (node.connect.known and node.axl.code in NOT_QUERIED)


def is_troubled(node: NodeFacts) -> bool:
    answers = (node.connect, node.axl, node.services)
    return any(not answer.known and not answer.late for answer in answers)


def is_late(node: NodeFacts) -> bool:
    return node.connect.late or node.axl.late or node.services.late
