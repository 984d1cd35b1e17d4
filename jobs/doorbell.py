"""Rings the workers. A ring that is lost costs time, never a job."""

import logging
from collections.abc import Iterable

from celery import current_app

logger = logging.getLogger(__name__)


def ring(jobs: Iterable[tuple[str, str]]) -> None:
    """Send one message for each (job id, queue)."""
    for pk, queue in jobs:
        try:
            current_app.send_task(
                "jobs.tasks.work", args=[pk], queue=queue, retry=False, expires=120
            )
        except Exception:
            # Whatever the broker's client raises: beat rings again.
            logger.warning("the broker did not take job %s", pk, exc_info=True)
            return
