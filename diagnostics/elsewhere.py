"""Asking the clusters of other sites: by a job for each site, worked on by its workers.

A worker asks what it reaches itself, and meanwhile the workers of other sites ask what
they reach. They store facts and judge nothing: a peering of two sites can be judged
only by what the workers of both sites saw. What a site does not report in time is
unknown.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from clusters.models import Cluster
from diagnostics.absent import absent_cluster, absent_peer
from diagnostics.collect import Check, OnProgress
from diagnostics.facts import Facts
from diagnostics.facts_json import unpack_facts
from diagnostics.jobs.collect import CollectFacts
from diagnostics.models import SiteFacts
from diagnostics.near import CLUSTERS_AT_ONCE, PEERS_AT_ONCE, Question
from diagnostics.node_addresses import ClusterTarget, PeerTarget
from jobs import presence
from jobs.engine import perform_job
from jobs.models import Job
from jobs.sites import served_by, site_of
from jobs.waiting import served_queues

# Seconds until a worker of the site must have begun; longer, it has too much to do.
START = 30.0
POLL = 0.2
# Seconds after which a worker that waits does what other sites wait for.
HELP = 2.0


@dataclass(frozen=True)
class SiteShare:
    """What the workers of one queue are to ask, and the job in which they do."""

    queue: str
    clusters: Sequence[ClusterTarget]
    peers: Sequence[PeerTarget]
    job: Job | None = None

    def absent(self, why: str) -> Facts:
        """Give the facts of a share that nobody asked."""
        return Facts(
            datetime.now(UTC),
            {one.id: absent_cluster(one, why) for one in self.clusters},
            {one.id: absent_peer(one, why) for one in self.peers},
        )


@dataclass
class Elsewhere:
    """What is asked here, and what other sites were requested to ask."""

    clusters: list[ClusterTarget]
    peers: list[PeerTarget]
    shares: list[SiteShare] = field(default_factory=list)
    # Seconds that they have.
    total: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def facts(
        self,
        check: Check = lambda: None,
        on_progress: OnProgress = lambda name: None,
    ) -> list[Facts]:
        """Wait for the sites; give what each reported, or that it is unknown."""
        found = []
        for share in self.shares:
            found.append(self.facts_of(share, check))
            for cluster in share.clusters:
                on_progress(cluster.name)
        return found

    def facts_of(self, share: SiteShare, check: Check) -> Facts:
        place = place_of(share.queue)
        if share.job is None:
            return share.absent(f"No running worker serves {place}.")
        while self.is_awaited(share.job):
            check()
            time.sleep(POLL)
            if time.monotonic() - self.began > HELP:
                help_others()
        row = SiteFacts.objects.filter(job=share.job).first()
        late = share.absent(f"The workers of {place} did not report in time.")
        if row is None:
            return late
        found = unpack_facts(bytes(row.body))
        # What moved to another site meanwhile is unknown.
        return replace(
            found,
            clusters={**late.clusters, **found.clusters},
            peers={**late.peers, **found.peers},
        )

    def is_awaited(self, job: Job) -> bool:
        waited = time.monotonic() - self.began
        if waited > self.total + START:
            return False
        job.refresh_from_db(fields=["state"])
        if job.state == Job.State.QUEUED:
            return waited < START
        return job.active

    def drop(self) -> None:
        """Leave nothing behind: who asked has what it wanted, or wants it no more."""
        for job in filter(None, (share.job for share in self.shares)):
            SiteFacts.objects.filter(job=job).delete()
            job.refresh_from_db()
            if job.state == Job.State.SUCCEEDED:
                job.delete()
            elif job.active:
                job.cancel()


@contextmanager
def ask_elsewhere(
    rows: Sequence[Cluster],
    clusters: Sequence[ClusterTarget],
    peers: Sequence[PeerTarget],
    question: Question,
) -> Iterator[Elsewhere]:
    """Have each site ask its clusters, and the peers that lead to them, for the block.

    Args:
        rows: the clusters again, as the console has them.
    """
    queues = {str(row.pk): served_by(row.queue) for row in rows}
    far = {queue for queue in queues.values() if not presence.serves(queue)}
    asked = Elsewhere(
        [one for one in clusters if queues[one.id] not in far],
        [one for one in peers if queue_of_peer(one, queues) not in far],
    )
    served = served_queues() if far else set()
    try:
        for queue in sorted(far):
            share = SiteShare(
                queue,
                [one for one in clusters if queues[one.id] == queue],
                [one for one in peers if queue_of_peer(one, queues) == queue],
            )
            if queue in served:
                share = replace(share, job=submit_share(share, question))
            asked.shares.append(share)
            asked.total = max(asked.total, seconds_for(share, question))
        yield asked
    finally:
        asked.drop()


def seconds_for(share: SiteShare, question: Question) -> float:
    if not question.gently:
        return question.total
    clusters, peers = len(share.clusters), len(share.peers)
    groups = -(-clusters // CLUSTERS_AT_ONCE) + -(-peers // PEERS_AT_ONCE)
    return question.total * groups


def submit_share(share: SiteShare, question: Question) -> Job:
    clusters = [one.id for one in share.clusters]
    peers = [one.id for one in share.peers]
    return CollectFacts.submit(share.queue, clusters, peers, question)


def queue_of_peer(peer: PeerTarget, queues: Mapping[str, str]) -> str:
    """Whose workers try a peer: those near the nodes that its address leads to."""
    return queues.get(peer.remote or "") or queues.get(peer.home, "")


def place_of(queue: str) -> str:
    site = site_of(queue)
    return f"the site {site}" if site else f"the queue {queue}"


def help_others() -> None:
    """Do what another site waits for; else two that wait for each other, each with
    all its workers, would do so until both give up."""
    due = Job._base_manager.filter(pk__in=Job.objects.due(), kind=CollectFacts.name)
    for pk, queue in due.values_list("pk", "queue"):
        if presence.served_here() and presence.serves(queue):
            perform_job(str(pk), alone=True)
            return
