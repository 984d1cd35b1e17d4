"""Imports that are interrupted, tried again, or done by two at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit, users
from clusters.editing import delete_cluster
from clusters.models import Cluster
from jobs.engine import perform_job
from jobs.locks import Busy
from jobs.models import LEASE, Job, JobStep
from jobs.run import LeaseLost, Run, Step
from peers import lifecycle
from peers.imports import apply, uploads
from peers.jobs.import_file import FILE_IS_GONE, ImportFile
from peers.models import Peer, Upload

FILE = b"cluster,address,username,password\nMadrid,10.8.0.1,ic,pw\n"


@pytest.fixture
def job(administrator, madrid):
    users.limit_user(administrator, [str(madrid.pk)])
    row = uploads.store_upload(User.objects.get(), "many.csv", FILE)
    return ImportFile.submit(row, 1, audit.Actor(administrator))


def attempt(job):
    perform_job(str(job.pk))
    job.refresh_from_db()
    return job


def die(*args):
    raise LeaseLost


def test_a_job_that_died_after_its_import_does_not_import_again(job, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Run, "_end_step", die)
        assert attempt(job).state == Job.State.RUNNING
    Job.objects.update(lease_until=timezone.now() - LEASE)
    assert attempt(job).state == Job.State.SUCCEEDED
    assert job.steps.get().detail == "1 added, 0 changed."
    assert Peer.objects.count() == 1 and not Upload.objects.exists()


def test_a_job_that_died_before_the_end_of_its_import_imports(job, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(lifecycle, "save_peers", die)
        assert attempt(job).state == Job.State.RUNNING
    assert Upload.objects.exists() and not Peer.objects.exists()
    Job.objects.update(lease_until=timezone.now() - LEASE)
    assert attempt(job).state == Job.State.SUCCEEDED
    assert Peer.objects.count() == 1


def test_a_file_that_is_gone_was_not_imported_by_an_attempt_that_broke(
    job, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(apply, "judge_entries", lambda *args: 1 / 0)
        assert attempt(job).state == Job.State.FAILED
    # The next file of the same person takes its place.
    Upload.objects.all().delete()
    job.retry()
    assert attempt(job).state == Job.State.FAILED
    assert job.error == FILE_IS_GONE


def test_an_attempt_that_was_overtaken_says_what_the_other_did(job, monkeypatch):
    judge = apply.judge_entries

    def judge_late(*args):
        monkeypatch.setattr(apply, "judge_entries", judge)
        ImportFile(Run(job)).import_entries(Step(JobStep.objects.get()))
        return judge(*args)

    monkeypatch.setattr(apply, "judge_entries", judge_late)
    assert attempt(job).state == Job.State.SUCCEEDED
    assert job.steps.get().detail == "1 added, 0 changed."
    assert Peer.objects.count() == 1


def test_an_import_that_is_cancelled_before_its_end_leaves_nothing(job, monkeypatch):
    def save_and_cancel(*args):
        Job.objects.update(cancel_requested=True)

    monkeypatch.setattr(lifecycle, "save_peers", save_and_cancel)
    assert attempt(job).state == Job.State.CANCELLED
    assert Upload.objects.exists() and job.steps.get().state == JobStep.State.SKIPPED


def test_a_file_is_forgotten_after_its_hour_unless_a_job_is_to_import_it(
    job, django_user_model
):
    eve, bob = map(django_user_model.objects.create_user, ("eve", "bob"))
    uploads.store_upload(eve, "old.csv", FILE)
    Upload.objects.update(created_at=timezone.now() - uploads.RETENTION)
    uploads.store_upload(bob, "new.csv", FILE)
    # By beat, though nobody imports anything any more.
    clean = settings.CELERY_BEAT_SCHEDULE["clean-peers"]["task"]
    current_app.tasks[clean]()
    assert {row.name for row in Upload.objects.all()} == {"many.csv", "new.csv"}


@pytest.fixture
def import_slowly(transactional_db, madrid, monkeypatch):
    """Imports files slowly, each in a thread of its own."""
    save_peers = lifecycle.save_peers

    def save_slowly(*args):
        time.sleep(0.5)
        return save_peers(*args)

    def work(row):
        return apply.apply_import(uploads.entries_of(row), audit.CONSOLE, row).refused

    monkeypatch.setattr(lifecycle, "save_peers", save_slowly)
    with ThreadPoolExecutor(2) as pool:
        yield lambda row: pool.submit(closing, work, row)


def closing(work, *args):
    try:
        return work(*args)
    finally:
        connection.close()


@pytest.fixture
def keep(django_user_model):
    """Keeps the file for a peer, of somebody's own."""

    def keep(name, host):
        user = django_user_model.objects.create_superuser(name)
        return uploads.store_upload(
            user, "f.csv", FILE.replace(b"10.8.0.1", host.encode())
        )

    return keep


def test_of_two_imports_at_once_the_second_is_told(
    import_slowly, keep, cluster_factory
):
    oslo = cluster_factory("Oslo").publisher
    # Both are the same cluster, which no constraint of the database knows.
    rows = [keep("ada", oslo.name), keep("eve", oslo.address)]
    refused = [reported.result() for reported in [import_slowly(row) for row in rows]]
    assert sorted(refused) == ["", apply.MEANWHILE]
    assert Peer.objects.count() == 1


def test_an_import_waits_for_a_plan_of_its_clusters(
    import_slowly, keep, cluster_factory, madrid
):
    oslo = cluster_factory("Oslo")
    row = keep("ada", oslo.publisher.address)
    with transaction.atomic():
        list(Cluster.objects.select_for_update().order_by("pk"))
        reported = import_slowly(row)
        time.sleep(0.5)
        name = oslo.publisher.name
        Peer.objects.create(cluster=madrid, remote_cluster=oslo, address=name)
    assert reported.result() == apply.MEANWHILE


def test_deleting_a_cluster_waits_for_an_import(
    import_slowly, keep, cluster_factory, madrid
):
    reported = import_slowly(keep("ada", "10.8.0.1"))
    time.sleep(0.25)
    # Busy: the new peer is being set up.
    with suppress(Busy):
        delete_cluster(madrid, audit.CONSOLE)
    assert reported.result() in ("", apply.MEANWHILE)
