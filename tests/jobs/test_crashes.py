"""Jobs whose worker ended while it had them in hand."""

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

import tests.brokers.poison  # noqa: F401 - its kinds
from jobs import alone, presence
from jobs.engine import perform_job
from jobs.models import Job, JobStep, Process, from_now
from tests.workers import environment

PAST = timedelta(minutes=1)


@pytest.fixture
def children(monkeypatch):
    """Let processes of their own see the database and the kinds of the tests."""
    for name, value in environment(PYTHONWARNINGS="ignore").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(alone, "task_modules", lambda: ["tests.brokers.poison"])


@pytest.fixture
def stopping():
    presence.stopping.set()
    yield
    presence.stopping.clear()


def process(seen=timedelta(0), **fields):
    row = Process.objects.create(host="here", pid=1, kind="worker", **fields)
    Process.objects.filter(pk=row.pk).update(last_seen=timezone.now() - seen)
    return row


def abandon(job, **fields):
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.RUNNING, lease_until=timezone.now() - PAST, **fields
    )


def performed(job, **options):
    perform_job(str(job.pk), **options)
    job.refresh_from_db()
    return job


def test_a_job_is_set_aside_when_its_second_worker_is_gone(play):
    done = []
    job = play(lambda run: done.append(1), locks=["thing"])
    abandon(job, worker=process(PAST), doing="Read the moon")
    Job.objects.update(crashes=1)
    assert performed(job).state == Job.State.NEEDS_ATTENTION
    assert (job.error_code, done) == ("worker-lost", [])
    assert "Read the moon" in job.error
    assert not job.locks.exists()


def test_a_job_whose_first_worker_is_gone_is_tried_again(play):
    job = play(lambda run: None)
    abandon(job, worker=process(PAST))
    assert performed(job).state == Job.State.SUCCEEDED
    assert job.crashes == 1


def test_a_worker_that_lives_or_was_asked_to_stop_is_not_held_against_a_job(play):
    lives, requested = play(lambda run: None), play(lambda run: None)
    abandon(lives, worker=process())
    abandon(requested, worker=process(PAST), excused=True)
    assert performed(lives).crashes == performed(requested).crashes == 0


def test_a_job_that_was_set_aside_can_be_retried(play):
    job = play(lambda run: None)
    abandon(job, crashes=1)
    performed(job).retry()
    job.refresh_from_db()
    assert (job.crashes, job.error_code) == (0, "")
    assert performed(job).state == Job.State.SUCCEEDED


@pytest.mark.servers
def test_a_second_attempt_runs_in_a_process_of_its_own(transactional_db, children):
    job = Job.objects.submit("say-process", [("one", "One")])
    abandon(job, worker=process(PAST))
    assert performed(job, alone=True).state == Job.State.SUCCEEDED
    child, parent = job.steps.get().detail.split(" of ")
    assert (int(parent), int(child) != os.getpid()) == (os.getpid(), True)


@pytest.mark.servers
def test_a_second_attempt_that_ends_its_process_is_set_aside_at_once(
    transactional_db, children
):
    job = Job.objects.submit("kill-worker", [("one", "One"), ("two", "Two")])
    abandon(job, worker=process(PAST))
    assert performed(job, alone=True).state == Job.State.NEEDS_ATTENTION
    assert job.error_code == "worker-lost"
    states = JobStep.objects.values_list("state", flat=True).order_by("position")
    assert list(states) == ["unknown", "skipped"]


@pytest.mark.servers
def test_a_first_attempt_needs_no_process_of_its_own(transactional_db, children):
    job = Job.objects.submit("say-process", [("one", "One")])
    performed(job, alone=True)
    assert job.steps.get().detail.startswith(f"{os.getpid()} of ")


def test_a_process_that_is_to_end_gives_its_job_back_as_it_stands(play):
    done = []

    def work(run):
        run.do("one", lambda step: done.append("one") or presence.stopping.set())
        run.do("two", lambda step: done.append("two"))

    job = play(work)
    try:
        assert performed(job).state == Job.State.QUEUED
    finally:
        presence.stopping.clear()
    assert (job.attempts, job.crashes, done) == (0, 0, ["one"])
    assert performed(job).state == Job.State.SUCCEEDED
    assert done == ["one", "two"]


def test_what_is_given_back_now_is_due_within_the_same_statement(play):
    play(lambda run: None)
    jobs = Job.objects.annotate(given_back=from_now(timedelta(0)))
    assert jobs.filter(given_back__lte=Now()).exists()


def test_a_process_that_is_to_end_takes_no_job(play, stopping):
    assert performed(play(lambda run: None)).attempts == 0


def test_jobs_in_hand_are_excused_and_no_others(play):
    mine, other = play(lambda run: None), play(lambda run: None)
    Job.objects.filter(pk=mine.pk).update(owner="me")
    Job.objects.update(state=Job.State.RUNNING)
    with presence.in_hand("me"):
        presence.excuse_jobs()
    assert Job.objects.get(excused=True) == mine
    assert not Job.objects.get(pk=other.pk).excused


SHOWN = """
import sys, time, django
django.setup()
from jobs import presence
from jobs.models import Process
presence.start_presence(Process.Kind.WORKER, ["operate", "site-berlin"])
sys.stdin.read()
"""


@pytest.mark.servers
def test_a_process_shows_itself_while_it_lives(transactional_db):
    child = subprocess.Popen(
        [sys.executable, "-c", SHOWN],
        env=environment(PYTHONWARNINGS="ignore"),
        stdin=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not Process.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    row = Process.objects.alive().get()
    assert (row.pid, row.kind, row.sites) == (child.pid, "worker", ["berlin"])
    job = Job.objects.submit("say-process", [])
    Job.objects.update(state=Job.State.RUNNING, worker=row)
    assert row.job == job
    child.stdin.close()
    child.wait()
    assert not Process.objects.exists()
    connection.close()


@pytest.mark.servers
def test_a_process_of_its_own_that_never_begins_is_ended(
    transactional_db, children, monkeypatch
):
    monkeypatch.setattr(alone, "START_PATIENCE", 0.0)
    job = Job.objects.submit("say-process", [("one", "One")])
    abandon(job, worker=process(PAST))
    assert performed(job, alone=True).error_code == "worker-lost"


@pytest.mark.servers
def test_a_process_of_its_own_whose_lease_ran_out_is_ended(transactional_db, children):
    job = Job.objects.submit("say-process", [("one", "One")])
    abandon(job, owner=alone.new_owner("me"))
    assert alone.stands_still(job.pk, "me", late=False)
    Job.objects.update(lease_until=timezone.now() + PAST)
    assert not alone.stands_still(job.pk, "me", late=True)
