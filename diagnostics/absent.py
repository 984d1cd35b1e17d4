"""Facts of what nobody could ask: all of it is unknown, and says why."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from diagnostics.answers import Answer
from diagnostics.collect_peer import as_held
from diagnostics.facts import ClusterFacts, NodeFacts, PeerFacts, UserFaults
from diagnostics.node_addresses import ClusterTarget, NodeTarget, PeerTarget

F = TypeVar("F", bound=Any)


def absent_cluster(cluster: ClusterTarget, why: str) -> ClusterFacts:
    facts = ClusterFacts(
        id=cluster.id,
        name=cluster.name,
        domain=cluster.domain,
        address_scheme=cluster.address_scheme,
        generation=cluster.generation,
        direct=cluster.direct,
        edition=cluster.edition,
        nodes=tuple(absent_node(node, why) for node in cluster.nodes),
        by_pages=cluster.by_pages,
        user_faults=unasked(UserFaults(), why),
    )
    return unasked(facts, why)


def absent_node(node: NodeTarget, why: str) -> NodeFacts:
    facts = NodeFacts(
        node.id,
        node.name,
        node.address.address,
        node.publisher,
        node.confirmed,
        node.resolved,
    )
    return unasked(facts, why)


def absent_peer(peer: PeerTarget, why: str) -> PeerFacts:
    return unasked(as_held(peer), why)


def unasked(facts: F, why: str) -> F:
    """Give the facts with each answer absent."""
    answer: Answer[Any] = Answer(late=True, absent=why)
    names = [f.name for f in fields(facts) if isinstance(f.default, Answer)]
    return replace(facts, **dict.fromkeys(names, answer))
