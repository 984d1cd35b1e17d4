"""Beat outlives its broker."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.utils import timezone

from jobs import dispatch
from jobs.models import Job
from tests.brokers.conftest import kill, wait_until
from tests.brokers.private import SERVER, PrivateRabbit
from tests.conftest import missing
from tests.workers import environment

pytestmark = pytest.mark.servers

CELERY = [sys.executable, "-m", "celery", "-A", "cupadmin"]
WORKER = ["worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "ERROR"]
WORKER += ["--queues", "operate,maintenance", "--include", "tests.brokers.poison"]
WORKER += ["--without-gossip", "--without-mingle"]


@pytest.fixture
def rabbit(tmp_path):
    if not SERVER.exists():
        missing("brokers", "RabbitMQ is not installed")
    found = PrivateRabbit(tmp_path)
    found.start()
    yield found
    found.end()


@pytest.fixture
def console(transactional_db, rabbit, tmp_path, monkeypatch):
    """Worker and beat; no job is rung for but by beat."""
    monkeypatch.setattr(dispatch, "send_messages", lambda jobs: None)
    schedule = ["--schedule", str(tmp_path / "schedule")]
    env = environment(CUPADMIN_BROKER_URL=rabbit.url, PYTHONWARNINGS="ignore")
    started = [
        subprocess.Popen([*CELERY, *command], env=env, cwd=settings.BASE_DIR)
        for command in (WORKER, ["beat", *schedule, "--loglevel", "ERROR"])
    ]
    yield started
    for process in started:
        kill(process)


def submit():
    job = Job.objects.submit("say-process", [("one", "One")])
    Job.objects.update(ring_at=timezone.now())
    return job


def finished():
    return not Job.objects.filter(kind="say-process").exclude(state="succeeded")


@pytest.mark.brokers
def test_beat_rings_again_after_its_broker_was_killed_and_started(rabbit, console):
    submit()
    wait_until(finished)
    rabbit.kill()
    submit()
    rabbit.start()
    wait_until(finished)
    assert [process.poll() for process in console] == [None, None]
