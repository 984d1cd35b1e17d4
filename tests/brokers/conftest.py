"""Real workers on real brokers, by the database that this run of the tests uses."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from jobs import dispatch
from jobs.models import Job
from tests.brokers import ledger
from tests.brokers.servers import BROKERS, Broker
from tests.conftest import missing
from tests.waiting import eventually
from tests.workers import environment


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("redis", marks=pytest.mark.brokers),
        pytest.param("rabbitmq", marks=pytest.mark.brokers),
    ]
)
def broker(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Broker]:
    """A broker that holds nothing, and that jobs are rung through."""
    server = BROKERS[request.param]()
    try:
        server.check()
    except (OperationalError, OSError) as error:
        missing("brokers", f"{request.param} does not answer ({error})")
    yield from in_use(server, monkeypatch)


def in_use(server: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """The broker, emptied, while jobs are rung through it."""
    server.lose()
    with server.producer() as app:
        monkeypatch.setattr(dispatch, "current_app", app)
        yield server
        dispatch.wait_until_sent()
    server.leave()


@pytest.fixture
def start_worker(
    transactional_db: None, broker: Broker
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start `celery worker` as the console does; all that are left die at the end."""
    started = []
    command = [sys.executable, "-m", "celery", "-A", "cupadmin", "worker"]
    command += ["--pool", "threads", "--concurrency", "8", "--loglevel", "ERROR"]
    command += ["--queues", broker.queue, "--include", "tests.brokers.ledger"]
    command += ["--without-gossip", "--without-mingle"]

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*command, "--hostname", f"{os.getpid()}-{len(started)}@tests"],
            env=environment(PYTHONWARNINGS="ignore", **broker.environment),
            cwd=settings.BASE_DIR,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        kill(process)


def kill(worker: "subprocess.Popen[bytes]") -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()


@pytest.fixture
def submit(transactional_db: None, broker: Broker) -> Callable[..., list[Job]]:
    """Submit many jobs of two acts; those that reach the limit wait for the gate."""
    ledger.PATH.unlink(missing_ok=True)
    ledger.GATE.unlink(missing_ok=True)
    steps = [("one", "One"), ("two", "Two")]

    def many(number: int, limit: int | None = None) -> list[Job]:
        reported = {"arguments": {"limit": limit}, "queue": broker.queue}
        return [
            Job.objects.submit("write-lines", steps, **reported) for _ in range(number)
        ]

    return many


def wait_until(ready: Callable[[], bool]) -> None:
    """Wait for workers; says how the jobs stand if they never come so far."""
    assert eventually(ready), list(Job.objects.values_list("state", flat=True))
