"""Who is notified of what, the messages, and what was reported last."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.cluster_limits import (
    HangsOnClusters,
    Limit,
    ScopedManager,
    current_limit,
    limit_of,
)
from accounts.secrets import HoldsSecrets, SecretField
from base.fields import JSONField
from clusters.models import Cluster


class Topic(models.TextChoices):
    """What one can subscribe to."""

    PEER = "peer", "A peer failed, or passed again"
    PRESENCE = "presence", "Presence does not arrive, or arrives again"
    AGENT = "agent", "An Intercluster Sync Agent stopped"
    CERTIFICATE = "certificate", "A certificate expires in 30, 7 or 1 days, or changed"
    JOB = "job", "A job needs attention"
    CONSOLE = "console", "A part of the console itself fails, or works again"


# The topic of what somebody sends to try a receiver.
TEST = "test"


class Subscriber(HoldsSecrets):
    """Somebody or something that is notified: on a page, by mail or by a webhook."""

    class Channel(models.TextChoices):
        PAGE = "page", "On the page My notifications"
        MAIL = "mail", "By mail"
        WEBHOOK = "webhook", "Webhook"

    class Format(models.TextChoices):
        JSON = "json", "JSON of cupadmin, signed"
        SLACK = "slack", "Slack, or a chat that takes the same"
        TEAMS = "teams", "Microsoft Teams (Workflows)"
        TEMPLATE = "template", "JSON by a template"
        SYSLOG = "syslog", "Syslog (RFC 5424)"
        SNMP = "snmp", "SNMP trap (v2c)"

    secret_fields: ClassVar[tuple[str, ...]] = ("secret",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE
    )
    name = models.CharField(max_length=100, blank=True)
    email = models.EmailField("mail address", blank=True)
    url = models.CharField(
        "URL",
        max_length=500,
        blank=True,
        help_text="https://... receives each message by POST; syslog+udp://HOST:PORT,"
        " syslog+tcp://, syslog+tls:// or snmp:// each event.",
    )
    format = models.CharField(
        max_length=10, choices=Format.choices, default=Format.JSON
    )
    template = models.TextField(
        blank=True,
        help_text="For JSON by a template: a JSON object with $subject, $text, $url,"
        " $topic, $state, $key, $at, $count or $id in its strings.",
    )
    secret = SecretField()
    topics = JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "channel"],
                condition=Q(user__isnull=False),
                name="one_subscription_per_channel",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email or str(self.user)

    @property
    def secret_set(self) -> bool:
        return bool(self.secret)

    @property
    def limit(self) -> Limit | None:
        """What the person behind it may see; webhooks get everything."""
        return limit_of(self.user) if self.user else None

    @property
    def lock(self) -> str:
        return f"notify:{self.pk}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Queries over messages."""

    def of(self, user: Any) -> Self:
        """The messages that this person got, by whatever channel."""
        return self.filter(subscriber__user=user)

    def on_page(self, user: Any) -> Self:
        return self.of(user).filter(subscriber__channel=Subscriber.Channel.PAGE)

    def unread(self, user: Any) -> Self:
        return self.on_page(user).filter(read_at=None)

    def of_webhooks(self) -> Self:
        return self.filter(subscriber__channel=Subscriber.Channel.WEBHOOK)

    def undelivered(self, since: datetime) -> Self:
        """What was given up since then."""
        return self.filter(sent_at=None, created_at__gt=since).exclude(error="")

    def waiting(self) -> Self:
        """What is still to be sent; not to people who were deactivated."""
        found = self.filter(sent_at=None, error="")
        return found.exclude(subscriber__user__is_active=False)


def is_within(event: dict[str, Any], limit: Limit) -> bool:
    if event["topic"] == TEST:
        return True
    clusters = event.get("clusters") or []
    return bool(clusters) and all(map(limit.admits, clusters))


class Message(models.Model):
    """What a subscriber gets at once; open for more until it is sent."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="messages"
    )
    events = JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    # Nothing is added from here on, so that a repeated attempt sends the same.
    closed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    objects = models.Manager.from_queryset(MessageQuerySet)()

    # What became of it so far, where a page has asked for that.
    tried = ""

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber"],
                condition=Q(closed_at=None),
                name="one_open_message_per_subscriber",
            )
        ]

    def __str__(self) -> str:
        return self.subject

    def events_within(self, limit: Limit | None) -> list[dict[str, Any]]:
        """What somebody with this limit may see of it, or may still see."""
        if limit is None:
            return list(self.events)
        return [one for one in self.events if is_within(one, limit)]

    @property
    def visible_events(self) -> list[dict[str, Any]]:
        """What the requester may see; `events` is what is stored."""
        return self.events_within(current_limit())

    @property
    def state(self) -> str:
        if self.sent_at:
            return self.State.SENT
        return self.State.FAILED if self.error else self.State.WAITING

    @property
    def subject(self) -> str:
        return subject_of(self.visible_events)


def subject_of(events: list[dict[str, Any]]) -> str:
    first = str(events[0]["text"]) if events else "Nothing"
    more = len(events) - 1
    return f"{first} (and {more} more)"[:200] if more > 0 else first[:200]


class LastNotified(models.Model):
    """The state of a thing that was reported last; absent when all is well."""

    key = models.CharField(primary_key=True, max_length=120)
    state = models.CharField(max_length=40)
    since = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.state}"


class DetectionLock(models.Model):
    """One row, held while changes are looked for, so that none is reported twice."""

    looked_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Lock, held last at {self.looked_at}"


class MaintenanceQuerySet(models.QuerySet["Maintenance"]):
    """Queries over maintenance windows."""

    def open(self) -> Self:
        return self.filter(begins_at__lte=Now(), ends_at__gt=Now())

    def upcoming(self) -> Self:
        return self.filter(begins_at__gt=Now())

    def past(self) -> Self:
        """Newest first."""
        return self.filter(ends_at__lte=Now()).order_by("-ends_at", "-id")

    def end(self) -> int:
        """End what is open; what is planned stays."""
        return self.open().update(ends_at=Now())


class Maintenance(HangsOnClusters):
    """A time in which nobody is notified of a cluster's trouble."""

    class State(models.TextChoices):
        PLANNED = "planned"
        OPEN = "open"
        PAST = "past"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, related_name="maintenances"
    )
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )

    objects = ScopedManager.from_queryset(MaintenanceQuerySet)()

    class Meta:
        ordering = ["begins_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("begins_at")), name="window_ends_after_begin"
            )
        ]

    def __str__(self) -> str:
        return f"Maintenance of {self.cluster}"

    @property
    def state(self) -> str:
        now = timezone.now()
        if self.begins_at > now:
            return self.State.PLANNED
        return self.State.OPEN if self.ends_at > now else self.State.PAST
