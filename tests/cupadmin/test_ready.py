from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job, Process
from jobs.waiting import stalled_queues
from overview.renewal import renew_problems

MINUTES = timedelta(minutes=5)


@pytest.fixture
def waiting(db):
    """A job that has waited for five minutes."""
    job = Job.objects.submit("sweep", [], queue="operate")
    Job.objects.update(not_before=timezone.now() - MINUTES)
    return job


def ready():
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()["status"]


def worker(**fields):
    return Process.objects.create(host="north", pid=7, kind="worker", **fields)


def test_a_console_whose_jobs_wait_is_not_ready_and_says_why(waiting):
    status, sentence = ready()
    assert status == 503
    assert "5 minutes" in sentence
    assert "1 job waits" in sentence
    assert Client().get("/healthz").status_code == 200


def test_the_sentence_names_the_workers_that_are_busy(waiting):
    worker(queues=["operate"])
    assert "worker 7 on north" in ready()[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda: {"state": "running"},
        lambda: {"not_before": timezone.now() + MINUTES},
        lambda: {"claimed_at": timezone.now()},
        lambda: {"not_before": timezone.now()},
    ],
)
def test_a_console_that_works_is_ready(waiting, change):
    Job.objects.update(**change())
    assert ready() == (200, "ok")


def test_a_site_without_a_worker_is_named_and_the_rest_is_ready(waiting, settings):
    settings.SITES = ["berlin"]
    Job.objects.update(queue="site-berlin")
    Job.objects.submit("sweep", [])
    Job.objects.filter(queue="operate").update(claimed_at=timezone.now())
    worker(queues=["operate"])
    assert ready() == (200, "ok")
    found = stalled_queues()
    assert [one.queue for one in found] == ["site-berlin"]
    assert "site berlin" in found[0].sentence
    assert "queue site-berlin" in found[0].sentence


def test_the_overview_says_that_jobs_wait(waiting, viewer, client_of):
    answer = client_of(viewer).get("/")
    assert "no_worker" in {one.code for one in answer.context["overview"].visible}
    assert f"{reverse('jobs:find')}?state=queued" in answer.content.decode()
    Job.objects.update(claimed_at=timezone.now())
    renew_problems()
    answer = client_of(viewer).get("/")
    assert "no_worker" not in {one.code for one in answer.context["overview"].visible}


def test_a_database_without_tables_is_not_ready(db, monkeypatch):
    from django.db import ProgrammingError

    def fail():
        raise ProgrammingError

    monkeypatch.setattr("cupadmin.readiness.why_nothing_is_claimed", fail)
    assert ready()[0] == 503
