"""The Celery application."""

import os
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    worker_init,
    worker_ready,
    worker_shutting_down,
)

import cupadmin.filesystem_broker  # noqa: F401 - registers the atomic filesystem transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")

app = Celery("cupadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse_bad_start(**kwargs: Any) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management.base import SystemCheckError

    from accounts.checks import self_test
    from cupadmin.versions import refuse_other_database

    try:
        refuse_other_database()
        self_test()
    except (ImproperlyConfigured, SystemCheckError) as error:
        # Celery only logs what a receiver raises, except this.
        raise SystemExit(str(error)) from error


@worker_init.connect
@beat_init.connect
def give_signs_of_life(**kwargs: Any) -> None:
    from jobs import pulse

    pulse.start_pulse()


@worker_ready.connect
def show_worker(sender: Any, **kwargs: Any) -> None:
    from jobs import presence
    from jobs.models import Process

    presence.start_presence(
        Process.Kind.WORKER, list(sender.app.amqp.queues.consume_from)
    )


@beat_init.connect
def show_beat(**kwargs: Any) -> None:
    from jobs import presence
    from jobs.models import Process

    presence.start_presence(Process.Kind.BEAT)


@worker_shutting_down.connect
def give_jobs_back(**kwargs: Any) -> None:
    from jobs import presence

    presence.stop_process()


@worker_ready.connect
def spare_collector(**kwargs: Any) -> None:
    import wire

    wire.spare_collector()
