"""Running conversations: one event loop for a task's whole batch."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any, TypeVar

from wire.errors import WireError

T = TypeVar("T")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def spare_collector() -> None:
    """Let the garbage collector come less often: for processes of the console.

    A thousand conversations at once are many objects that all live; to walk them again
    and again finds nothing and takes an eighth of a sweep, and as much of a page.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a new event loop, the fast one where it is installed."""
    results: list[T] = []

    async def keep() -> None:
        # As the task's own result it would be put into words at the end, whole: the
        # runner looks at its signal handler, which knows the task.
        results.append(await main)

    runner = asyncio.Runner(loop_factory=_loop_factory())
    try:
        runner.run(keep())
    finally:
        # uvloop answers EBUSY where a connection is still being shut down, as with a
        # node that stalls; the results are whole all the same.
        with suppress(OSError):
            runner.close()
    return results[0]


def socket_limit() -> int:
    """Tell how many to have at once: half of what the process may open."""
    try:
        import resource
    except ImportError:  # Windows
        return 256
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1000 if soft == resource.RLIM_INFINITY else min(1000, soft // 2)


async def gather_limited(
    awaitables: Iterable[Awaitable[T]], limit: int | None = None
) -> list[T | WireError]:
    """Await many, at most `limit` at once; give results or errors in their order.

    Without a limit there are as many as this process may well have sockets. The
    iterable is drawn from as places become free, so that a generator of a thousand
    conversations never holds more than `limit` of them.
    """
    results: dict[int, T | WireError] = {}
    numbered: Iterator[tuple[int, Awaitable[T]]] = enumerate(iter(awaitables))
    places = max(socket_limit() if limit is None else limit, 1)

    async def work(first: tuple[int, Awaitable[T]]) -> None:
        for index, awaitable in chain([first], numbered):
            try:
                results[index] = await awaitable
            except WireError as error:
                results[index] = error

    async with asyncio.TaskGroup() as group:
        for first in list(islice(numbered, places)):
            group.create_task(work(first))
    return [results[index] for index in sorted(results)]
