"""The background work of the overview: renewing the list of problems."""

from celery import shared_task

from overview import renewal


@shared_task
def renew_problems() -> None:
    renewal.renew_if_outdated()
