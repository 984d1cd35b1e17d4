"""Workers as the tests need them: one that does a job to its end, one that dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from jobs import dispatch, presence
from jobs.engine import perform_job
from jobs.models import Job, Process

# A worker starts within seconds, and within minutes on a machine that is busy.
PATIENCE = 240
WORKER = """
import sys
import django
django.setup()
from jobs.engine import perform_job
perform_job(sys.argv[1])
"""


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    where = f"{database['HOST']}:{database['PORT'] or 5432}"
    who = f"{database['USER']}:{database['PASSWORD']}"
    return f"postgres://{who}@{where}/{database['NAME']}"


def environment(**more: str) -> dict[str, str]:
    """What a process of its own needs to see the database of the tests."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        "CUPADMIN_DATA_DIR": str(settings.DATA_DIR),
        "CUPADMIN_DATABASE_URL": database_url(),
        "CUPADMIN_ALLOWED_NETWORKS": "127.0.0.0/8",
        "CUPADMIN_DNS_SERVERS": ",".join(settings.DNS_SERVERS),
        **more,
    }


def killed_at(job: Job, failpoint: str) -> None:
    """Work on the job in a process that SIGKILL ends at the failpoint."""
    ended = subprocess.run(
        [sys.executable, "-c", WORKER, str(job.pk)],
        env=environment(CUPADMIN_FAILPOINT=failpoint),
        cwd=settings.BASE_DIR,
        timeout=PATIENCE,
    )
    assert ended.returncode == -signal.SIGKILL, f"{failpoint} was not reached"
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING


def deliver_ten_times(job: Job) -> None:
    """Work on the job in ten threads at once, as for ten messages of it."""

    def deliver(_: int) -> None:
        try:
            perform_job(str(job.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(deliver, range(10)))


def work_at_once(monkeypatch: pytest.MonkeyPatch, queue: str) -> None:
    """Have a worker of this queue, which takes jobs as they are submitted."""
    Process.objects.create(host="b", pid=1, kind="worker", queues=[queue])

    def send_messages(rings: Iterable[tuple[str, str]]) -> None:
        for pk, asked in rings:
            assert asked == queue
            with monkeypatch.context() as patch:
                patch.setattr(presence, "_queues", frozenset([queue]))
                perform_job(pk)

    monkeypatch.setattr(dispatch, "send_messages", send_messages)


def expire_leases() -> None:
    Job.objects.filter(state=Job.State.RUNNING).update(
        lease_until=timezone.now() - timedelta(minutes=1)
    )


def done(job: Job) -> Job:
    """Work on the job, and on those it waits for, until it is over."""
    for _ in range(50):
        for child in Job.objects.active().filter(kind="control-services"):
            perform_job(str(child.pk))
        perform_job(str(job.pk))
        job.refresh_from_db()
        if not job.active:
            return job
        Job.objects.filter(pk=job.pk).update(not_before=job.created_at)
    raise AssertionError(f"{job} does not end")
