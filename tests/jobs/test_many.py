"""Many jobs at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.kind import JobRequest
from jobs.locks import Busy, JobLock
from jobs.models import Job, JobStep

STEPS = [("one", "First"), ("two", "Second")]


def request_of(number):
    return JobRequest(
        "provision-peer", STEPS, label=f"peer {number}", locks=[f"p:{number}"]
    )


def statements(count, first):
    with CaptureQueriesContext(
        connection,
    ) as reported:
        Job.objects.submit_all(request_of(first + n) for n in range(count))
    return len(reported)


def test_many_jobs_take_as_many_statements_as_one(db):
    assert statements(1, 0) == statements(20, 1)
    assert Job.objects.count() == JobLock.objects.count() == 21
    assert JobStep.objects.count() == 42


def test_all_or_none_are_submitted(db):
    busy = Job.objects.submit("provision-peer", STEPS, locks=["p:2"])
    with pytest.raises(Busy) as raised:
        Job.objects.submit_all(request_of(n) for n in range(4))
    assert raised.value.job == busy
    assert Job.objects.get() == busy


def test_two_of_many_jobs_cannot_want_the_same_lock(db):
    with pytest.raises(ValueError, match="same lock"):
        Job.objects.submit_all([request_of(1), request_of(1)])
    assert not Job.objects.exists()


def test_those_that_nobody_took_end_at_once(db):
    jobs = Job.objects.submit_all(request_of(n) for n in range(3))
    Job.objects.filter(pk=jobs[1].pk).update(state=Job.State.RUNNING)
    assert Job.objects.active().cancel_waiting() == 2
    assert Job.objects.active().get() == jobs[1]
    assert JobLock.objects.get().job == jobs[1]
    assert JobStep.objects.filter(state=JobStep.State.SKIPPED).count() == 4
    assert Job.objects.active().cancel_waiting() == 0
