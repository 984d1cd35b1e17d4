"""One collection's clock and manners: how a question becomes an Answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from diagnostics.answers import Answer, Failure
from wire import Code, Policy, Resolution, WireError, resolve_host, socket_limit

logger = logging.getLogger(__name__)

# A question that had so many seconds has had its chance, however many it should get.
FAIR = 5.0
# By so much the wire ends a question earlier than the collection would.
GRACE = 0.2
TOO_SLOW = "There was no answer in time."

T = TypeVar("T")
Question = Callable[[float], Awaitable[T]]

UNEXPECTED = Failure(
    "unexpected", "An unexpected error; the worker's log has it.", "Report it."
)


class Collector:
    """Asks questions within a total time; a failure is an answer, never an exception.

    Args:
        total: seconds for the whole collection.
    """

    def __init__(self, total: float) -> None:
        self._end = time.monotonic() + total
        self._places = asyncio.Semaphore(socket_limit())

    def within(self, seconds: float) -> "Collector":
        """A part of the collection, with a total of its own."""
        part = copy(self)
        part._end = min(self._end, time.monotonic() + seconds)
        return part

    async def ask(self, question: Question[T], seconds: float) -> Answer[T]:
        """Give the question its deadline, at most what is left of the total.

        One that the end of the total kept from getting its chance is late: nothing is
        known of what it is about.
        """
        try:
            async with asyncio.timeout(self._left()):
                await self._places.acquire()
        except TimeoutError:
            return Answer(at=datetime.now(UTC), late=True)
        try:
            return await self._answer_of(question, seconds)
        finally:
            self._places.release()

    async def look_up(
        self, host: str, policy: Policy, seconds: float
    ) -> Answer[Resolution]:
        """Ask DNS; the duration is that of the question, whoever asked it first."""
        answer = await self.ask(
            lambda s: resolve_host(host, policy, deadline=s), seconds
        )
        if answer.value is None:
            return answer
        return replace(answer, duration_ms=answer.value.duration_ms)

    async def _answer_of(self, question: Question[T], seconds: float) -> Answer[T]:
        started, at = time.monotonic(), datetime.now(UTC)
        allowed = min(seconds, self._left())
        if allowed <= 0:
            return Answer(at=at, late=True)
        value, failure = await _settle_question(question, allowed)
        elapsed = time.monotonic() - started
        cut_short = (
            allowed < min(seconds, FAIR) and elapsed > wire_deadline(allowed) * 0.9
        )
        if failure and cut_short:
            return Answer(at=at, late=True)
        return Answer(value, failure, elapsed * 1000, at)

    def _left(self) -> float:
        return max(self._end - time.monotonic(), 0)


def wire_deadline(allowed: float) -> float:
    return max(allowed - GRACE, allowed / 2)


async def _settle_question(
    question: Question[T], allowed: float
) -> tuple[T | None, Failure | None]:
    try:
        # The wire keeps its own deadline, which ends before this one and says more.
        async with asyncio.timeout(allowed):
            return await question(wire_deadline(allowed)), None
    except WireError as error:
        return None, Failure.of(error)
    except TimeoutError:
        return None, Failure.of(WireError(Code.TIMEOUT, TOO_SLOW))
    except Exception:
        logger.exception("a collection met an unexpected error")
        return None, UNEXPECTED
