"""The scheduled work of peers."""

from celery import shared_task

from peers.bulk import drafts
from peers.imports import uploads


@shared_task
def delete_old_uploads() -> None:
    """Delete what nobody confirmed in time, for it may hold passwords."""
    uploads.forget_old()
    drafts.forget_old()
