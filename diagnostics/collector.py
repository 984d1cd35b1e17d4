"""One collection's clock and manners: how a question becomes an Answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from diagnostics.facts import Answer, Failure
from wire import Code, WireError, sockets

logger = logging.getLogger(__name__)

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
        self._places = asyncio.Semaphore(sockets())

    async def ask(self, question: Question[T], seconds: float) -> Answer[T]:
        """Give the question its deadline, at most what is left of the total."""
        async with self._places:
            began, at = time.monotonic(), datetime.now(UTC)
            allowed = min(seconds, self._end - began)
            if allowed <= 0:
                return Answer(failure=_late(), at=at)
            value, failure = await _settled(question, allowed)
            return Answer(value, failure, (time.monotonic() - began) * 1000, at)


async def _settled(
    question: Question[T], allowed: float
) -> tuple[T | None, Failure | None]:
    try:
        # The wire keeps its own deadline; this one is for what it may have missed.
        async with asyncio.timeout(allowed + 1):
            return await question(allowed), None
    except WireError as error:
        return None, Failure.of(error)
    except TimeoutError:
        return None, _late()
    except Exception:
        logger.exception("a collection met an unexpected error")
        return None, UNEXPECTED


def _late() -> Failure:
    return Failure.of(WireError(Code.TIMEOUT, "The time for this check was over."))
