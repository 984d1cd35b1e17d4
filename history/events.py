"""Looking for what changed: each difference to the last look becomes an event.

Edits, attestations, maintenance and changes of certificates are in the audit trail, and
jobs have rows of their own; neither is written again here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.cluster_limits import all_clusters
from clusters.models import Cluster, Node
from history.models import Event, EventLock, SeenState
from notifications.models import Message
from peers.models import Peer, PeerOutcome
from services.models import Service

# Messages sent before the console looked for the first time are not looked up.
FIRST_LOOK = timedelta(minutes=5)


@dataclass(frozen=True)
class ObservedState:
    """The state of one thing, and what to say if it is another than before.

    Args:
        state: empty where nothing is known; that is no change either way.
    """

    key: str
    state: str
    kind: str
    cluster: UUID
    sentence: str
    url: str
    at: datetime | None = None
    peer: UUID | None = None

    def event(self, now: datetime) -> Event:
        return Event(
            at=min(self.at or now, now),
            kind=self.kind,
            cluster_id=self.cluster,
            peer_id=self.peer,
            sentence=self.sentence[:400],
            url=self.url[:300],
        )


def record_changes() -> int:
    """Record what changed since the last look; return the number of events."""
    with all_clusters(), transaction.atomic():
        EventLock.objects.get_or_create(pk=1)
        row = EventLock.objects.select_for_update().get(pk=1)
        now = timezone.now()
        events = changed_events(now)
        events += sent_notifications(row.looked_at or now - FIRST_LOOK, now)
        Event.objects.bulk_create(events, batch_size=200)
        EventLock.objects.filter(pk=1).update(looked_at=now)
        return len(events)


def changed_events(now: datetime) -> list[Event]:
    known = dict(SeenState.objects.values_list("key", "state"))
    seen = {one.key: one for one in current_states() if one.state}
    new = [one for one in seen.values() if known.get(one.key) != one.state]
    SeenState.objects.bulk_create(
        [SeenState(key=one.key, state=one.state[:60]) for one in new],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["state"],
        batch_size=200,
    )
    return [one.event(now) for one in new if one.key in known]


def current_states() -> Iterator[ObservedState]:
    yield from peer_states()
    yield from node_states()
    yield from service_states()


def peer_states() -> Iterator[ObservedState]:
    """The outcome of each peer, and whether its entry is as the console has it."""
    rows = Peer.objects.filter(removing=False).with_drift()
    fields = ("pk", "cluster_id", "cluster__name", "address", "outcome", "checked_at")
    for pk, cluster, home, address, outcome, at, drifted, gone in rows.values_list(
        *fields, "drifted", "removed_there"
    ):
        url = reverse("peers:edit_peer", args=[pk])
        name = f"{address} on {home}"
        if at is not None:
            text = f"Peer {name} {OUTCOMES[outcome]}."
            kind = Event.Kind.OUTCOME
            yield ObservedState(f"peer:{pk}", outcome, kind, cluster, text, url, at, pk)
        state = "removed" if gone else "changed" if drifted else "same"
        text = f"The entry of peer {name} {DRIFTS[state]}"
        page = url if state == "same" else reverse("peers:drift", args=[pk])
        kind = Event.Kind.DRIFT
        yield ObservedState(f"drift:{pk}", state, kind, cluster, text, page, at, pk)


OUTCOMES = {
    PeerOutcome.PASSED: "passed",
    PeerOutcome.FAILED: "failed",
    PeerOutcome.WARNING: "has a warning",
    PeerOutcome.UNKNOWN: "has an unknown status",
}
DRIFTS = {
    "changed": "was changed on the cluster itself.",
    "removed": "was removed on the cluster itself.",
    "same": "matches the console again.",
}


def node_states() -> Iterator[ObservedState]:
    """Whether AXL of each node could be used; a problem is named by its sentence."""
    for node in Node.objects.exclude(contact_at=None):
        text = f"{node.name} cannot be used: {node.contact_error}"
        if not node.contact_code:
            text = f"{node.name} answers."
        yield ObservedState(
            f"node:{node.pk}",
            node.contact_code or "ok",
            Event.Kind.NODE,
            node.cluster_id,
            text,
            node.get_absolute_url(),
            node.contact_at,
        )


def service_states() -> Iterator[ObservedState]:
    """Services that run or do not; those on their way are neither."""
    settled = Q(status__in=(Service.Status.STARTED, Service.Status.STOPPED))
    rows = Service.objects.filter(settled).values_list(
        "pk", "name", "status", "observed_at", "node", "node__name", "node__cluster"
    )
    urls: dict[UUID, str] = {}
    for pk, name, status, at, node, node_name, cluster in rows:
        url = urls.setdefault(node, reverse("services:show", args=[node]))
        running = status == Service.Status.STARTED
        word = "running" if running else "not running any more"
        text = f"{name} on {node_name} is {word}."
        yield ObservedState(
            f"service:{pk}", status, Event.Kind.SERVICE, cluster, text, url, at
        )


def sent_notifications(since: datetime, until: datetime) -> list[Event]:
    """What subscribers were notified of, once for each channel."""
    sent = Message.objects.filter(sent_at__gt=since, sent_at__lte=until)
    clusters = set(Cluster.objects.values_list("pk", flat=True))
    found: dict[tuple[object, ...], Event] = {}
    for message in sent.select_related("subscriber"):
        channel = message.subscriber.channel
        for event in message.events:
            for pk in known_ids(event.get("clusters") or (), clusters):
                key = (channel, event["key"], event["state"], pk)
                found[key] = Event(
                    at=message.sent_at or until,
                    kind=Event.Kind.NOTIFICATION,
                    cluster_id=pk,
                    sentence=f"Notification ({channel}): {event['text']}"[:400],
                    url=event["url"][:300],
                )
    return list(found.values())


def known_ids(ids: Iterable[str], clusters: set[UUID]) -> Iterator[UUID]:
    return (pk for pk in map(UUID, ids) if pk in clusters)
