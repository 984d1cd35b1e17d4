"""A job that takes its worker down: replaced, tried alone, set aside; others go on."""

import sys
import threading

import pytest
from django.db.models import F
from django.db.models.functions import Now

from cupadmin import supervisor
from jobs import tasks
from jobs.models import Job, Process
from tests.brokers import ledger
from tests.brokers.conftest import in_use, wait_until
from tests.brokers.servers import Embedded
from tests.workers import environment

pytestmark = pytest.mark.servers

WORKER = [sys.executable, "-m", "celery", "-A", "cupadmin", "worker"]
WORKER += ["--pool", "threads", "--concurrency", "4", "--loglevel", "WARNING"]
WORKER += ["--include", "tests.brokers.ledger,tests.brokers.poison"]
WORKER += ["--without-gossip", "--without-mingle"]


@pytest.fixture
def broker(monkeypatch):
    yield from in_use(Embedded(), monkeypatch)


@pytest.fixture
def supervised(transactional_db, broker, tmp_path, monkeypatch):
    """A worker under the supervisor, as `make run` starts it; yields its log."""
    monkeypatch.setattr(supervisor, "SILENCE", 30.0)
    monkeypatch.setattr(supervisor, "LAST_GRACE", 1.0)
    found = supervisor.Supervisor(tmp_path)
    more = {"CUPADMIN_STALL_SECONDS": "8", "PYTHONWARNINGS": "ignore"}
    worker = found.start(
        "worker",
        *[*WORKER, "--queues", broker.queue],
        environment=environment(**more, **broker.environment),
        watched=True,
    )
    stop = threading.Event()

    def watch():
        while not stop.wait(0.2):
            found.revive()

    thread = threading.Thread(target=watch)
    thread.start()
    yield worker, tmp_path / "worker.log"
    stop.set()
    thread.join()
    found.stop()


def ring_until(ready):
    """Ring as beat does, with leases that run out at once, as after some time."""

    def look():
        gone = Job.objects.filter(state="running").exclude(
            worker__in=Process.objects.alive()
        )
        gone.update(lease_until=F("created_at"))
        Job.objects.update(ring_at=Now())
        tasks.ring_due()
        return ready()

    wait_until(look)


def test_a_job_that_holds_the_interpreter_is_set_aside_and_the_others_go_on(
    supervised, broker, submit
):
    worker, log = supervised
    bad = Job.objects.submit("hold-interpreter", [("one", "Trap")], queue=broker.queue)
    # Those in hand wait until the worker was replaced.
    good = submit(6, limit=1)
    first = worker.running.pid
    ring_until(lambda: worker.running.pid != first)
    ledger.GATE.touch()
    ring_until(lambda: not Job.objects.active().exists())
    bad.refresh_from_db()
    assert (bad.state, bad.error_code) == ("needs_attention", "worker-lost")
    assert "Trap" in bad.error
    assert bad.crashes == 2
    states = Job.objects.filter(pk__in=[job.pk for job in good])
    assert set(states.values_list("state", flat=True)) == {"succeeded"}
    assert worker.running.pid != first
    assert "in hold" in log.read_text()
