"""Kill the worker, lose the broker, double every message: each job ends once."""

import pytest

from jobs import dispatch, tasks
from jobs.models import Job
from tests.brokers import ledger
from tests.brokers.conftest import kill, wait_until
from tests.workers import expire_leases

pytestmark = pytest.mark.servers


def finished():
    return not Job.objects.active().exists()


def each_acted_once(jobs):
    expected = {f"{job.pk} {key}" for job in jobs for key in ("one", "two")}
    return dict(ledger.lines()) == dict.fromkeys(expected, 1)


def test_a_killed_worker_and_ten_messages_each_leave_every_job_done_once(
    broker, submit, start_worker
):
    worker = start_worker()
    jobs = submit(20, limit=10)
    wait_until(lambda: ledger.lines().total() >= 10)
    kill(worker)
    assert Job.objects.filter(state=Job.State.RUNNING).exists()
    ledger.GATE.touch()
    expire_leases()
    dispatch.send_messages([(str(job.pk), broker.queue) for job in jobs] * 10)
    start_worker()
    wait_until(finished)
    assert set(Job.objects.values_list("state", flat=True)) == {"succeeded"}
    assert each_acted_once(jobs)


def test_a_broker_that_lost_200_jobs_loses_none(broker, submit, start_worker):
    jobs = submit(200)
    broker.lose()
    start_worker()
    wait_until(rung_and_finished)
    assert set(Job.objects.values_list("state", flat=True)) == {"succeeded"}
    assert each_acted_once(jobs)


def rung_and_finished():
    """Ring as beat does: for nobody until a worker listens."""
    tasks.ring_due()
    return finished()
