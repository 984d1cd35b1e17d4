"""What there is to tell, as the rows of the other apps say now."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from clusters.models import Node
from jobs.locks import JobLock
from jobs.models import Job
from notifications.jobs.send import SendNotifications
from notifications.models import Topic
from notifications.validation import LONGEST_WINDOW
from peers.models import Peer, PeerOutcome
from proof.models import Proof
from services.models import Service, sync_agents

EXPIRY_DAYS = (1, 7, 30)
WELL = ""
# A job in trouble is reported at the end of a maintenance, however long that was.
JOBS_OF = LONGEST_WINDOW + timedelta(days=1)


@dataclass(frozen=True)
class Observation:
    """The state of one thing.

    Args:
        key: names the cause; one cause is reported once.
        state: WELL, or what is wrong.
        clusters: a maintenance of any of them silences it.
        hangs_on: who is notified may see all of these; the same clusters unless said.
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


def observe_all(reported: Collection[str]) -> Iterator[Observation]:
    """Tell the state of all that can be known now; what is not known is left out.

    Args:
        reported: keys of what is known to be wrong; other peers that pass are left out.
    """
    yield from observe_peers(reported)
    yield from presence(reported)
    yield from observe_agents()
    yield from observe_certificates()
    yield from observe_jobs()


def observe_peers(reported: Collection[str]) -> Iterator[Observation]:
    ids = [key.partition(":")[2] for key in reported if key.startswith("peer:")]
    fixed = Q(outcome=PeerOutcome.PASSED, pk__in=ids)
    judged = Peer.objects.filter(Q(outcome=PeerOutcome.FAILED) | fixed, removing=False)
    for peer in judged.select_related("cluster"):
        failed = peer.outcome == PeerOutcome.FAILED
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


def presence(reported: Collection[str]) -> Iterator[Observation]:
    """Tell which peerings carry no presence, by the newest proof of each direction.

    A proof that fails on a peer that failed has its cause there, which is reported.
    """
    ids = [key.partition(":")[2] for key in reported if key.startswith("presence:")]
    arrives = Q(outcome=Proof.Outcome.PASSED, peer__in=ids)
    judged = Proof.objects.newest().provable().exclude(peer__outcome=PeerOutcome.FAILED)
    for proof in judged.filter(Q(outcome=Proof.Outcome.FAILED) | arrives):
        peer, failed = proof.peer, proof.outcome == Proof.Outcome.FAILED
        way = f"from {peer.remote_cluster} to {peer.cluster}"
        missing = f"Presence does not arrive {way}: {proof.problem}"
        both = frozenset(filter(None, (peer.cluster_id, peer.remote_cluster_id)))
        yield Observation(
            Topic.PRESENCE,
            f"presence:{peer.pk}",
            "failed" if failed else WELL,
            missing[:400] if failed else f"Presence arrives again {way}.",
            peer.get_absolute_url(),
            both,
        )


def observe_agents() -> Iterator[Observation]:
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


def observe_certificates() -> Iterator[Observation]:
    now = timezone.now()
    for node in Node.objects.select_related("cluster"):
        where = (node.get_absolute_url(), frozenset([node.cluster_id]))
        changed = node.certificate_state == Node.CertificateState.CHANGED
        yield Observation(
            Topic.CERTIFICATE,
            f"changed:{node.pk}",
            "changed" if changed else WELL,
            f"The certificate of {node} ({node.cluster}) has changed.",
            *where,
        )
        if node.certificate_not_after:
            state, words = expiry_state(node.certificate_not_after, now)
            text = f"The certificate of {node} ({node.cluster}) {words}."
            yield Observation(
                Topic.CERTIFICATE, f"expiry:{node.pk}", state, text, *where
            )


def expiry_state(not_after: datetime, now: datetime) -> tuple[str, str]:
    if not_after <= now:
        return "expired", "has expired"
    for days in EXPIRY_DAYS:
        if not_after - now <= timedelta(days=days):
            when = "a day" if days == 1 else f"{days} days"
            return f"{days} days", f"expires within {when}, on {not_after:%Y-%m-%d}"
    return WELL, ""


def observe_jobs() -> Iterator[Observation]:
    troubled = Job.objects.filter(
        state=Job.State.NEEDS_ATTENTION, finished_at__gt=timezone.now() - JOBS_OF
    ).exclude(kind=SendNotifications.name)
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
