"""What people change about notifications, each with its audit entry."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.audit import Actor
from clusters.models import Cluster
from jobs.models import Job, from_now
from notifications import detect
from notifications.models import Maintenance, Message, Subscriber

WEBHOOK_FIELDS = ("name", "url", "format", "template", "topics")
WINDOW_FIELDS = ("begins_at", "ends_at", "reason")


class Over(Exception):
    """The maintenance window cannot be changed so any more."""


def new_secret() -> str:
    return secrets.token_urlsafe(32)


@transaction.atomic
def save_webhook(webhook: Subscriber, actor: Actor, *, secret: str = "") -> None:
    """Save a new or edited webhook; an empty secret keeps the one it has."""
    before = Subscriber.objects.filter(pk=webhook.pk).first()
    old = audit.field_values(before, WEBHOOK_FIELDS) if before else {}
    webhook.channel = Subscriber.Channel.WEBHOOK
    changes = audit.differences(old, audit.field_values(webhook, WEBHOOK_FIELDS))
    if secret:
        webhook.seal("secret", secret)
        changes["secret"] = [None, "changed"]
    webhook.save()
    action = "edit webhook" if before else "add webhook"
    audit.append_entry(actor, action, webhook, changes)


@transaction.atomic
def delete_webhook(webhook: Subscriber, actor: Actor) -> None:
    audit.append_entry(actor, "delete webhook", webhook)
    webhook.delete()


@transaction.atomic
def test_webhook(webhook: Subscriber, actor: Actor) -> tuple[Message, Job]:
    """Send a message that says that it is a test."""
    found = detect.queue_test(webhook)
    audit.append_entry(actor, "test webhook", webhook)
    return found


@transaction.atomic
def test_mail(subscription: Subscriber, actor: Actor) -> tuple[Message, Job]:
    """Send one's own mail address a message that says that it is a test."""
    found = detect.queue_test(subscription)
    audit.append_entry(actor, "test mail", subscription)
    return found


@transaction.atomic
def plan_window(
    cluster: Cluster,
    actor: Actor,
    *,
    begins_at: datetime | None = None,
    ends_at: datetime | None = None,
    length: timedelta = timedelta(0),
    reason: str = "",
) -> Maintenance:
    """Open a window now, or plan one; it ends at a time or after a length."""
    window = Maintenance(cluster=cluster, created_by=actor.user, reason=reason)
    # By the database's clock, as everything that compares with them.
    window.begins_at = begins_at or Now()
    window.ends_at = ends_at or (begins_at + length if begins_at else from_now(length))
    window.save()
    window.refresh_from_db()
    changes = audit.differences({}, audit.field_values(window, WINDOW_FIELDS))
    action = "plan maintenance" if begins_at else "begin maintenance"
    audit.append_entry(actor, action, window, changes)
    return window


@transaction.atomic
def edit_window(window: Maintenance, actor: Actor, values: dict[str, Any]) -> None:
    """Change what is still ahead.

    Raises:
        Over: the window is over, or has begun and its beginning is to change.
    """
    if window.state == Maintenance.State.PAST:
        raise Over("This maintenance is over.")
    is_open = window.state == Maintenance.State.OPEN
    if is_open and values.get("begins_at", window.begins_at) != window.begins_at:
        raise Over("This maintenance has started; its start cannot be changed.")
    old = audit.field_values(window, WINDOW_FIELDS)
    for name, value in values.items():
        setattr(window, name, value)
    window.save(update_fields=list(values))
    changes = audit.differences(old, audit.field_values(window, WINDOW_FIELDS))
    audit.append_entry(actor, "edit maintenance", window, changes)


@transaction.atomic
def end_maintenance(cluster: Cluster, actor: Actor) -> bool:
    """End what is open for the cluster; whether anything was."""
    ended = Maintenance.objects.filter(cluster=cluster).end()
    if ended:
        audit.append_entry(actor, "end maintenance", cluster)
    return bool(ended)


@transaction.atomic
def end_window(window: Maintenance, actor: Actor) -> None:
    """End it now; raises Over unless it is open."""
    if not Maintenance.objects.filter(pk=window.pk).end():
        raise Over(f"This maintenance is {window.state}, not open.")
    audit.append_entry(actor, "end maintenance", window)
    window.refresh_from_db()


@transaction.atomic
def cancel_window(window: Maintenance, actor: Actor) -> None:
    """Delete what has not begun; raises Over for anything else."""
    audit.append_entry(actor, "cancel maintenance", window)
    if not Maintenance.objects.upcoming().filter(pk=window.pk).delete()[0]:
        raise Over("This maintenance has started; end it instead.")
