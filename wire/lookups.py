"""What DNS said in one run: each question is asked once, whoever needs its answer."""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from wire.deadline import Deadline
from wire.errors import WireError
from wire.nameservers import NameServers, silent_error

T = TypeVar("T")

# A question of a run goes on for others when the first who asked has no time left.
LONGEST_LOOKUP = 10.0
# How long to wait for the rest, once one of several questions has found something.
GRACE = 0.5


class Lookups:
    """The questions of one run, with their answers or failures, and its servers."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}
        self._servers: dict[tuple[str, ...], NameServers] = {}

    def servers(self, addresses: tuple[str, ...]) -> NameServers:
        if addresses not in self._servers:
            self._servers[addresses] = NameServers(addresses)
        return self._servers[addresses]

    @property
    def late(self) -> tuple[str, ...]:
        """Name the servers that kept silent while another one answered."""
        every = (name for servers in self._servers.values() for name in servers.late)
        return tuple(dict.fromkeys(every))

    async def once(
        self,
        key: Hashable,
        name: str,
        question: Callable[[Deadline], Coroutine[Any, Any, T]],
        clock: Deadline,
    ) -> T:
        """Give the answer to a question, which the first who needs it asks for all.

        Raises:
            WireError: the question's own, or UNRESOLVABLE when this clock has run out.
        """
        task = self._asked.get(key)
        if task is None:
            longest = max(LONGEST_LOOKUP, clock.remaining())
            task = asyncio.create_task(_outcome(question, Deadline(longest)))
            self._asked[key] = task
        try:
            async with clock.limit():
                found: T | WireError = await asyncio.shield(task)
        except TimeoutError:
            raise silent_error(name) from None
        if isinstance(found, WireError):
            # Who catches an error may add to it.
            raise copy.copy(found)
        return found

    def close(self) -> None:
        for task in self._asked.values():
            task.cancel()


async def _outcome(
    question: Callable[[Deadline], Coroutine[Any, Any, T]], clock: Deadline
) -> T | WireError:
    try:
        return await question(clock)
    except WireError as error:
        return error


_current: ContextVar[Lookups | None] = ContextVar("lookups", default=None)


@contextmanager
def remembered_names() -> Iterator[Lookups]:
    """Share the answers of DNS among all that is done inside, tasks included.

    Inside of another such block it is the outer one that goes on.
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    lookups = Lookups()
    token = _current.set(lookups)
    try:
        yield lookups
    finally:
        _current.reset(token)
        lookups.close()


async def first_answer_of(
    lookups: Sequence[Coroutine[Any, Any, Sequence[T]]], grace: float = GRACE
) -> list[Sequence[T] | WireError]:
    """Await questions of which one answer is enough: a failure is given in its place.

    Once one has found something, the others get `grace` and then count as silent.
    """
    tasks = [asyncio.create_task(settle_answer(one)) for one in lookups]
    waiting, patience = set(tasks), None
    try:
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
            results = (task.result() for task in done)
            if any(one and not isinstance(one, WireError) for one in results):
                patience = grace
        return [() if task in waiting else task.result() for task in tasks]
    finally:
        for task in waiting:
            task.cancel()


async def settle_answer(
    lookup: Coroutine[Any, Any, Sequence[T]],
) -> Sequence[T] | WireError:
    try:
        return await lookup
    except WireError as error:
        return error


def found_of(outcomes: Sequence[Sequence[T] | WireError]) -> list[Sequence[T]]:
    """Give those that found something; if none did, a failure is all that is known."""
    found = [one for one in outcomes if not isinstance(one, WireError) and one]
    failure = next((one for one in outcomes if isinstance(one, WireError)), None)
    if failure and not found:
        raise failure
    return found
