"""The audit trail: who changed what, written in the transaction of the change."""

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import cluster_limits
from accounts.models import AuditEntry, AuditHead
from base import request_ids

Changes = dict[str, list[Any]]


@dataclass(frozen=True)
class Actor:
    """Who asks, and from where; the console itself has neither."""

    user: User | None = None
    address: str | None = None
    request_id: str = ""
    job_id: str = ""
    name: str = "cupadmin"

    @property
    def label(self) -> str:
        return self.user.get_username() if self.user else self.name


CONSOLE = Actor()


def actor_of(request: HttpRequest, user: Any = None) -> Actor:
    """Return who sends this request of a page or of REST."""
    user = user or request.user
    return _actor(request, user if isinstance(user, User) else None)


def unknown_actor(request: HttpRequest | None) -> Actor:
    """Return somebody who has not proved who they are."""
    return _actor(request, None) if request else Actor(name="anonymous")


def _actor(request: HttpRequest, user: User | None) -> Actor:
    return Actor(
        user,
        request.META.get("REMOTE_ADDR") or None,
        getattr(request, "request_id", ""),
        name="anonymous",
    )


@dataclass(frozen=True)
class AuditEvent:
    """One thing that is to be written to the trail."""

    action: str
    target: models.Model | None = None
    changes: Changes | None = None
    label: str = ""


def append_entry(
    actor: Actor,
    action: str,
    target: models.Model | None = None,
    changes: Changes | None = None,
    *,
    label: str = "",
) -> AuditEntry:
    """Append an entry; its hash covers the entry before it, so gaps show."""
    return record_all(actor, [AuditEvent(action, target, changes, label)])[0]


@transaction.atomic
def record_all(actor: Actor, events: Iterable[AuditEvent]) -> list[AuditEntry]:
    """Append an entry for each event, in a few statements however many they are."""
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    entries = []
    for event in events:
        entry = entry_of(actor, event, head)
        head.hash, head.number = entry.hash, entry.number
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries, batch_size=200)
    AuditHead.objects.filter(pk=1).update(hash=head.hash, number=head.number)
    return entries


def entry_of(actor: Actor, event: AuditEvent, head: AuditHead) -> AuditEntry:
    """Make the entry that follows the head of the chain."""
    target = event.target
    entry = AuditEntry(
        number=head.number + 1,
        at=timezone.now(),
        actor=actor.label,
        action=event.action,
        object_type=(target._meta.model_name or "") if target else "",
        object_id=str(target.pk) if target else "",
        object_label=(event.label or (str(target) if target else ""))[:255],
        cluster=cluster_of(target),
        changes=event.changes or {},
        address=plain_address(actor.address),
        request_id=actor.request_id or request_ids.current_request_id(),
        job_id=actor.job_id or request_ids.current_job.get(),
        previous_hash=head.hash,
    )
    entry.hash = entry_digest(entry)
    return entry


def field_values(row: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    """These fields as an entry can hold them."""
    values = {name: getattr(row, name) for name in fields}
    return {
        name: value.isoformat(timespec="seconds")
        if isinstance(value, datetime)
        else value
        for name, value in values.items()
    }


def cluster_of(target: models.Model | None) -> UUID | None:
    """The one cluster that it hangs on; None where there are several, or none."""
    clusters = cluster_limits.clusters_of(target)
    return clusters.pop() if len(clusters) == 1 else None


def record_refusal(request: Any) -> None:
    """Record that somebody tried what the role does not allow."""
    label = f"{request.method} {request.path}"
    record_once_a_minute(actor_of(request), "refuse access", label)


def record_once_a_minute(actor: Actor, action: str, label: str) -> None:
    """Record what anybody can repeat at will, once for an address."""
    # A stranger sees no entries, so the limit of the request does not count here.
    same = AuditEntry._base_manager.filter(
        actor=actor.label,
        action=action,
        object_label=label[:255],
        address=plain_address(actor.address),
        at__gt=timezone.now() - timedelta(minutes=1),
    )
    if not same.exists():
        append_entry(actor, action, label=label[:255])


def plain_address(text: str | None) -> str | None:
    """Return the one way to write an address, so that a hash over it stays true."""
    try:
        address = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def entry_digest(entry: AuditEntry) -> str:
    fields = [
        entry.previous_hash,
        entry.number,
        entry.at.isoformat(),
        entry.actor,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.object_label,
        entry.changes,
        entry.address,
        entry.request_id,
        entry.job_id,
    ]
    # Entries from before clusters were noted have no such field.
    fields += [str(entry.cluster)] if entry.cluster else []
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """Return {field: [old, new]} for what differs."""
    return {
        name: [old.get(name), value]
        for name, value in new.items()
        if old.get(name) != value
    }


@dataclass(frozen=True)
class ChainFault:
    """Where the chain does not hold; as text a sentence."""

    code: str
    first: int
    last: int
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def chain_faults() -> Iterator[ChainFault]:
    """Walk the chain from its beginning and yield its faults."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead(pk=1)
    number, previous = head.pruned_number, head.pruned_hash
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=2000):
        at = entry.number
        if at != number + 1:
            text = f"Entries {number + 1} to {at - 1} are missing."
            yield ChainFault("missing", number + 1, at - 1, text)
        elif entry.previous_hash != previous:
            text = f"Entry {at} does not follow the one before it."
            yield ChainFault("unlinked", at, at, text)
        if entry.hash != entry_digest(entry):
            text = f"Entry {at} was changed after it was written."
            yield ChainFault("changed", at, at, text)
        number, previous = at, entry.hash
    if (number, previous) != (head.number, head.hash):
        text = f"The chain ends at entry {number}; it was written up to {head.number}."
        yield ChainFault("cut", number, head.number, text)


def count_entries() -> int:
    """How many entries the chain has, by its two ends: nothing lies between them."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead(pk=1)
    return head.number - head.pruned_number


@transaction.atomic
def prune_entries(before: datetime) -> int:
    """Delete entries older than this from the beginning of the chain on.

    The chain then begins with the last deleted entry's hash, and the deletion is an
    entry itself.
    """
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    first_left = AuditEntry.objects.filter(at__gte=before).order_by("number").first()
    old = AuditEntry.objects.all()
    if first_left is not None:
        old = old.filter(number__lt=first_left.number)
    last = old.order_by("-number").first()
    if last is None:
        return 0
    # First, since the database refuses to delete what is not pruned.
    AuditHead.objects.filter(pk=1).update(
        pruned_number=last.number, pruned_hash=last.hash
    )
    deleted = AuditEntry.objects.filter(number__lte=last.number).delete()[0]
    append_entry(CONSOLE, "prune audit", changes={"entries": [deleted, 0]})
    return deleted
