"""The background work of the directory: taking snapshots, and comparing them."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.audit import CONSOLE
from directory import record
from directory.snapshots import COMPARE, KIND, by_site, due, take
from directory.taking import Taking
from jobs.kinds import kind
from jobs.locks import Busy
from jobs.models import JobStep
from jobs.run import Run


@kind(KIND, "Take snapshot")
def snapshot_directory(run: Run) -> None:
    failed = Taking(run).work()
    done = run.job.steps.filter(state=JobStep.State.DONE).exclude(key=COMPARE)
    read = [UUID(key) for key in done.values_list("key", flat=True)]
    run.do(COMPARE, lambda step: record.compare_peers(read))
    if failed:
        total = len(read) + len(failed)
        run.fail(
            f"{len(failed)} of {total} clusters could not be read; "
            "what was known of them before stays."
        )


@shared_task
def snapshot_when_due() -> None:
    """Read the users of the clusters whose newest snapshot is old."""
    for clusters in by_site(due(timezone.now())):
        try:
            take(clusters, CONSOLE)
        except Busy:
            continue  # another beat was quicker
