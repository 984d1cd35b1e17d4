"""The Celery application."""

import os

from celery import Celery

import cupadmin.broker  # noqa: F401 - registers the atomic filesystem transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")

app = Celery("cupadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
