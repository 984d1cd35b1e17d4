"""A thread of each web process that looks whether all parts of the console work."""

import logging
import random
import threading

from django.db import DatabaseError, connection

from cupadmin import readiness
from notifications import console

logger = logging.getLogger(__name__)

EVERY = 30.0


def start_console_watch() -> threading.Thread:
    thread = threading.Thread(target=keep_looking, name="console-watch", daemon=True)
    thread.start()
    return thread


def keep_looking() -> None:
    while True:
        # Web processes that began together do not look together.
        threading.Event().wait(random.uniform(0.8, 1.2) * EVERY)  # noqa: S311
        try:
            look_once()
        except DatabaseError:
            # What was reported last is not known without it.
            logger.warning("the console could not be watched: no database")
        except Exception:
            logger.exception("the console could not be watched")
        finally:
            connection.close()


def look_once() -> int:
    """Report what changed since the last look, by whichever process; how much did."""
    checks = readiness.cached_checks.get()
    return console.report_checks(checks) if checks["database"].ok else 0
