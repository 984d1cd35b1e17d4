"""The worker is killed between any two lines; the job ends, and acts once."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.audit import Actor
from jobs.models import Job
from services.jobs.control import ControlServices
from tests.services.conftest import agent_on, done
from tests.workers import deliver_ten_times

pytestmark = pytest.mark.servers

# A worker of its own, that kills itself around the command.
WORKER = """
import os, signal, sys
import django
django.setup()
from services.jobs import control
from jobs.engine import perform_job
real, when = control.send_command, sys.argv[2]
def send(*arguments):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
control.send_command = send
perform_job(sys.argv[1])
"""


def database_url():
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    where = f"{database['HOST']}:{database['PORT'] or 5432}"
    who = f"{database['USER']}:{database['PASSWORD']}"
    return f"postgres://{who}@{where}/{database['NAME']}"


def killed_worker(job, when):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        "CUPADMIN_DATA_DIR": str(settings.DATA_DIR),
        "CUPADMIN_DATABASE_URL": database_url(),
        "CUPADMIN_ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    arguments = [sys.executable, "-c", WORKER, str(job.pk), when]
    return subprocess.run(
        arguments, env=environment, cwd=settings.BASE_DIR, timeout=60
    ).returncode


@pytest.fixture
def node(read_nodes):
    return read_nodes[1]


def in_the_lab(lab, node):
    return next(n for c in lab.clusters for n in c.nodes if n.name == node.name)


def commands(lab, node):
    requested = [call.operation for call in list(in_the_lab(lab, node).calls)]
    return sum("DoControlServices" in name for name in requested)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("action", "first"), [("start", "Stopped"), ("restart", "Started")]
)
def test_a_worker_killed_at_the_command_leaves_one_command(
    lab, node, monkeypatch, when, action, first
):
    monkeypatch.setattr("services.decisions.GRACE", 0.5)
    in_the_lab(lab, node).service(agent_on(node).name).set(first)
    started = commands(lab, node)
    job = ControlServices.submit(action, [agent_on(node)], Actor())
    assert killed_worker(job, when) == -signal.SIGKILL
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    Job.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert done(job).state == Job.State.SUCCEEDED, job.steps.get().detail
    assert commands(lab, node) - started == 1


def test_the_same_message_ten_times_is_one_command(lab, node):
    # A node tells start times in seconds: two restarts in one cannot be told apart.
    time.sleep(1.1)
    started = commands(lab, node)
    job = ControlServices.submit("restart", [agent_on(node)], Actor())
    deliver_ten_times(job)
    assert done(job).state == Job.State.SUCCEEDED
    assert commands(lab, node) - started == 1
