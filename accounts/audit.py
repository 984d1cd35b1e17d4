"""The audit trail: who changed what, written in the transaction of the change."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AuditEntry, AuditHead

Changes = dict[str, list[Any]]


@dataclass(frozen=True)
class Actor:
    """Who asks, and from where; the console itself has neither."""

    user: User | None = None
    address: str | None = None

    @property
    def label(self) -> str:
        return self.user.get_username() if self.user else "cupadmin"


CONSOLE = Actor()


def actor_of(request: HttpRequest) -> Actor:
    user = request.user if isinstance(request.user, User) else None
    return Actor(user, request.META.get("REMOTE_ADDR") or None)


def record(
    actor: Actor,
    action: str,
    target: models.Model | None = None,
    changes: Changes | None = None,
    *,
    label: str = "",
) -> AuditEntry:
    """Append an entry; its hash covers the entry before it, so gaps show."""
    with transaction.atomic():
        head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
        entry = AuditEntry(
            at=timezone.now(),
            actor=actor.label,
            action=action,
            object_type=(target._meta.model_name or "") if target else "",
            object_id=str(target.pk) if target else "",
            object_label=(label or (str(target) if target else ""))[:255],
            changes=changes or {},
            address=actor.address,
            previous_hash=head.hash,
        )
        entry.hash = digest(entry)
        entry.save(force_insert=True)
        AuditHead.objects.filter(pk=1).update(hash=entry.hash)
    return entry


def digest(entry: AuditEntry) -> str:
    fields = [
        entry.previous_hash,
        entry.at.isoformat(),
        entry.actor,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.object_label,
        entry.changes,
        entry.address,
    ]
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """Return {field: [old, new]} for what differs."""
    return {
        name: [old.get(name), value]
        for name, value in new.items()
        if old.get(name) != value
    }
