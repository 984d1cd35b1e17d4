"""The guide of a guided cluster: what a person does there, with the exact values."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from clusters.models import Node
from clusters.validation import clean_host
from jobs.locks import JobLock
from jobs.models import Job, JobStep
from peers.jobs.provision import ProvisionPeer
from peers.jobs.remove import RemovePeer
from peers.locks import lock_of
from peers.models import Peer


@dataclass(frozen=True)
class Value:
    """A field of the publisher's own page, and what to enter there."""

    label: str
    text: str


@dataclass(frozen=True)
class LastCheck:
    """When the console looked for the result, and what it saw."""

    at: datetime
    sentence: str


@dataclass(frozen=True)
class Guide:
    """What is left to do by hand for a peer."""

    peer: Peer
    job: Job | None

    @classmethod
    def of(cls, peer: Peer) -> "Guide":
        return cls(peer, job_of(peer))

    @property
    def waiting(self) -> bool:
        return self.job is not None and self.job.active

    @property
    def removal(self) -> bool:
        return self.job is not None and self.job.kind == RemovePeer.name

    @property
    def editing(self) -> bool:
        return bool(self.peer.applied_address)

    @property
    def publisher(self) -> Node | None:
        return self.peer.cluster.publisher

    @property
    def url(self) -> str:
        """The administration page of the publisher; empty where no host is named."""
        page = self.peer.cluster.profile.pages["administration"]
        try:
            # A cluster says how its nodes are called, and a link leads there.
            host = clean_host(self.publisher.address if self.publisher else "")
        except ValidationError:
            return ""
        return f"https://[{host}]{page}" if ":" in host else f"https://{host}{page}"

    @property
    def page(self) -> str:
        return self.peer.cluster.profile.labels["inter_clustering"]

    @property
    def values(self) -> list[Value]:
        """The fields in the order of the product's page, the passwords apart."""
        profile, peer = self.peer.cluster.profile, self.peer
        found = [
            Value(profile.labels["peer_address"], peer.address),
            Value(profile.labels["username"], peer.username),
            Value(profile.labels["preferred_protocol"], peer.protocol),
        ]
        mask = peer.external_phone_number_mask
        if mask and profile.has_mask:
            found.append(Value(profile.labels["external_phone_number_mask"], mask))
        return found

    @property
    def password_labels(self) -> str:
        labels = self.peer.cluster.profile.labels
        return f"{labels['password']}, {labels['confirm_password']}"

    @property
    def restart(self) -> str:
        rules = self.peer.cluster.profile.restart_rules
        return rules.get("after_delete" if self.removal else "after_add", "")

    @property
    def steps(self) -> list[JobStep]:
        """The steps about this peer; the job may be about many."""
        if self.job is None:
            return []
        about = [
            s for s in self.job.steps.all() if s.key.startswith(f"{self.peer.pk}:")
        ]
        return about or list(self.job.steps.all())

    @property
    def last_check(self) -> LastCheck | None:
        for step in self.steps:
            at = step.memo.get("looked_at")
            if at:
                return LastCheck(
                    datetime.fromisoformat(at), step.memo.get("sentence", "")
                )
        return None


def entry_jobs(peer: Peer) -> QuerySet[Job]:
    """The jobs that bring this peer to its cluster or remove it, the latest first."""
    kinds = (ProvisionPeer.name, RemovePeer.name)
    jobs: QuerySet[Job] = Job.objects.for_target(peer).filter(kind__in=kinds)
    return jobs.prefetch_related("steps")


def job_of(peer: Peer) -> Job | None:
    """The job that works on the peer now, be it about many; else its own last one."""
    lock = JobLock.objects.filter(name=lock_of(peer)).first()
    jobs = entry_jobs(peer)
    if lock:
        jobs = Job.objects.filter(pk=lock.job_id).prefetch_related("steps")
    return jobs.first()


def run_waiting_job(peer: Peer) -> bool:
    """Have the waiting job look at once; False if none waits."""
    with transaction.atomic():
        job = job_of(peer)
        waiting = Job.objects.filter(pk=job and job.pk, state=Job.State.QUEUED)
        if job is None or not waiting.update(not_before=Now(), ring_at=Now()):
            return False
        transaction.on_commit(job.ring, robust=True)
    return True
