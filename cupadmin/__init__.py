"""The project: settings, URLs, Celery and the processes that run it."""

from cupadmin.celery import app as celery_app

__all__ = ["celery_app"]
