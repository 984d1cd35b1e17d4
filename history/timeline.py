"""What happened on a cluster or to a peer: events, jobs and the audit trail, as one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.models import AuditEntry
from clusters.models import Cluster
from diagnostics.jobs.sweep import Sweep
from history.models import Event
from jobs.models import Job, JobCluster
from notifications.jobs.send import SendNotifications
from peers.models import Peer
from ui.templatetags.ui import field_words

# The kind of an audit entry, by a word of its action; all others are edits.
KINDS = (
    ("maintenance", "maintenance"),
    ("attest", "attestation"),
    ("certificate", "certificate"),
)
# Jobs tell what they did, so the entry that requests one says nothing more.
REQUESTS = (
    "check peer",
    "start sweep",
    "run troubleshooter",
    "test cluster",
    "discover cluster",
    "refresh services",
    "refuse access",
)
# What happens to a cluster matters to the peers of both its ends.
AROUND_PEER = (Event.Kind.SERVICE, Event.Kind.NODE)
# A sweep looks at everything every few minutes and changes nothing.
ROUTINE = (Sweep.name, SendNotifications.name)


@dataclass(frozen=True)
class Item:
    """One line of a timeline."""

    at: datetime
    kind: str
    sentence: str
    url: str = ""
    actor: str = ""


class Timeline:
    """Several tables merged, newest first; a slice reads no more than it needs."""

    def __init__(
        self,
        events: QuerySet[Event],
        entries: QuerySet[AuditEntry],
        jobs: QuerySet[Job],
        *,
        may_audit: bool,
    ) -> None:
        self.events = events
        self.entries = entries.exclude(action__in=REQUESTS)
        self.jobs = jobs.exclude(kind__in=ROUTINE)
        self.may_audit = may_audit

    def count(self) -> int:
        return sum(rows.count() for rows in (self.events, self.entries, self.jobs))

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, window: slice) -> list[Item]:
        end = window.stop
        parts = (
            map(of_event, self.events.order_by("-at", "-id")[:end]),
            map(self.of_entry, self.entries.order_by("-number")[:end]),
            map(of_job, self.newest_jobs(end)),
        )
        items = merge(*parts, key=lambda item: item.at, reverse=True)
        return list(items)[window.start : end]

    def newest_jobs(self, end: int) -> Iterator[Job]:
        return iter(
            self.jobs.select_related("requested_by").order_by("-created_at", "-id")[
                :end
            ]
        )

    def of_entry(self, entry: AuditEntry) -> Item:
        kind = next((kind for word, kind in KINDS if word in entry.action), "edit")
        fields = ", ".join(
            field_words(name, entry.object_type) for name in entry.changes
        )
        sentence = f"{entry.action.capitalize()}: {entry.object_label}"
        if fields:
            sentence += f" ({fields})"
        return Item(entry.at, kind, sentence, self.url_of(entry), entry.actor)

    def url_of(self, entry: AuditEntry) -> str:
        if self.may_audit:
            return reverse("accounts:audit_entry", args=[entry.pk])
        return ""


def of_event(event: Event) -> Item:
    return Item(event.at, event.kind, event.sentence, event.url)


def of_job(job: Job) -> Item:
    state = job.get_state_display().lower()
    actor = job.requested_by.get_username() if job.requested_by else ""
    sentence = f"{job}: {state}."
    if job.visible_error:
        sentence += f" {job.visible_error}"
    return Item(job.created_at, "job", sentence, job.get_absolute_url(), actor)


def of_cluster(cluster: Cluster, *, may_audit: bool) -> Timeline:
    touching = JobCluster.objects.filter(cluster=cluster.pk).values("job")
    return Timeline(
        Event.objects.filter(cluster=cluster),
        AuditEntry.objects.filter(cluster=cluster.pk),
        Job.objects.filter(pk__in=touching),
        may_audit=may_audit,
    )


def of_peer(peer: Peer, *, may_audit: bool) -> Timeline:
    """The peer's own, and what happened to the nodes and services of both clusters."""
    ends = [pk for pk in (peer.cluster_id, peer.remote_cluster_id) if pk]
    around = Q(cluster__in=ends, kind__in=AROUND_PEER)
    own = Q(object_type="peer", object_id=str(peer.pk))
    theirs = Q(cluster__in=ends) & (
        Q(action__contains="certificate") | Q(action__contains="maintenance")
    )
    return Timeline(
        Event.objects.filter(Q(peer=peer) | around),
        AuditEntry.objects.filter(own | theirs),
        Job.objects.for_target(peer),
        may_audit=may_audit,
    )
