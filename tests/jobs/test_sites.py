from uuid import uuid4

import pytest
from celery import current_app

from accounts.audit import CONSOLE
from clusters.jobs.test import TestCluster
from jobs import alone, dispatch, presence, tasks
from jobs.models import Job, Process
from jobs.waiting import stalled_queues


@pytest.fixture
def queues(monkeypatch):
    found = []

    def send_task(name, *, queue, **options):
        found.append(queue)

    monkeypatch.setattr(current_app, "send_task", send_task)
    return found


def serve(*queues):
    return Process.objects.create(
        host="north", pid=7, kind="worker", queues=list(queues)
    )


@pytest.fixture
def job(cluster_factory, transactional_db, queues):
    cluster = cluster_factory("berlin", site="berlin")
    return lambda: TestCluster.submit(cluster, CONSOLE)


def test_the_common_workers_serve_a_site_without_workers(job, queues):
    job()
    dispatch.wait_until_sent()
    assert queues == ["operate"]


def test_a_site_with_workers_has_its_jobs_to_itself(job, queues, settings):
    settings.SITES = ["berlin"]
    job()
    dispatch.wait_until_sent()
    assert queues == ["site-berlin"]


def test_jobs_that_wait_follow_a_change_of_the_sites(job, queues, settings):
    settings.SITES = ["berlin"]
    Job.objects.filter(pk=job().pk).update(ring_at="2020-01-01T00:00Z")
    dispatch.wait_until_sent()
    settings.SITES = []
    serve("operate")
    tasks.ring_due()
    dispatch.wait_until_sent()
    assert queues == ["site-berlin", "operate"]


def test_waiting_jobs_count_for_the_workers_that_serve_them(job):
    Job.objects.filter(pk=job().pk).update(not_before="2020-01-01T00:00Z")
    assert [waiting.queue for waiting in stalled_queues()] == ["operate"]


def test_a_job_on_its_own_is_worked_on_for_the_queues_of_its_worker(monkeypatch):
    found = {}
    monkeypatch.setattr(presence, "_queues", frozenset(["site-berlin", "operate"]))
    monkeypatch.setattr(alone.subprocess, "Popen", lambda *a, **k: found.update(k))
    alone.start_process(uuid4(), "me")
    assert found["env"][alone.QUEUES] == "operate,site-berlin"


def test_what_is_no_worker_works_for_all(settings):
    settings.SITES = ["berlin"]
    assert presence.serves("site-berlin")


def test_a_worker_works_for_its_sites_only(settings, monkeypatch):
    settings.SITES = ["berlin", "munich"]
    monkeypatch.setattr(presence, "_queues", frozenset(["site-berlin"]))
    served = [presence.serves(q) for q in ("site-berlin", "site-munich", "site-rome")]
    assert served == [True, False, False]
    assert not presence.serves("")


def ring_again():
    Job.objects.update(ring_at="2020-01-01T00:00Z")
    tasks.ring_due()
    dispatch.wait_until_sent()


def test_jobs_of_a_site_without_a_worker_are_not_rung_for(job, queues, settings):
    settings.SITES = ["berlin"]
    job()
    dispatch.wait_until_sent()
    queues.clear()
    serve("operate")
    for _ in range(3):
        ring_again()
    assert queues == []
    serve("site-berlin")
    ring_again()
    assert queues == ["site-berlin"]


def test_a_worker_that_is_gone_is_no_listener(job, queues):
    worker = serve("operate")
    Process.objects.filter(pk=worker.pk).update(last_seen="2020-01-01T00:00Z")
    job()
    dispatch.wait_until_sent()
    queues.clear()
    ring_again()
    assert queues == []


def test_many_jobs_without_a_worker_hold_up_no_others(job, queues, settings):
    settings.SITES = ["berlin"]
    steps = [("one", "One")]
    for _ in range(501):
        Job.objects.submit("sweep", steps, queue="site-berlin")
    Job.objects.submit("sweep", steps)
    dispatch.wait_until_sent()
    queues.clear()
    serve("operate")
    ring_again()
    assert queues == ["operate"]
