"""The tests of the troubleshooter: what each asks, of whom, and how it judges."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from diagnostics.answers import Answer
from diagnostics.facts import ClusterFacts, Facts, NodeFacts
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.sources import Source
from diagnostics.judge.verdict import Outcome, Verdict


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


class Level(StrEnum):
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
# The answers that a judgement rests on, each with what was asked.
Evidence = Callable[[Any], Mapping[str, Answer[Any]]]


def no_evidence(view: object) -> Mapping[str, Answer[Any]]:
    """Serve a test that rests on what the console itself holds."""
    return {}


@dataclass(frozen=True)
class Test:
    """One row of the page for each thing in its scope.

    Args:
        judge: gives None where the test does not apply.
        asks: what is asked, and of whom.
        meaning: what the outcomes other than passed mean, by outcome.
        sources: the documents that the fact behind it is from.
        evidence: the answers that it judges, for whoever wants to see them.
    """

    code: str
    section: Section
    scope: Level
    description: str
    judge: Judge
    asks: str
    meaning: dict[str, str]
    remedy: str
    sources: Sequence[Source]
    evidence: Evidence = no_evidence


TESTS: list[Test] = []


def register_test(
    section: Section,
    scope: Level,
    code: str,
    description: str,
    *,
    asks: str,
    remedy: str,
    sources: Sequence[Source],
    evidence: Evidence = no_evidence,
    **meaning: str,
) -> Callable[[Judge], Judge]:
    """Register the decorated judgement as a test."""

    def register(judge: Judge) -> Judge:
        TESTS.append(
            Test(
                code,
                section,
                scope,
                description,
                judge,
                asks,
                meaning,
                remedy,
                sources,
                evidence,
            )
        )
        return judge

    return register


@dataclass(frozen=True)
class Finding:
    """What a test said of one thing."""

    test: Test
    verdict: Verdict
    view: Any
    cluster: ClusterFacts | None = None
    node: NodeFacts | None = None
    peer: PeerView | None = None
    # The code of the failed test that this one is only the consequence of.
    cause: str = ""

    @property
    def evidence(self) -> Mapping[str, Answer[Any]]:
        return self.test.evidence(self.view)


Codes = frozenset[str]
ALL: Codes = frozenset()


def run_tests(
    facts: Facts, chosen: frozenset[str] | None = None, only: Codes = ALL
) -> Iterator[Finding]:
    """Judge everything, in the order of the page.

    Args:
        chosen: the clusters whose rows are wanted; the others only serve to
            compare with. None for all.
        only: the codes of the tests that are wanted. Empty for all.
    """
    for test_ in ordered_tests():
        if not only or test_.code in only:
            yield from _applies_to(test_, facts, chosen)


def ordered_tests() -> list[Test]:
    sections = list(Section)
    return sorted(TESTS, key=lambda test_: sections.index(test_.section))


def _applies_to(
    test_: Test, facts: Facts, chosen: frozenset[str] | None
) -> Iterator[Finding]:
    clusters = [c for c in facts.clusters.values() if chosen is None or c.id in chosen]
    for view, about in _views(test_.scope, facts, clusters):
        if verdict := test_.judge(view):
            yield Finding(test_, _as_row(verdict), view, *about)


def _as_row(verdict: Verdict) -> Verdict:
    """Show what is not known as information: the page has no sign of its own for it."""
    if verdict.outcome is not Outcome.UNKNOWN:
        return verdict
    return replace(verdict, outcome=Outcome.INFORMATION)


def _views(
    scope: Level, facts: Facts, clusters: list[ClusterFacts]
) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Give each thing that a test of this scope is about, as judgements see it."""
    if scope is Level.MESH:
        yield facts, ()
    elif scope is Level.CLUSTER:
        for cluster in clusters:
            yield ClusterView(cluster, facts), (cluster,)
    elif scope is Level.NODE:
        for cluster in clusters:
            for node in cluster.nodes:
                yield NodeView(node, cluster, facts), (cluster, node)
    else:
        ids = {cluster.id for cluster in clusters}
        for peer in facts.peers.values():
            if peer.home in ids:
                view = PeerView.of(facts, peer)
                yield view, (view.home, None, view)
