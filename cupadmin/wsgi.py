"""WSGI entry point, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")
application = get_wsgi_application()

import wire  # noqa: E402 - Django first, for its settings
from accounts.checks import self_test  # noqa: E402 - needs the apps

self_test()
# A page makes some ten thousand objects and no cycles that matter.
wire.spare_collector()
