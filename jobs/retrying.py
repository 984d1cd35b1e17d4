"""Retrying a job, which from then on runs with the rights of who retries it."""

from accounts import audit
from accounts.audit import Actor
from jobs.models import Job


def retry_as(actor: Actor, job: Job) -> None:
    """Queue the job again and record who did; call it in a transaction.

    Raises:
        jobs.locks.Busy: another unfinished job holds one of its locks.
    """
    before = job.requester or audit.CONSOLE.label
    job.retry(actor)
    changes = audit.differences({"requested_by": before}, {"requested_by": actor.label})
    audit.append_entry(actor, "retry job", job, changes)
