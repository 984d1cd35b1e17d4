"""The scheduled work of checks: sweeps and runs of the troubleshooter."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from diagnostics.jobs.sweep import Sweep
from diagnostics.jobs.troubleshoot import Troubleshoot


@shared_task
def sweep_when_due() -> None:
    """Submit what is due by the database; any number of beats may call this."""
    if Sweep.due(timedelta(seconds=settings.SWEEP_INTERVAL)):
        Sweep.submit_when_free()
    if Troubleshoot.due(timedelta(seconds=settings.TROUBLESHOOTER_INTERVAL)):
        Troubleshoot.submit_scheduled()
