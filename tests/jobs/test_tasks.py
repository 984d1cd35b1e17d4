from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from jobs import dispatch, tasks
from jobs.models import Job, Process


@pytest.fixture
def rung(monkeypatch):
    """The ids that were rung for."""
    found = []

    def send_task(name, args, **options):
        found.extend(args)

    monkeypatch.setattr(current_app, "send_task", send_task)
    return found


@pytest.fixture(autouse=True)
def listener(transactional_db):
    Process.objects.create(host="here", pid=1, kind="worker", queues=["operate"])


def test_fifty_jobs_outlive_a_broker_that_is_gone(play, monkeypatch, rung):
    def gone(*args, **options):
        raise ConnectionError

    works = []
    with monkeypatch.context() as broken:
        broken.setattr(current_app, "send_task", gone)
        jobs = [play(lambda run: works.append(run.job.pk)) for _ in range(50)]
        dispatch.wait_until_sent()
    tasks.ring_due()
    dispatch.wait_until_sent()
    assert sorted(rung) == sorted(str(job.pk) for job in jobs)
    for pk in rung * 2:
        tasks.work_on_job(pk)
    assert len(works) == 50
    assert set(Job.objects.values_list("state", flat=True)) == {"succeeded"}


def test_a_job_that_was_just_rung_is_not_rung_again(play, rung):
    play(lambda run: None)
    dispatch.wait_until_sent()
    rung.clear()
    tasks.ring_due()
    tasks.ring_due()
    dispatch.wait_until_sent()
    assert len(rung) == 1


def test_a_job_whose_worker_vanished_is_rung(play, rung):
    play(lambda run: None)
    past = timezone.now() - timedelta(minutes=1)
    Job.objects.update(state=Job.State.RUNNING, lease_until=past)
    dispatch.wait_until_sent()
    rung.clear()
    tasks.ring_due()
    dispatch.wait_until_sent()
    assert len(rung) == 1


def test_a_ring_carries_an_id_and_nothing_else(monkeypatch):
    sent = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, **options: sent.append(options["args"])
    )
    dispatch.send_messages([("7", "operate")])
    dispatch.wait_until_sent()
    assert sent == [["7"]]


def test_old_jobs_are_pruned(play, settings):
    old, new = play(lambda run: None), play(lambda run: None)
    days = timedelta(days=settings.JOB_RETENTION_DAYS + 1)
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - days)
    tasks.prune_jobs()
    assert Job.objects.get() == new
