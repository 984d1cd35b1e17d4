"""A database that goes away for a moment costs a job no attempt."""

import psycopg
import pytest
from django.db import InterfaceError, OperationalError

from jobs import engine, presence
from jobs.engine import perform_job
from jobs.models import Job


@pytest.fixture
def away(monkeypatch):
    """Raise once what a lost connection raises."""
    monkeypatch.setattr(engine, "AWAY_PAUSE", 0.0)

    def lose(error, then=lambda *args: None):
        left = [error]

        def call(*args):
            if left:
                raise left.pop()() from psycopg.OperationalError("gone")
            return then(*args)

        return call

    return lose


def performed(job):
    perform_job(str(job.pk))
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_step_that_lost_the_database_is_read_back_at_once(play, away, error):
    act, seen = away(error), []

    def work(run):
        run.do("one", lambda step: seen.append(step.interrupted) or act())

    job = performed(play(work))
    assert (job.state, job.attempts, job.crashes) == (Job.State.QUEUED, 0, 0)
    assert performed(job).state == Job.State.SUCCEEDED
    assert (job.attempts, seen) == (1, [False, True])


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_the_end_of_a_job_waits_for_the_database(play, away, error, monkeypatch):
    monkeypatch.setattr(engine, "finish_job", away(error, engine.finish_job))
    job = performed(play(lambda run: None))
    assert (job.state, job.attempts) == (Job.State.SUCCEEDED, 1)


def test_a_worker_that_is_to_end_waits_for_no_database(play, away, monkeypatch):
    monkeypatch.setattr(engine, "finish_job", away(OperationalError, engine.finish_job))
    job = play(lambda run: presence.stopping.set())
    try:
        with pytest.raises(OperationalError):
            perform_job(str(job.pk))
    finally:
        presence.stopping.clear()


def test_other_faults_of_the_database_fail_the_job(play):
    def work(run):
        raise OperationalError("no such table: peers")

    assert performed(play(work)).state == Job.State.FAILED


def test_the_heartbeat_outlives_a_lost_connection(play, away, monkeypatch):
    monkeypatch.setattr(engine, "HEARTBEAT", 0.01)
    looks = []
    look = away(InterfaceError, lambda self: looks.append(1))
    job = play(lambda run: None)
    found = engine.Run(Job.objects.claim(str(job.pk), "me"))
    monkeypatch.setattr(engine.Run, "refresh_cancelled", look)
    with engine.Heartbeat(found, "me") as _:
        while not looks:
            found.cancelled.wait(0.01)
