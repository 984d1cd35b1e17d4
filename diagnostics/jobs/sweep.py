"""Sweep: check every peer, a few clusters at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.audit import CONSOLE, Actor
from accounts.roles import Role
from clusters.models import Cluster
from clusters.requests import is_near
from diagnostics.checks import TOTAL
from diagnostics.collect import held_peers
from diagnostics.elsewhere import Elsewhere, ask_elsewhere
from diagnostics.facts import Facts, merge_facts
from diagnostics.jobs.collect import CollectFacts
from diagnostics.near import (
    PEERS_AT_ONCE,
    Question,
    collect_groups,
    split_groups,
    try_groups,
)
from diagnostics.node_addresses import (
    ClusterTarget,
    PeerTarget,
    clusters_of,
    peers_of,
)
from diagnostics.remotes import find_remotes
from diagnostics.results_store import record_clusters, record_peers
from jobs.kind import JobKind, StepKind
from jobs.locks import Busy
from jobs.models import Job
from jobs.run import Run, Step
from peers.models import Peer

LOCK = "sweep"
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
        """Submit a sweep, and delete those of days ago, with what nobody judged.

        Raises:
            jobs.locks.Busy: one is under way.
        """
        long_ago = timezone.now() - SWEEP_RETENTION
        for kind in (cls, CollectFacts):
            kind.all().filter(finished_at__lt=long_ago).delete()
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
        rows = list(Cluster.objects.prefetch_related("nodes"))
        clusters = clusters_of(rows)
        # To open the passwords of all peers takes time.
        apart = any(not is_near(row) for row in rows)
        peers = every_peer(clusters) if apart else []
        question = Question(TOTAL, settings.PEER_CHECK_TIMEOUT, gently=True)
        with ask_elsewhere(rows, clusters, peers, question) as asked:
            facts: list[Facts] = []

            def read_clusters(step: Step) -> str:
                facts.append(collect_clusters(self.run, asked, question))
                return f"{len(clusters)} clusters"

            self.run.do(self.clusters, read_clusters)
            if not facts:  # an earlier attempt did this step and took its facts along
                facts.append(collect_clusters(self.run, asked, question))
            # Peers may have been edited since.
            peers = every_peer(clusters)
            found = replace(facts[0], held=held_peers(peers))
            near = [one for one in peers if one.id not in found.peers]
            self.run.do(
                self.peers, lambda step: check_all(self.run, found, near, question)
            )


def every_peer(clusters: Sequence[ClusterTarget]) -> list[PeerTarget]:
    rows = Peer.objects.filter(removing=False).defer("entries").order_by("cluster")
    peers = list(rows)
    find_remotes(peers)
    return peers_of(peers, clusters)


def collect_clusters(run: Run, asked: Elsewhere, question: Question) -> Facts:
    """Ask the clusters here and have what other sites asked, their peers with it."""
    groups = []
    for facts in collect_groups(asked.clusters, question, run.raise_if_cancelled):
        record_clusters(facts)
        groups.append(facts)
    for facts in asked.facts(run.raise_if_seen_cancelled):
        record_clusters(facts)
        groups.append(facts)
    return merge_facts(Facts(datetime.now(UTC), {}), groups)


def check_all(
    run: Run, facts: Facts, near: Sequence[PeerTarget], question: Question
) -> str:
    """Try these peers, and judge them and those that other sites tried."""
    outcomes: list[str] = []
    for tried in try_groups(near, question, run.raise_if_cancelled):
        outcomes += record_peers(replace(facts, peers=tried.peers)).values()
    for group in split_groups(list(facts.peers.items()), PEERS_AT_ONCE):
        outcomes += record_peers(replace(facts, peers=dict(group))).values()
    return f"{len(outcomes)} peers, {outcomes.count('passed')} passed"
