"""A total time for a conversation of many steps."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

# The pauses of a conversation may add so much of its time, and no more.
PAUSES = 0.5


class Deadline:
    """Time left of a total; each step waits under `limit()`."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._last = self._end + seconds * PAUSES

    def remaining(self) -> float:
        return self._end - time.monotonic()

    def limit(self) -> asyncio.Timeout:
        return asyncio.timeout(max(self.remaining(), 0))

    def at_most(self, seconds: float) -> "Deadline":
        return Deadline(min(seconds, self.remaining()))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time that the caller spends on what it was given.

        All pauses together give half of the total at most: a node that goes on
        answering must not keep its reader for ever.
        """
        started = time.monotonic()
        try:
            yield
        finally:
            self._end = min(self._end + time.monotonic() - started, self._last)
