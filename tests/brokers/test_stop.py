"""A worker that is asked to stop, and a database that goes away: real processes."""

import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from jobs import tasks
from jobs.models import Job, Process
from tests.brokers import ledger
from tests.brokers.conftest import kill, wait_until
from tests.brokers.proxy import Proxy
from tests.waiting import PATIENCE
from tests.workers import environment

pytestmark = pytest.mark.servers


def has_begun():
    return ledger.lines().total() > 0


def finished():
    """Ring as beat does."""
    tasks.ring_due()
    return not Job.objects.active().exists()


def each_acted_once(jobs):
    expected = {f"{job.pk} {key}" for job in jobs for key in ("one", "two")}
    return dict(ledger.lines()) == dict.fromkeys(expected, 1)


def test_a_worker_that_is_asked_to_stop_gives_its_jobs_to_another(
    broker, submit, start_worker
):
    worker = start_worker()
    jobs = submit(4, limit=1)
    wait_until(has_begun)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0
    found = Job.objects.values_list("state", "attempts", "crashes")
    assert set(found) == {("queued", 0, 0)}
    assert not Process.objects.filter(kind="worker").exists()
    ledger.GATE.touch()
    start_worker()
    wait_until(finished)
    assert set(Job.objects.values_list("state", "attempts")) == {("succeeded", 1)}
    assert each_acted_once(jobs)


@pytest.fixture
def proxy():
    if connection.vendor != "postgresql":
        pytest.skip("only a server can go away")
    server = connection.settings_dict
    with Proxy(server["HOST"], int(server["PORT"] or 5432)) as found:
        yield found


@pytest.fixture
def distant_worker(broker, transactional_db, proxy):
    """A worker whose database is behind the proxy."""
    server = connection.settings_dict
    user = f"{server['USER']}:{server['PASSWORD']}"
    url = f"postgres://{user}@127.0.0.1:{proxy.port}/{server['NAME']}"
    command = [sys.executable, "-m", "celery", "-A", "cupadmin", "worker"]
    command += ["--pool", "threads", "--concurrency", "4", "--loglevel", "ERROR"]
    command += ["--queues", broker.queue, "--include", "tests.brokers.ledger"]
    env = environment(
        CUPADMIN_DATABASE_URL=url, PYTHONWARNINGS="ignore", **broker.environment
    )
    process = subprocess.Popen(command, env=env, cwd=settings.BASE_DIR)
    yield process
    kill(process)


def test_a_database_that_goes_away_costs_no_attempt_and_no_lease(
    proxy, distant_worker, submit
):
    jobs = submit(4, limit=1)
    wait_until(has_begun)
    with proxy.cut():
        ledger.GATE.touch()
        time.sleep(2.0)  # how long it is away
    # Never: a job that waited for its lease to end would have been claimed again.
    wait_until(finished_within_lease)
    assert set(Job.objects.values_list("state", "crashes")) == {("succeeded", 0)}
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
    assert each_acted_once(jobs)


def finished_within_lease():
    running = Job.objects.filter(state="running")
    assert not running.filter(lease_until__lt=Now()).exists()
    return finished()
