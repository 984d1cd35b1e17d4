import asyncio
import errno
import threading

import pytest

from wire import (
    Backoff,
    Code,
    Deadline,
    TokenBucket,
    WireError,
    gather_limited,
    run_loop,
)
from wire.limits import exclusive_turn


def test_burst_passes_and_the_next_waits():
    async def main():
        bucket = TokenBucket(per_minute=60, burst=3)
        for _ in range(3):
            await asyncio.wait_for(bucket.take("a"), 0.2)
        await asyncio.wait_for(bucket.take("b"), 0.2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bucket.take("a"), 0.05)

    run_loop(main())


def test_tokens_come_back():
    async def main():
        bucket = TokenBucket(per_minute=6000, burst=1)
        for _ in range(5):
            await bucket.take("a")

    run_loop(asyncio.wait_for(main(), 5))


def test_turn_is_one_over_all_threads():
    running, most = 0, 0

    async def work():
        nonlocal running, most
        async with exclusive_turn("one over threads", "cup1", Deadline(10)):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    threads = [threading.Thread(target=lambda: run_loop(work())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_turn_that_does_not_come_is_throttled():
    async def main():
        first = exclusive_turn("taken", "cup1", Deadline(5))
        async with first, exclusive_turn("taken", "cup1", Deadline(0.05)):
            pass

    with pytest.raises(WireError) as caught:
        run_loop(main())
    assert caught.value.code is Code.THROTTLED


def test_backoff_gives_up_rather_than_miss_the_deadline():
    error = WireError(Code.THROTTLED)
    with pytest.raises(WireError) as caught:
        run_loop(Backoff(first=5).wait(0, Deadline(1), error))
    assert caught.value is error


def test_deadline_does_not_count_pauses_up_to_half_of_it(monkeypatch):
    now = 100.0
    monkeypatch.setattr("wire.deadline.time.monotonic", lambda: now)
    clock = Deadline(10)
    for pause, left in ((3, 10), (2, 10), (4, 6), (60, -54)):
        with clock.paused():
            now += pause
        assert clock.remaining() == left


def test_gathering_keeps_order_errors_and_the_limit():
    running, most = 0, 0

    async def work(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        if number == 3:
            raise WireError(Code.TIMEOUT)
        return number

    results = run_loop(gather_limited((work(number) for number in range(20)), limit=4))
    assert [x for x in results if isinstance(x, int)] == [*range(3), *range(4, 20)]
    assert results[3].code is Code.TIMEOUT
    assert most == 4


def test_gathering_draws_no_more_than_it_awaits():
    drawn = 0

    async def work():
        await asyncio.sleep(0)
        return drawn

    def conversations():
        nonlocal drawn
        for _ in range(50):
            drawn += 1
            yield work()

    assert run_loop(gather_limited(conversations(), limit=2))[0] <= 3


def test_unexpected_error_is_not_hidden():
    async def work():
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        run_loop(gather_limited([work()]))


def test_loop_that_cannot_be_closed_costs_no_result(monkeypatch):
    class Busy(asyncio.SelectorEventLoop):
        def close(self):
            super().close()
            raise OSError(errno.EBUSY, "Device or resource busy")

    async def answer():
        return 7

    monkeypatch.setattr("wire.loop._loop_factory", lambda: Busy)
    assert run_loop(answer()) == 7
