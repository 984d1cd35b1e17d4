"""Sweep: check every peer, a few clusters at a time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from accounts.audit import CONSOLE, Actor
from accounts.roles import Role
from clusters.models import Cluster
from diagnostics.checks import TOTAL, find_remotes
from diagnostics.collect import gather_facts
from diagnostics.facts import ClusterFacts, Facts
from diagnostics.node_addresses import (
    ClusterTarget,
    clusters_of,
    peers_of,
)
from diagnostics.page_reading import reserve_accounts
from diagnostics.results_store import record_clusters, record_peers
from diagnostics.service_readings import allow_reading
from jobs.kind import JobKind, StepKind
from jobs.locks import Busy
from jobs.models import Job
from jobs.run import Run, Step
from peers.models import Peer

T = TypeVar("T")

LOCK = "sweep"
CLUSTERS_AT_ONCE = 10
PEERS_AT_ONCE = 200
# Between two groups, so that a large mesh does not feel the sweep as one blow.
PAUSE = 0.5
SWEEP_RETENTION = timedelta(days=1)


class Sweep(JobKind):
    name = "sweep"
    label = "Sweep"
    role = Role.OPERATOR

    clusters = StepKind("Read every cluster")
    peers = StepKind("Check every peer")

    @classmethod
    def due(cls, interval: timedelta) -> bool:
        """Whether the last sweep started an interval ago; no interval, no sweeps."""
        if not interval or not Cluster.objects.exists():
            return False
        recent = cls.all().filter(created_at__gt=timezone.now() - interval)
        return not recent.exists()

    @classmethod
    def submit(cls, actor: Actor = CONSOLE) -> Job:
        """Submit a sweep, and delete those of days ago.

        Raises:
            jobs.locks.Busy: one is under way.
        """
        cls.all().filter(finished_at__lt=timezone.now() - SWEEP_RETENTION).delete()
        return Job.objects.submit(
            cls,
            [cls.clusters.planned(), cls.peers.planned()],
            label="of all peers",
            locks=[LOCK],
            user=actor.user,
            address=actor.address,
        )

    @classmethod
    def submit_when_free(cls) -> Job | None:
        """Submit a sweep unless one is under way; that one does as well."""
        try:
            return cls.submit()
        except Busy:
            return None

    def work(self) -> None:
        """Collect the clusters, then their peers; a sweep that was cut starts over."""
        targets = clusters_of(Cluster.objects.prefetch_related("nodes"))
        facts: list[Facts] = []

        def read_clusters(step: Step) -> str:
            facts.append(collect_clusters(self.run, targets))
            return f"{len(targets)} clusters"

        self.run.do(self.clusters, read_clusters)
        if not facts:  # an earlier attempt did this step and took its facts with it
            facts.append(collect_clusters(self.run, targets))
        self.run.do(self.peers, lambda step: check_all(self.run, facts[0], targets))


def collect_clusters(run: Run, targets: list[ClusterTarget]) -> Facts:
    found: dict[str, ClusterFacts] = {}
    at = datetime.now(UTC)
    for group in split_groups(targets, CLUSTERS_AT_ONCE):
        run.raise_if_cancelled()
        with (
            allow_reading(group) as allowed_now,
            reserve_accounts(allowed_now, TOTAL) as permitted,
        ):
            facts = gather_facts(permitted, total=TOTAL)
        record_clusters(facts)
        found |= facts.clusters
    return Facts(at, found)


def check_all(run: Run, facts: Facts, targets: list[ClusterTarget]) -> str:
    rows = Peer.objects.filter(removing=False).defer("entries").order_by("cluster")
    peers = list(rows)
    find_remotes(peers)
    held = peers_of(peers, targets)
    outcomes: list[str] = []
    one: float = settings.PEER_CHECK_TIMEOUT
    for group in split_groups(held, PEERS_AT_ONCE):
        run.raise_if_cancelled()
        tried = gather_facts([], group, held=held, total=TOTAL, peer_total=one)
        outcomes += record_peers(
            replace(facts, peers=tried.peers, held=tried.held)
        ).values()
    return f"{len(outcomes)} peers, {outcomes.count('passed')} passed"


def split_groups(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(things), size):
        if first:
            time.sleep(PAUSE)
        yield things[first : first + size]
