"""What cannot be done: for now (a 503 with `Retry-After`), or until somebody acts."""

import logging
import sqlite3
from collections.abc import Iterator
from enum import Enum

import redis.exceptions
from django.db import Error, InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

RETRY_AFTER = 5
# What Celery raises, and what the client of Redis raises below it.
BROKER_ERRORS = (BrokerError, redis.exceptions.ConnectionError)


class Outage(Enum):
    """Why a request was not completed; the sentence is for a person."""

    LOCKED = "Another change holds what this request needs. Try again in a few seconds."
    SLOW = "The database took too long to answer. Try again in a few seconds."
    CROWDED = "Too many passwords are being checked. Try again in a few seconds."
    AWAY = "The database does not answer at present. Try again in a few seconds."
    FULL = (
        "The database has no space left, so nothing was saved. Free space on its disk."
    )
    READ_ONLY = (
        "The database accepts no changes, so nothing was saved. Check that its files "
        "belong to the console's user and that the server is no standby."
    )
    UNREADABLE = "The database cannot be read. The console's log gives the cause."
    UNFIT = (
        "The database does not fit this version of the console. Run "
        'the command "migrate" and restart the console.'
    )

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed soon, with nobody acting."""
        return self not in LASTING


LASTING = {Outage.FULL, Outage.READ_ONLY, Outage.UNREADABLE, Outage.UNFIT}


class TryLater(Exception):
    """Raised where a request cannot be served for now; it becomes a 503."""

    def __init__(self, outage: Outage) -> None:
        super().__init__(outage.value)
        self.outage = outage


# Classes and codes of PostgreSQL's SQLSTATE.
STATES = {
    "55P03": Outage.LOCKED,
    "40P01": Outage.LOCKED,
    "40001": Outage.LOCKED,
    "57014": Outage.SLOW,
    "25P03": Outage.SLOW,
    "25006": Outage.READ_ONLY,
    "42P01": Outage.UNFIT,
    "42703": Outage.UNFIT,
    "53100": Outage.FULL,
    "53": Outage.AWAY,
    "57P": Outage.AWAY,
    "58": Outage.UNREADABLE,
    "XX00": Outage.UNREADABLE,
    "08": Outage.AWAY,
}
SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: Outage.LOCKED,
    sqlite3.SQLITE_LOCKED: Outage.LOCKED,
    sqlite3.SQLITE_FULL: Outage.FULL,
    sqlite3.SQLITE_READONLY: Outage.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Outage.UNREADABLE,
    sqlite3.SQLITE_CORRUPT: Outage.UNREADABLE,
    sqlite3.SQLITE_IOERR: Outage.UNREADABLE,
    sqlite3.SQLITE_NOTADB: Outage.UNREADABLE,
    sqlite3.SQLITE_PERM: Outage.UNREADABLE,
}
# SQLite has one code for all that is wrong with a statement.
MISSING = ("no such table", "no such column")


def outage_of(error: BaseException | None) -> Outage | None:
    """Return which outage raised this; None for any other failure."""
    if isinstance(error, TryLater):
        return error.outage
    if not isinstance(error, Error):
        return None
    for cause in _causes(error):
        state = getattr(cause, "sqlstate", None) or ""
        for begin, outage in STATES.items():
            if state.startswith(begin):
                return outage
        # The lower byte; the upper ones only specify it.
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in SQLITE_CODES:
            return SQLITE_CODES[code]
        if str(cause).startswith(MISSING):
            return Outage.UNFIT
    return Outage.AWAY if _is_lost(error) else None


def _is_lost(error: Error) -> bool:
    """A connection that failed or broke has no SQLSTATE."""
    unnamed = getattr(error.__cause__, "sqlstate", "") is None
    return unnamed and isinstance(error, OperationalError | InterfaceError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


class BriefFilter(logging.Filter):
    """Leaves the traceback out of what passes by itself: it is no fault of the code."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        outage = outage_of(error)
        if outage is not None and outage.passes:
            shorten(record, f"{outage.name.lower()}: {error}")
        elif broken := next(filter(_is_of_broker, _causes_of(error)), None):
            shorten(record, f"broker: {broken}")
        return True


def _causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised for; beat raises its own without a cause."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_of_broker(error: BaseException) -> bool:
    return isinstance(error, BROKER_ERRORS)


def shorten(record: logging.LogRecord, cause: str) -> None:
    """One line in the place of many, the cause behind it; beat adds its stack."""
    said = record.getMessage().partition("\n")[0]
    record.msg = f"{said} ({' '.join(cause.split())})"
    record.args, record.exc_info, record.exc_text = (), None, None
