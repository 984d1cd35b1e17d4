"""The Celery application."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_ready

import cupadmin.broker  # noqa: F401 - registers the atomic filesystem transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")

app = Celery("cupadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def refuse_bare_credentials(**kwargs: Any) -> None:
    from django.core.management.base import SystemCheckError

    from accounts.checks import self_test

    try:
        self_test()
    except SystemCheckError as error:
        # Celery only logs what a receiver raises, except this.
        raise SystemExit(str(error)) from error


@worker_ready.connect
def spare_collector(**kwargs: Any) -> None:
    import wire

    wire.spare_collector()
