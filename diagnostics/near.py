"""Collecting what this process reaches, at the rate that nodes allow, and with accounts
that nobody else uses.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from diagnostics.collect import Check, gather_facts
from diagnostics.facts import Facts
from diagnostics.node_addresses import ClusterTarget, PeerTarget
from diagnostics.page_reading import reserve_accounts
from diagnostics.service_readings import allow_reading

T = TypeVar("T")

CLUSTERS_AT_ONCE = 10
PEERS_AT_ONCE = 200
# Between two groups, so that a large mesh does not feel the sweep as one blow.
PAUSE = 0.5


@dataclass(frozen=True)
class Question:
    """How clusters and peers are asked.

    Args:
        total: seconds for all of it, or for each group of those that are asked gently.
        peer_total: seconds for one peer.
        deep: ask also what only the troubleshooter judges.
        gently: some at a time, as a sweep does.
    """

    total: float
    peer_total: float
    deep: bool = False
    gently: bool = False

    def within(self, seconds: float) -> "Question":
        return replace(self, total=max(seconds, 0))


def collect_near(
    clusters: Sequence[ClusterTarget],
    peers: Sequence[PeerTarget],
    question: Question,
    **options: Any,
) -> Facts:
    """Ask these clusters and try these peers, all at once."""
    end = time.monotonic() + question.total
    with (
        allow_reading(clusters) as permitted,
        reserve_accounts(permitted, question.total) as reserved,
    ):
        return gather_facts(
            reserved,
            peers,
            deep=question.deep,
            total=max(end - time.monotonic(), 0),
            peer_total=question.peer_total,
            **options,
        )


def collect_groups(
    clusters: Sequence[ClusterTarget], question: Question, check: Check
) -> Iterator[Facts]:
    """Ask these clusters, some at a time."""
    for group in split_groups(clusters, CLUSTERS_AT_ONCE):
        check()
        yield collect_near(group, [], question)


def try_groups(
    peers: Sequence[PeerTarget], question: Question, check: Check
) -> Iterator[Facts]:
    """Try these peers, some at a time."""
    for group in split_groups(peers, PEERS_AT_ONCE):
        check()
        yield gather_facts(
            [], group, total=question.total, peer_total=question.peer_total
        )


def split_groups(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(things), size):
        if first:
            time.sleep(PAUSE)
        yield things[first : first + size]
