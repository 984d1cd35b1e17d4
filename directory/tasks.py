"""The scheduled work of the directory."""

from celery import shared_task
from django.utils import timezone

from accounts.audit import CONSOLE
from clusters.requests import by_site
from directory.jobs.snapshot import SnapshotDirectory
from jobs.locks import Busy


@shared_task
def snapshot_when_due() -> None:
    """Read the users of the clusters whose newest snapshot is old."""
    for clusters in by_site(SnapshotDirectory.due(timezone.now())):
        try:
            SnapshotDirectory.submit(clusters, CONSOLE)
        except Busy:
            continue  # another beat was quicker
