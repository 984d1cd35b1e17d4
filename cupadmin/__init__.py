"""The project: settings, URLs, Celery and the processes that run it."""

__version__ = "0.2.0.dev0"

import sys

from cupadmin.tree import open_tree

open_tree()

from cupadmin.celery import app as celery_app  # noqa: E402
from cupadmin.start import print_error  # noqa: E402

__all__ = ["__version__", "celery_app"]

sys.excepthook = print_error
