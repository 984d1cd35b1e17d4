"""The background work of the history, in beat's time."""

from celery import shared_task

from history import events, rollup


@shared_task
def record_changes() -> None:
    events.record_changes()


@shared_task
def maintain_history() -> None:
    """Count what a cut left uncounted, and delete what is too old."""
    rollup.roll_up()
    rollup.prune_days()
