"""The tests of the troubleshooter: what each asks, of whom, and how it judges."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from diagnostics.facts import ClusterFacts, Facts, NodeFacts
from diagnostics.judge.peer import PeerView
from diagnostics.judge.verdict import Verdict


class Section(StrEnum):
    """The sections of the page, in its order."""

    INTER_CLUSTERING = "Inter-Clustering Troubleshooter"
    SYNC_AGENT = "Sync Agent Troubleshooter"
    TOPOLOGY = "Topology Troubleshooter"
    SIP_PROXY = "SIP Proxy Troubleshooter"
    PRESENCE_ENGINE = "Presence Engine Troubleshooter"
    XCP = "XCP Troubleshooter"
    USER = "User Troubleshooter"
    SYSTEM = "System Troubleshooter"


class Scope(StrEnum):
    """What one row of a test is about."""

    MESH = "mesh"
    CLUSTER = "cluster"
    NODE = "node"
    PEER = "peer"


@dataclass(frozen=True)
class ClusterView:
    """A cluster among the others."""

    cluster: ClusterFacts
    facts: Facts


@dataclass(frozen=True)
class NodeView:
    """A node of a cluster, among the others."""

    node: NodeFacts
    cluster: ClusterFacts
    facts: Facts


Judge = Callable[[Any], Verdict | None]


@dataclass(frozen=True)
class Test:
    """One row of the page for each thing in its scope.

    Args:
        judge: gives None where the test does not apply.
        asks: what is asked, and of whom.
        meaning: what the outcomes other than passed mean, by outcome.
        source: where the fact behind it comes from.
    """

    code: str
    section: Section
    scope: Scope
    description: str
    judge: Judge
    asks: str
    meaning: dict[str, str]
    remedy: str
    source: str


TESTS: list[Test] = []


def test(
    section: Section,
    scope: Scope,
    code: str,
    description: str,
    *,
    asks: str,
    remedy: str,
    source: str,
    **meaning: str,
) -> Callable[[Judge], Judge]:
    """Register the decorated judgement as a test."""

    def register(judge: Judge) -> Judge:
        TESTS.append(
            Test(
                code, section, scope, description, judge, asks, meaning, remedy, source
            )
        )
        return judge

    return register


@dataclass(frozen=True)
class Finding:
    """What a test said of one thing."""

    test: Test
    verdict: Verdict
    cluster: ClusterFacts | None = None
    node: NodeFacts | None = None
    peer: PeerView | None = None
    # The code of the failed test that this one is only the consequence of.
    cause: str = ""

    @property
    def details(self) -> dict[str, Any]:
        return {"asked": self.test.asks} | (
            {"caused_by": self.cause} if self.cause else {}
        )


def judged(facts: Facts, chosen: frozenset[str] | None = None) -> Iterator[Finding]:
    """Judge everything, in the order of the page.

    Args:
        chosen: the clusters whose rows are wanted; the others only serve as the
            other side. None for all.
    """
    for test_ in ordered():
        yield from _apply(test_, facts, chosen)


def ordered() -> list[Test]:
    sections = list(Section)
    return sorted(TESTS, key=lambda test_: sections.index(test_.section))


def _apply(
    test_: Test, facts: Facts, chosen: frozenset[str] | None
) -> Iterator[Finding]:
    clusters = [c for c in facts.clusters.values() if chosen is None or c.id in chosen]
    if test_.scope is Scope.MESH:
        if verdict := test_.judge(facts):
            yield Finding(test_, verdict)
    elif test_.scope is Scope.CLUSTER:
        for cluster in clusters:
            if verdict := test_.judge(ClusterView(cluster, facts)):
                yield Finding(test_, verdict, cluster)
    elif test_.scope is Scope.NODE:
        for cluster in clusters:
            for node in cluster.nodes:
                if verdict := test_.judge(NodeView(node, cluster, facts)):
                    yield Finding(test_, verdict, cluster, node)
    else:
        ids = {cluster.id for cluster in clusters}
        for peer in facts.peers.values():
            if peer.home in ids:
                view = PeerView.of(facts, peer)
                if verdict := test_.judge(view):
                    yield Finding(test_, verdict, view.home, None, view)
