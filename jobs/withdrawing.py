"""Withdrawing jobs that wait, where what they are about is edited or deleted."""

from collections.abc import Collection, Iterable

from django.db.models import Model

from accounts.cluster_limits import all_clusters
from jobs.locks import Busy
from jobs.models import Job


def withdraw_jobs(rows: Iterable[Model], kinds: Collection[str]) -> None:
    """Cancel the waiting jobs of these rows; raise Busy for one that somebody works on.

    Args:
        kinds: which jobs; any other may go on.
    """
    targets = [str(row.pk) for row in rows]
    with all_clusters():
        jobs = Job.objects.active().filter(target_id__in=targets, kind__in=kinds)
        jobs.cancel_waiting()
        working = jobs.first()
    if working is not None:
        raise Busy(working)
