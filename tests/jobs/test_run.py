import time
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.engine import MAX_ATTEMPTS, UNEXPECTED, perform_job
from jobs.locks import Busy, JobLock
from jobs.models import Job
from tests.workers import deliver_ten_times
from wire import Code, WireError


def perform_anew(job):
    perform_job(str(job.pk))
    job.refresh_from_db()
    return job


def abandon(job):
    """As if the worker had been killed a while ago."""
    past = timezone.now() - timedelta(minutes=1)
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, lease_until=past)


def states(job):
    return [step.state for step in job.steps.all()]


def both(run):
    run.do("one", lambda step: "first")
    run.do("two", lambda step: "second")


def test_a_job_does_its_steps_and_tells_of_them(play):
    job = perform_anew(play(both))
    assert job.state == Job.State.SUCCEEDED
    assert [step.detail for step in job.steps.all()] == ["first", "second"]
    assert (job.done, job.total) == (2, 2)


def test_ten_messages_at_once_do_the_work_once(play):
    done = []
    job = play(lambda run: done.append(run.job.pk))
    deliver_ten_times(job)
    assert done == [job.pk]


def test_a_resumed_job_leaves_finished_steps_alone(play):
    done = []

    def work(run):
        run.do("one", lambda step: done.append("one"))
        if len(done) == 1:
            done.append("killed")
            raise SystemExit
        run.do("two", lambda step: done.append("two"))

    job = play(work)
    with pytest.raises(SystemExit):
        perform_job(str(job.pk))
    abandon(job)
    assert perform_anew(job).state == Job.State.SUCCEEDED
    assert done == ["one", "killed", "two"]


def test_a_step_that_was_interrupted_knows_it(play):
    seen = []

    def act(step):
        seen.append((step.interrupted, step.memo))
        step.save_memo(sent=True)
        if len(seen) == 1:
            raise SystemExit

    job = play(lambda run: run.do("one", act))
    with pytest.raises(SystemExit):
        perform_job(str(job.pk))
    abandon(job)
    perform_anew(job)
    assert seen[0][0] is False
    assert seen[1] == (True, {"sent": True})


def test_an_unknown_outcome_needs_attention(play):
    def fail(step):
        raise WireError(Code.TIMEOUT, outcome_unknown=True)

    job = perform_anew(play(lambda run: run.do("one", fail)))
    assert job.state == Job.State.NEEDS_ATTENTION
    assert states(job) == ["unknown", "skipped"]


def test_a_retry_reads_an_unknown_step_back(play):
    seen = []

    def act(step):
        seen.append(step.interrupted)
        if len(seen) == 1:
            raise WireError(Code.TIMEOUT, outcome_unknown=True)

    job = perform_anew(play(lambda run: run.do("one", act)))
    job.retry()
    assert perform_anew(job).state == Job.State.SUCCEEDED
    assert seen == [False, True]


def test_a_retry_counts_each_step_once(play):
    def work(run):
        both(run)
        if run.job.attempts == 1 and not JobLock.objects.filter(name="again").exists():
            JobLock.objects.create(name="again", job=run.job)
            raise ValueError

    job = perform_anew(play(work))
    assert job.state == Job.State.FAILED
    JobLock.objects.create(name="again", job=job)
    job.retry()
    perform_anew(job)
    assert (job.state, job.done, job.total) == (Job.State.SUCCEEDED, 2, 2)


def test_an_unexpected_error_is_logged_and_never_shown(play, caplog):
    def work(run):
        run.do("one", lambda step: 1 / 0)

    job = perform_anew(play(work))
    assert job.error == UNEXPECTED
    assert "ZeroDivisionError" in caplog.text
    assert states(job) == ["unknown", "skipped"]


def test_a_job_that_kills_its_workers_stops_doing_so(play):
    job = play(both)
    Job.objects.update(attempts=MAX_ATTEMPTS)
    assert perform_anew(job).state == Job.State.NEEDS_ATTENTION
    assert states(job) == ["skipped", "skipped"]


def test_a_parked_job_comes_again_and_was_not_interrupted(play):
    def work(run):
        if run.job.started_at and run.job.steps.filter(state="done").exists():
            return
        run.do("one", lambda step: None)
        run.park(0)

    job = perform_anew(play(work))
    assert (job.state, job.attempts) == (Job.State.QUEUED, 0)
    assert perform_anew(job).state == Job.State.SUCCEEDED


def test_a_cancelled_job_stops_before_its_next_step(play):
    def work(run):
        run.do("one", lambda step: Job.objects.get().cancel() and None)
        run.do("two", lambda step: None)

    job = perform_anew(play(work))
    assert job.state == Job.State.CANCELLED
    assert states(job) == ["done", "skipped"]


def test_a_step_in_the_middle_of_its_work_learns_that_it_is_cancelled(play):
    def wait(run):
        Job.objects.get().cancel()
        for _ in range(200):
            run.raise_if_seen_cancelled()
            time.sleep(0.05)

    job = perform_anew(play(lambda run: run.do("one", lambda step: wait(run))))
    assert job.state == Job.State.CANCELLED
    assert states(job) == ["skipped", "skipped"]


def test_a_job_that_nobody_took_is_cancelled_at_once(play):
    job = play(both, locks=["a"])
    assert job.cancel()
    assert perform_anew(job).state == Job.State.CANCELLED
    assert not JobLock.objects.exists()


def test_a_lock_is_held_until_the_end(play):
    job = play(both, locks=["a", "b"])
    with pytest.raises(Busy) as busy:
        play(both, locks=["b", "c"])
    assert busy.value.job == job
    perform_anew(job)
    play(both, locks=["b", "c"])


def test_a_refused_job_leaves_nothing(play):
    play(both, locks=["a"])
    with pytest.raises(Busy):
        play(both, locks=["a", "z"])
    assert Job.objects.count() == 1
    assert JobLock.objects.count() == 1


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_wrong_by_an_hour_delays_nothing(play, monkeypatch, hours):
    wrong = timezone.now() + timedelta(hours=hours)
    monkeypatch.setattr("django.utils.timezone.now", lambda: wrong)
    assert perform_anew(play(both)).state == Job.State.SUCCEEDED


def test_a_worker_that_lost_its_lease_writes_no_end(play):
    def work(run):
        Job.objects.update(owner="another")

    job = perform_anew(play(work))
    assert (job.state, job.owner) == (Job.State.RUNNING, "another")
