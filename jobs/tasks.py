"""The Celery tasks. They carry a job's id and nothing else."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from jobs import doorbell
from jobs.models import RING_AGAIN, Job, from_now
from jobs.run import perform


@shared_task
def work(job_id: str) -> None:
    """Work on a job unless somebody else does."""
    perform(job_id)


@shared_task
def ring_due() -> None:
    """Ring for jobs that nobody took, whatever became of the first ring."""
    silent = Job.objects.due().filter(ring_at__lte=Now()).order_by("ring_at")
    due = list(silent.values_list("id", "queue")[:500])
    # Postponed first, so that a slow queue is not filled with rings for one job.
    Job.objects.filter(pk__in=[pk for pk, _ in due]).update(
        ring_at=from_now(RING_AGAIN)
    )
    doorbell.ring((str(pk), queue) for pk, queue in due)


@shared_task
def prune() -> None:
    """Delete finished jobs that are older than JOB_RETENTION_DAYS."""
    oldest = timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS)
    Job.objects.filter(finished_at__lt=oldest).delete()
