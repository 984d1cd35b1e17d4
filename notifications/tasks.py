"""The scheduled work of notifications."""

from celery import shared_task

from notifications import detect


@shared_task
def detect_changes() -> None:
    detect.detect_changes()
