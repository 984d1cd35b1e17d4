"""The Celery tasks. They carry a job's id and nothing else."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from jobs import dispatch
from jobs.engine import perform_job
from jobs.models import RING_AGAIN, Job, Process, from_now
from jobs.sites import served_by
from jobs.waiting import served_queues


@shared_task
def work_on_job(job_id: str) -> None:
    """Work on a job unless somebody else does."""
    perform_job(job_id, alone=True)


@shared_task
def ring_due() -> None:
    """Ring for jobs that nobody took, whatever became of the first ring."""
    silent = Job.objects.due().filter(ring_at__lte=Now())
    # Where nobody listens the rings would pile up; a worker that starts is known at
    # once, and its jobs are rung for then.
    served = served_queues()
    queues = silent.order_by().values_list("queue", flat=True).distinct()
    heard = silent.filter(queue__in=[one for one in queues if served_by(one) in served])
    due = list(heard.order_by("ring_at").values_list("id", "queue")[:500])
    # Postponed first, so that a slow queue is not filled with rings for one job.
    Job.objects.filter(pk__in=[pk for pk, _ in due]).update(
        ring_at=from_now(RING_AGAIN)
    )
    dispatch.send_messages((str(pk), queue) for pk, queue in due)


@shared_task
def prune_jobs() -> None:
    """Delete finished jobs that are older than JOB_RETENTION_DAYS, and processes that
    ended a while ago."""
    oldest = timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS)
    Job.objects.filter(finished_at__lt=oldest).delete()
    Process.objects.forgotten().delete()
