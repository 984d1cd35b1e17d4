"""A total time for a conversation of many steps."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Deadline:
    """Time left of a total; each step waits under `limit()`."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        return self._end - time.monotonic()

    def limit(self) -> asyncio.Timeout:
        return asyncio.timeout(max(self.remaining(), 0))

    def at_most(self, seconds: float) -> "Deadline":
        return Deadline(min(seconds, self.remaining()))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time that the caller spends on what it was given."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._end += time.monotonic() - began
