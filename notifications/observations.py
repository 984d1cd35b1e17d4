"""What there is to tell, as the rows of the other apps say now."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from jobs.locks import JobLock
from jobs.models import Job
from notifications.models import Topic
from notifications.validation import LONGEST
from peers.models import Node, Outcome, Peer
from services.models import Service, sync_agents

EXPIRY_DAYS = (1, 7, 30)
WELL = ""
# A job in trouble is told at the end of a maintenance, however long that was.
JOBS_OF = LONGEST + timedelta(days=1)


@dataclass(frozen=True)
class Observation:
    """The state of one thing.

    Args:
        key: names the cause; one cause is told once.
        state: WELL, or what is wrong.
        clusters: a maintenance of any of them silences it.
        hangs_on: whom it is told may see all of these; the same clusters unless said.
    """

    topic: Topic
    key: str
    state: str
    text: str
    url: str
    clusters: frozenset[UUID] = frozenset()
    hangs_on: frozenset[UUID] | None = None

    @property
    def seen_on(self) -> list[str]:
        found = self.clusters if self.hangs_on is None else self.hangs_on
        return sorted(map(str, found))


def observe(told: Collection[str]) -> Iterator[Observation]:
    """Tell the state of all that can be known now; what is not known is left out.

    Args:
        told: keys of what is known to be wrong; other peers that pass are left out.
    """
    yield from peers(told)
    yield from agents()
    yield from certificates()
    yield from jobs()


def peers(told: Collection[str]) -> Iterator[Observation]:
    ids = [key.partition(":")[2] for key in told if key.startswith("peer:")]
    mended = Q(outcome=Outcome.PASSED, pk__in=ids)
    judged = Peer.objects.filter(Q(outcome=Outcome.FAILED) | mended, removing=False)
    for peer in judged.select_related("cluster"):
        failed = peer.outcome == Outcome.FAILED
        verb = "failed" if failed else "passed again"
        yield Observation(
            Topic.PEER,
            f"peer:{peer.pk}",
            "failed" if failed else WELL,
            f"Peer {peer} {verb}.",
            peer.get_absolute_url(),
            frozenset(filter(None, (peer.cluster_id, peer.remote_cluster_id))),
            frozenset([peer.cluster_id]),
        )


def agents() -> Iterator[Observation]:
    # A job that stops and starts it is no news.
    held = set(JobLock.objects.values_list("name", flat=True))
    for agent in sync_agents():
        known = agent.state in (Service.Status.STARTED, Service.Status.STOPPED)
        if not known or agent.service is None or agent.service.lock in held:
            continue
        yield Observation(
            Topic.AGENT,
            f"agent:{agent.node.pk}",
            WELL if agent.on else "stopped",
            f"{agent.name} on {agent.node} is stopped.",
            agent.service.get_absolute_url(),
            frozenset([agent.node.cluster_id]),
        )


def certificates() -> Iterator[Observation]:
    now = timezone.now()
    for node in Node.objects.select_related("cluster"):
        where = (node.get_absolute_url(), frozenset([node.cluster_id]))
        changed = node.certificate_state == Node.CertificateState.CHANGED
        yield Observation(
            Topic.CERTIFICATE,
            f"changed:{node.pk}",
            "changed" if changed else WELL,
            f"{node} ({node.cluster}) presents another certificate than confirmed.",
            *where,
        )
        if node.certificate_not_after:
            state, words = expiry(node.certificate_not_after, now)
            text = f"The certificate of {node} ({node.cluster}) {words}."
            yield Observation(
                Topic.CERTIFICATE, f"expiry:{node.pk}", state, text, *where
            )


def expiry(not_after: datetime, now: datetime) -> tuple[str, str]:
    if not_after <= now:
        return "expired", "has expired"
    for days in EXPIRY_DAYS:
        if not_after - now <= timedelta(days=days):
            when = "a day" if days == 1 else f"{days} days"
            return f"{days} days", f"expires within {when}, on {not_after:%Y-%m-%d}"
    return WELL, ""


def jobs() -> Iterator[Observation]:
    troubled = Job.objects.filter(
        state=Job.State.NEEDS_ATTENTION, finished_at__gt=timezone.now() - JOBS_OF
    ).exclude(kind="send-notifications")
    for job in troubled.prefetch_related("on"):
        # A retry ends a second time, which is a new cause.
        yield Observation(
            Topic.JOB,
            f"job:{job.pk}:{job.finished_at:%Y%m%d%H%M%S}",
            "needs attention",
            f"The job “{job}” needs attention: {job.error}"[:400],
            job.get_absolute_url(),
            frozenset(one.cluster for one in job.on.all()),
        )
