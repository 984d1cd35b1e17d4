"""The processes of the console, wherever they run, by their heartbeats."""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.db.models.functions import Now

from base.fields import JSONField
from jobs.models.clock import from_now

if TYPE_CHECKING:
    from jobs.models.jobs import Job

# A process whose last heartbeat is older does not run any more, or is not able to. Less
# than what is left of a lease when its worker ends, so that the end is known by then.
ALIVE = timedelta(seconds=15)
# So long a process that ended is still shown.
SHOWN_FOR = timedelta(days=1)


class ProcessQuerySet(models.QuerySet["Process"]):
    """Queries by the database's clock."""

    def alive(self) -> Self:
        return self.filter(last_seen__gt=from_now(-ALIVE))

    def with_signs(self) -> Self:
        """Annotate `running`: whether the last heartbeat is recent enough."""
        recent = Q(last_seen__gt=from_now(-ALIVE))
        return self.annotate(
            running=ExpressionWrapper(recent, output_field=models.BooleanField())
        )

    def forgotten(self) -> Self:
        return self.filter(last_seen__lt=from_now(-SHOWN_FOR))


class Process(models.Model):
    """A process of the console: where it runs, what it serves, if it is alive."""

    class Kind(models.TextChoices):
        WEB = "web"
        WORKER = "worker"
        BEAT = "beat"
        SYSLOG = "syslog"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    version = models.CharField(max_length=40, blank=True)
    queues = JSONField(default=list)
    sites = JSONField(default=list)
    started_at = models.DateTimeField(db_default=Now())
    last_seen = models.DateTimeField(db_default=Now(), db_index=True)

    objects = ProcessQuerySet.as_manager()

    class Meta:
        ordering = ["host", "kind", "pid", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"

    @property
    def job(self) -> "Job | None":
        """The job that it has had in hand for the longest time."""
        running = self.jobs.filter(state="running")
        found: Job | None = running.order_by("claimed_at").first()
        return found
