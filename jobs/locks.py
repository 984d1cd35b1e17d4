"""What only one may do at a time: locks of jobs, leases of workers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction

if TYPE_CHECKING:
    from jobs.models import Job


# A lock may be released between the failure to take it and the look at who holds it.
TRIES = 5


class Busy(Exception):
    """Another job that is not finished works on the same thing."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"{job} is still {job.get_state_display().lower()}.")
        self.job = job


class JobLock(models.Model):
    """What an unfinished job works on; a second job for it is refused."""

    name = models.CharField(primary_key=True, max_length=120)
    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="locks")

    def __str__(self) -> str:
        return self.name


class Lease(models.Model):
    """What only one worker may do at a time, wherever it runs."""

    name = models.CharField(primary_key=True, max_length=120)
    owner = models.CharField(max_length=40)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


def take_locks(job: Job, names: Iterable[str]) -> None:
    """Take all locks at once, or raise Busy with a job that holds one of them."""
    hold_all([JobLock(name=name, job=job) for name in names])


def hold_all(locks: list[JobLock]) -> None:
    """The same for several jobs, no two of which may want the same lock."""
    names = {lock.name for lock in locks}
    if len(names) < len(locks):
        raise ValueError("Two of these jobs want the same lock.")
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                JobLock.objects.bulk_create(locks, batch_size=500)
            return
        except IntegrityError:
            refuse_held(names)
            # Released just now, or it is no lock that was in the way.
            if attempt + 1 == TRIES:
                raise


def refuse_held(names: Iterable[str]) -> None:
    """Raise Busy with a job that holds one of these locks, if any does."""
    held = JobLock.objects.filter(name__in=names).select_related("job").first()
    if held is not None:
        raise Busy(held.job) from None
