"""How often, and how many at once: consideration for the clusters."""

import asyncio
import random
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from wire.deadline import Deadline
from wire.errors import Code, WireError


class Limiter(Protocol):
    """Waits until `cost` calls under a key are allowed."""

    async def take(self, key: str, cost: int = 1) -> None: ...


class TokenBucket:
    """The limiter of one process: so many calls a minute, in a burst at first.

    Shared by all threads and event loops of the process.
    """

    def __init__(self, per_minute: float = 10, burst: float = 10) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._lock = threading.Lock()
        self._level: dict[str, tuple[float, float]] = {}

    async def take(self, key: str, cost: int = 1) -> None:
        while wait := self._wait_for(key, cost):
            await asyncio.sleep(wait)

    def _wait_for(self, key: str, cost: int) -> float:
        """Take the tokens and give 0, or give the seconds to wait."""
        now = time.monotonic()
        with self._lock:
            tokens, since = self._level.get(key, (self._burst, now))
            tokens = min(self._burst, tokens + (now - since) * self._rate)
            enough = tokens >= cost
            self._level[key] = (tokens - cost if enough else tokens, now)
        return 0 if enough else max((cost - tokens) / self._rate, 0.001)


class Unlimited:
    """A limiter that never waits."""

    async def take(self, key: str, cost: int = 1) -> None:
        return


CONTROL_CENTER_LIMITER = TokenBucket()

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_locks_guard = threading.Lock()


@asynccontextmanager
async def exclusive_turn(key: str, node: str, clock: Deadline) -> AsyncIterator[None]:
    """Hold the one turn under a key, in this process, or fail at the deadline.

    A plain lock that is polled, because the threads of a worker have an event loop
    each, and an asyncio lock knows only one.
    """
    with _locks_guard:
        lock = _locks[key]
    while not lock.acquire(blocking=False):
        if clock.remaining() <= 0:
            message = f"Other requests of the console to {node} took all the time."
            raise WireError(Code.THROTTLED, message)
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        lock.release()


class ConnectionAllowance:
    """What the answer to one question may bring, over all of its pages.

    Raises:
        WireError: TOO_LARGE, from either method, once there is more.
    """

    def __init__(self, node: str, most_bytes: int, most_rows: int = 0) -> None:
        self._node = node
        self._most_bytes, self._most_rows = most_bytes, most_rows
        self._bytes = self._rows = 0

    def take_bytes(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._most_bytes:
            limit = f"{self._most_bytes // 1024} KiB"
            message = f"The answer of {self._node} exceeds {limit}."
            raise WireError(Code.TOO_LARGE, message)

    def take_rows(self, count: int) -> None:
        self._rows += count
        if self._rows > self._most_rows:
            message = f"The answer of {self._node} exceeds {self._most_rows} rows."
            raise WireError(Code.TOO_LARGE, message)


@dataclass(frozen=True)
class Backoff:
    """Growing waits with full jitter, that give up before the deadline."""

    first: float = 2.0
    most: float = 60.0
    tries: int = 6

    async def wait(self, attempt: int, clock: Deadline, error: WireError) -> None:
        """Wait before the next try, or raise the error when there is no time left."""
        longest = min(self.most, self.first * 2**attempt)
        pause = longest / 2 + random.random() * longest / 2  # noqa: S311
        if attempt + 1 >= self.tries or pause >= clock.remaining():
            raise error
        await asyncio.sleep(pause)
