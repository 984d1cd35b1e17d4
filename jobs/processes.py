"""The processes of the console, with the jobs that they have in hand."""

from uuid import UUID

from jobs.models import Job, Process


def with_jobs() -> tuple[list[Process], dict[UUID, Job]]:
    """All processes, and for each that has jobs in hand the one it took first.

    Jobs that the current user may not see are left out.
    """
    running = Job.objects.filter(state=Job.State.RUNNING).exclude(worker=None)
    jobs: dict[UUID, Job] = {}
    for job in running.order_by("claimed_at"):
        jobs.setdefault(job.worker_id, job)
    return list(Process.objects.with_signs()), jobs
