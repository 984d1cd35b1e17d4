import json
import multiprocessing
import os
import pickle
from pathlib import Path

import pytest
from kombu import Connection

import cupadmin.filesystem_broker  # noqa: F401 - registers the transport
from tests.waiting import PATIENCE

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
        number = 0
        while number is not None:
            message = queue.get(timeout=PATIENCE)
            number = message.payload["number"]
            found.put(number)
            message.ack()


@pytest.mark.servers
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
    for producer in workers[:2]:
        producer.join(PATIENCE)
    with connection(tmp_path) as broker, broker.SimpleQueue("operate") as queue:
        for _ in workers[2:]:
            queue.put({"number": None})  # the end, for one of them
    numbers = [found.get(timeout=PATIENCE) for _ in range(2 * N + 2)]
    for worker in workers[2:]:
        worker.join(PATIENCE)
    assert sorted(n for n in numbers if n is not None) == list(range(2 * N))
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]


def test_messages_come_in_the_order_they_were_sent(tmp_path):
    with connection(tmp_path) as broker, broker.SimpleQueue("ordered") as queue:
        for number in range(20):
            queue.put(number)
        found = [queue.get(timeout=PATIENCE).payload for _ in range(20)]
        assert found == list(range(20))


def test_a_half_written_message_is_not_seen(tmp_path):
    (tmp_path / ".00000000000000000001_x.halves.msg").write_text("")
    with connection(tmp_path) as broker, broker.SimpleQueue("halves") as queue:
        queue.put("whole")
        assert queue.get(timeout=PATIENCE).payload == "whole"


def message(**changes):
    properties = {"delivery_tag": "1", "delivery_info": {}, "body_encoding": "base64"}
    whole = {
        "body": "Ing=",
        "headers": {},
        "properties": properties | changes.pop("properties", {}),
        "content-type": "application/json",
        "content-encoding": "utf-8",
    }
    return json.dumps(whole | changes).encode()


BAD = {
    "text": b"hello",
    "pickle": pickle.dumps({"body": "x"}),
    "empty": b"",
    "array": b"[]",
    "object": b"{}",
    "number": b"7",
    "null": b"null",
    "half": message()[:-20],
    "deep": b"[" * 100_000,
    "no-tag": message(properties={"delivery_tag": None}),
    "list-as-properties": message(properties={"delivery_info": []}),
    "headers": message(headers=[]),
    "encoding": message(properties={"body_encoding": "rot13"}),
    "base64": message(body="a"),
    "body": message(body=7),
    "large": b"x" * 50_000_000,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_set_aside_and_the_next_message_comes(tmp_path, name, caplog):
    (tmp_path / f"00000000000000000001_{name}.{tmp_path.name}.msg").write_bytes(
        BAD[name]
    )
    with connection(tmp_path) as broker, broker.SimpleQueue(tmp_path.name) as queue:
        queue.put("good")
        assert queue.get(timeout=PATIENCE).payload == "good"
    assert len(list((tmp_path / "rejected").iterdir())) == 1
    assert name in caplog.text


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda p: os.symlink("/", p)])
def test_what_is_no_file_is_set_aside(tmp_path, make):
    make(tmp_path / f"00000000000000000001_odd.{tmp_path.name}.msg")
    with connection(tmp_path) as broker, broker.SimpleQueue(tmp_path.name) as queue:
        queue.put("good")
        assert queue.get(timeout=PATIENCE).payload == "good"
    assert len(list((tmp_path / "rejected").iterdir())) == 1


def test_a_bad_table_of_queues_is_set_aside(tmp_path):
    # kombu remembers for the whole process which queues it has bound.
    control = tmp_path / "control"
    control.mkdir()
    (control / f"{tmp_path.name}.exchange").write_bytes(b"")
    with connection(tmp_path) as broker, broker.SimpleQueue(tmp_path.name) as queue:
        queue.put("good")
        assert queue.get(timeout=PATIENCE).payload == "good"
    assert (
        json.loads((control / f"{tmp_path.name}.exchange").read_text())[0][2]
        == tmp_path.name
    )


def test_rejected_files_do_not_pile_up(tmp_path, monkeypatch):
    monkeypatch.setattr("cupadmin.filesystem_broker.MOST_REJECTED", 3)
    for number in range(10):
        (tmp_path / f"{number:020d}_bad.{tmp_path.name}.msg").write_bytes(b"")
    with connection(tmp_path) as broker, broker.SimpleQueue(tmp_path.name) as queue:
        queue.put("good")
        queue.get(timeout=PATIENCE)
    assert len(list((tmp_path / "rejected").iterdir())) == 3


def test_a_message_is_on_the_disk_before_it_appears(tmp_path, monkeypatch):
    done = []
    fsync, rename = os.fsync, Path.rename
    monkeypatch.setattr(os, "fsync", lambda n: done.append("fsync") or fsync(n))
    monkeypatch.setattr(
        Path, "rename", lambda *paths: done.append("rename") or rename(*paths)
    )
    with connection(tmp_path) as broker, broker.SimpleQueue(tmp_path.name) as queue:
        done.clear()
        queue.put("good")
    assert done == ["fsync", "rename", "fsync"]
