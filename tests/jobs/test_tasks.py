from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from jobs import doorbell, tasks
from jobs.models import Job


@pytest.fixture
def rung(monkeypatch):
    """The ids that were rung for."""
    found = []

    def send_task(name, args, **options):
        found.extend(args)

    monkeypatch.setattr(current_app, "send_task", send_task)
    return found


def test_fifty_jobs_outlive_a_broker_that_is_gone(play, monkeypatch, rung):
    def gone(*args, **options):
        raise ConnectionError

    works = []
    with monkeypatch.context() as broken:
        broken.setattr(current_app, "send_task", gone)
        jobs = [play(lambda run: works.append(run.job.pk)) for _ in range(50)]
        doorbell.wait()
    tasks.ring_due()
    doorbell.wait()
    assert sorted(rung) == sorted(str(job.pk) for job in jobs)
    for pk in rung * 2:
        tasks.work(pk)
    assert len(works) == 50
    assert set(Job.objects.values_list("state", flat=True)) == {"succeeded"}


def test_a_job_that_was_just_rung_is_not_rung_again(play, rung):
    play(lambda run: None)
    doorbell.wait()
    rung.clear()
    tasks.ring_due()
    tasks.ring_due()
    doorbell.wait()
    assert len(rung) == 1


def test_a_job_whose_worker_vanished_is_rung(play, rung):
    play(lambda run: None)
    past = timezone.now() - timedelta(minutes=1)
    Job.objects.update(state=Job.State.RUNNING, lease_until=past)
    doorbell.wait()
    rung.clear()
    tasks.ring_due()
    doorbell.wait()
    assert len(rung) == 1


def test_a_ring_carries_an_id_and_nothing_else(monkeypatch):
    sent = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, **options: sent.append(options["args"])
    )
    doorbell.ring([("7", "operate")])
    doorbell.wait()
    assert sent == [["7"]]


def test_old_jobs_are_pruned(play, settings):
    old, new = play(lambda run: None), play(lambda run: None)
    days = timedelta(days=settings.JOB_RETENTION_DAYS + 1)
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - days)
    tasks.prune()
    assert Job.objects.get() == new
