"""The sweep: every peer is checked by and by, a few clusters at a time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.utils import timezone

from diagnostics.checks import TOTAL, find_remotes
from diagnostics.collect import collect
from diagnostics.facts import ClusterFacts, Facts
from diagnostics.record import record_clusters, record_peers
from diagnostics.service_readings import allowed
from diagnostics.targets import ClusterTarget, clusters_of, peers_of
from jobs.locks import Busy
from jobs.models import Job
from jobs.run import Run
from peers.models import Cluster, Peer

T = TypeVar("T")

LOCK = "sweep"
CLUSTERS_AT_ONCE = 10
PEERS_AT_ONCE = 200
# Between two groups, so that a large mesh does not feel the sweep as one blow.
PAUSE = 0.5
KEPT = timedelta(days=1)


def sweep_due(interval: timedelta) -> bool:
    """Tell whether the last sweep began an interval ago; no interval, no sweeps."""
    if not interval or not Cluster.objects.exists():
        return False
    recent = Job.objects.filter(kind="sweep", created_at__gt=timezone.now() - interval)
    return not recent.exists()


def submit_sweep() -> Job | None:
    """Submit a sweep unless one is under way, and forget those of days ago."""
    Job.objects.filter(kind="sweep", finished_at__lt=timezone.now() - KEPT).delete()
    steps = [("clusters", "Look at every cluster"), ("peers", "Check every peer")]
    try:
        return Job.objects.submit("sweep", steps, label="of all peers", locks=[LOCK])
    except Busy:
        return None


def sweep(run: Run) -> None:
    """Collect the clusters, then their peers; a sweep that was cut starts over."""
    targets = clusters_of(Cluster.objects.prefetch_related("nodes"))
    facts: list[Facts] = []

    def clusters(step: object) -> str:
        facts.append(look_at_clusters(run, targets))
        return f"{len(targets)} clusters"

    run.do("clusters", clusters)
    if not facts:  # an earlier attempt did this step and took its facts with it
        facts.append(look_at_clusters(run, targets))
    run.do("peers", lambda step: check_all(run, facts[0], targets))


def look_at_clusters(run: Run, targets: list[ClusterTarget]) -> Facts:
    found: dict[str, ClusterFacts] = {}
    at = datetime.now(UTC)
    for group in groups(targets, CLUSTERS_AT_ONCE):
        run.check()
        with allowed(group) as asked:
            facts = collect(asked, total=TOTAL)
        record_clusters(facts)
        found |= facts.clusters
    return Facts(at, found)


def check_all(run: Run, facts: Facts, targets: list[ClusterTarget]) -> str:
    rows = Peer.objects.filter(removing=False).defer("entries").order_by("cluster")
    peers = list(rows)
    find_remotes(peers)
    held = peers_of(peers, targets)
    outcomes: list[str] = []
    for group in groups(held, PEERS_AT_ONCE):
        run.check()
        tried = collect([], group, held=held, total=TOTAL)
        outcomes += record_peers(
            replace(facts, peers=tried.peers, held=tried.held)
        ).values()
    return f"{len(outcomes)} peers, {outcomes.count('passed')} passed"


def groups(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(things), size):
        if first:
            time.sleep(PAUSE)
        yield things[first : first + size]
