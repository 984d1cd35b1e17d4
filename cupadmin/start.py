"""What stops a start is said in a sentence, without a traceback."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import SystemCheckError
from django.db import InterfaceError, OperationalError
from django.db.migrations.exceptions import InconsistentMigrationHistory
from environs import EnvError

from cupadmin.versions import DEVELOPMENT

SETTINGS = (ImproperlyConfigured, SystemCheckError, EnvError)
DATABASE = (OperationalError, InterfaceError)
# What is wrong with a disk or with who owns a file on it, and not with the code.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
# gunicorn's code for a worker that cannot work; it then ends instead of trying again.
CANNOT_START = 3


def error_sentence(error: BaseException) -> str:
    """Return what to print instead of a traceback; empty for an error of the code."""
    if isinstance(error, SETTINGS):
        return f"cupadmin cannot start. {error}"
    if isinstance(error, InconsistentMigrationHistory):
        return f"cupadmin cannot start. {DEVELOPMENT}"
    if isinstance(error, DATABASE):
        return f"The database does not answer as it should: {str(error).strip()}"
    if isinstance(error, OSError) and error.errno in DISK:
        what = error.filename or "A file of the data directory"
        return f"cupadmin cannot go on. {what}: {error.strerror}."
    return ""


def print_error(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print it for commands, workers and beat; `sys.excepthook`."""
    if text := error_sentence(error):
        print(text, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


@contextmanager
def error_sentences() -> Iterator[None]:
    """The same for gunicorn, which logs what its workers raise by itself."""
    try:
        yield
    except (*SETTINGS, *DATABASE, OSError) as error:
        if not (text := error_sentence(error)):
            raise
        print(text, file=sys.stderr)
        raise SystemExit(CANNOT_START) from None
