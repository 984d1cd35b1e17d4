"""The scheduled reading of certificates."""

from celery import shared_task
from django.utils import timezone

from clusters.requests import by_site
from exchange.jobs.read import ReadCertificates
from jobs.locks import Busy


@shared_task
def read_when_due() -> None:
    """Read the certificates of clusters that nobody read for an interval."""
    for clusters in by_site(ReadCertificates.due(timezone.now())):
        try:
            ReadCertificates.submit(clusters, scheduled=True)
        except Busy:
            continue  # another beat was quicker
