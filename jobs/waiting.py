"""Jobs that wait although they could be done, and why."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import Job, Process, from_now
from jobs.sites import PREFIX, served_by, site_of

# A job that waits for so long waits for something other than its turn.
LATE_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Waiting:
    """Jobs of a queue that no worker has taken for a minute."""

    queue: str
    count: int
    since: datetime

    @property
    def sentence(self) -> str:
        minutes = max(1, int((timezone.now() - self.since).total_seconds() // 60))
        what = "1 job waits" if self.count == 1 else f"{self.count} jobs wait"
        site = site_of(self.queue)
        of_site = f" of the site {site}" if site else ""
        return (
            f"No worker{of_site} has taken a job for {in_words(minutes)}, and {what}. "
            f"{cause_of_queue(self.queue)}"
        )


def in_words(minutes: int) -> str:
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def cause_of_queue(queue: str) -> str:
    """What is known of the workers of a queue."""
    workers = Process.objects.alive().filter(kind=Process.Kind.WORKER)
    serving = [worker for worker in workers if queue in worker.queues]
    if serving:
        return (
            f"{', '.join(map(str, serving))}: running, but busy or without a broker. "
            "See the worker's log."
        )
    if workers:
        return (
            f"No worker that is running serves the queue {queue}. Start one that does."
        )
    return "No worker is running. Start one, and see its log if it ends."


def stalled_queues() -> list[Waiting]:
    """The queues from which no worker has taken a job for a minute while jobs wait.

    It counts the jobs of all clusters and names none.
    """
    rows: QuerySet[Job] = Job._base_manager.all()
    late = rows.filter(state=Job.State.QUEUED, not_before__lt=from_now(-LATE_AFTER))
    counts = late.order_by("not_before").values_list("queue", "not_before")
    found: dict[str, list[datetime]] = {}
    for queue, since in counts:
        found.setdefault(served_by(queue), []).append(since)
    if not found:
        return []
    claimed = rows.filter(claimed_at__gt=from_now(-LATE_AFTER))
    busy = set(map(served_by, claimed.values_list("queue", flat=True)))
    return [
        Waiting(queue, len(times), times[0])
        for queue, times in sorted(found.items())
        if queue not in busy
    ]


def served_queues() -> set[str]:
    """The queues from which a running worker takes jobs."""
    workers = Process.objects.alive().filter(kind=Process.Kind.WORKER)
    return {
        queue for queues in workers.values_list("queues", flat=True) for queue in queues
    }


def unserved_site(site: str, served: Container[str]) -> str:
    """A sentence if no running worker serves a site; else empty.

    A site without workers of its own has those of all.
    """
    queue = f"{PREFIX}{site}"
    if not site or served_by(queue) != queue or queue in served:
        return ""
    return (
        f"No running worker serves the site {site}: its jobs wait until one is started "
        f"with --queues {queue}, or until CUPADMIN_SITES no longer names the site."
    )


def is_waiting(job: Job, served: Container[str] | None = None) -> bool:
    """Whether a queued job waits for more than its turn.

    Args:
        served: the queues that workers serve; None if that is not looked at.
    """
    if job.state != Job.State.QUEUED:
        return False
    unserved = served is not None and served_by(job.queue) not in served
    return unserved or job.started_at is not None


def waiting_for(job: Job, served: Container[str]) -> str | None:
    """A sentence on what a job waits for; None unless it waits."""
    if not is_waiting(job, served):
        return None
    queue = served_by(job.queue)
    if queue not in served:
        return f"No running worker serves the queue {queue}."
    doing = f"{job.visible_doing.rstrip('.')}. " if job.visible_doing else ""
    return f"{doing}The job continues automatically."


def why_nothing_is_claimed() -> str:
    """A sentence if no worker at all takes jobs while some wait; empty otherwise."""
    found = stalled_queues()
    claimed = Job._base_manager.filter(claimed_at__gt=from_now(-LATE_AFTER))
    if not found or claimed.exists():
        return ""
    return " ".join(waiting.sentence for waiting in found)
