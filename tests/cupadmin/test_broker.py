import multiprocessing
from pathlib import Path

from kombu import Connection

import cupadmin.broker  # noqa: F401 - registers the transport

N = 300


def connection(folder: Path) -> Connection:
    return Connection(
        "atomic-filesystem://localhost",
        transport_options={"folder": str(folder), "polling_interval": 0.01},
    )


def produce(folder: Path, first: int) -> None:
    with connection(folder) as broker, broker.SimpleQueue("operate") as queue:
        for number in range(first, first + N):
            queue.put({"number": number})


def consume(folder: Path, found: "multiprocessing.Queue[int]") -> None:
    with connection(folder) as broker, broker.SimpleQueue("operate") as queue:
        while True:
            try:
                message = queue.get(timeout=2)
            except queue.Empty:
                return
            found.put(message.payload["number"])
            message.ack()


def test_nothing_is_lost_or_doubled_between_processes(tmp_path):
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    workers = [
        context.Process(target=produce, args=(tmp_path, 0)),
        context.Process(target=produce, args=(tmp_path, N)),
        context.Process(target=consume, args=(tmp_path, found)),
        context.Process(target=consume, args=(tmp_path, found)),
    ]
    for worker in workers:
        worker.start()
    numbers = sorted(found.get(timeout=30) for _ in range(2 * N))
    for worker in workers:
        worker.join(30)
    assert numbers == list(range(2 * N))
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]


def test_messages_come_in_the_order_they_were_sent(tmp_path):
    with connection(tmp_path) as broker, broker.SimpleQueue("ordered") as queue:
        for number in range(20):
            queue.put(number)
        assert [queue.get(timeout=1).payload for _ in range(20)] == list(range(20))


def test_a_half_written_message_is_not_seen(tmp_path):
    (tmp_path / ".00000000000000000001_x.halves.msg").write_text("")
    with connection(tmp_path) as broker, broker.SimpleQueue("halves") as queue:
        queue.put("whole")
        assert queue.get(timeout=1).payload == "whole"
