"""Doing one thing for many clusters or pairs at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from django.db import connection

from jobs.run import Parked

T = TypeVar("T")

# Clusters that are queried, or pairs that are written, at once.
AT_ONCE = 10


def run_together(what: Callable[[T], Any], things: Iterable[T]) -> list[Any]:
    """Do it for all at once and wait for all, whatever becomes of one of them.

    Raises what the first of them raised, but a wish to wait only if that is all.
    """

    def one(thing: T) -> Any:
        try:
            return what(thing)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # What is audited on the way names the job, as it does in this thread.
        futures = [pool.submit(copy_context().run, one, thing) for thing in things]
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, Parked))
    return [future.result() for future in futures]
