"""`/readyz?deep=1`: each part says whether it works, and is seen to fail."""

import socket
from datetime import timedelta

import pytest
from celery import Celery
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from cupadmin import readiness
from jobs.models import Job, Process

PARTS = {"database", "migrations", "broker", "beat", "workers", "oldest_job"}
QUEUES = ["operate", "maintenance"]


@pytest.fixture(autouse=True)
def fresh(db):
    readiness.cached_checks.clear()


@pytest.fixture
def console(monkeypatch, tmp_path):
    """Beat and a worker that serves all queues, and a broker of files."""
    for kind, queues in (("beat", []), ("worker", QUEUES)):
        Process.objects.create(host="north", pid=7, kind=kind, queues=queues)
    use_broker(monkeypatch, "atomic-filesystem://localhost", folder=str(tmp_path / "b"))


def use_broker(monkeypatch, url, **options):
    app = Celery("asking", broker=url, set_as_current=False)
    app.conf.broker_transport_options = options
    monkeypatch.setattr(readiness, "current_app", app)


def deep():
    readiness.cached_checks.clear()
    answer = Client().get("/readyz?deep=1")
    checks = answer.json()["checks"]
    assert set(checks) == PARTS
    assert all(check["sentence"].endswith(".") for check in checks.values())
    bad = {name for name, check in checks.items() if not check["ok"]}
    assert answer.status_code == (503 if bad else 200)
    return bad


def test_a_console_with_all_its_parts_is_ready(console):
    assert deep() == set()


def test_no_process_no_readiness(console):
    Process.objects.update(last_seen=timezone.now() - timedelta(minutes=1))
    assert deep() == {"beat", "workers"}


def test_a_queue_that_no_worker_serves_is_named(console):
    Process.objects.filter(kind="worker").update(queues=["operate"])
    assert deep() == {"workers"}
    assert "maintenance" in readiness.check_workers().sentence


def test_a_site_that_no_worker_serves_is_named(console, settings, cluster_factory):
    cluster_factory("berlin", site="berlin")
    assert deep() == set()
    settings.SITES = ["berlin"]
    assert deep() == {"workers"}
    assert "site-berlin" in readiness.check_workers().sentence


def test_a_job_that_waits_too_long_is_counted(console):
    Job.objects.submit("sweep", [], queue="operate")
    assert deep() == set()
    Job.objects.update(not_before=timezone.now() - timedelta(minutes=5))
    assert deep() == {"oldest_job"}
    assert "5 minutes" in readiness.oldest_job().sentence


def test_a_database_of_another_release_is_not_ready(console, monkeypatch):
    monkeypatch.setattr(
        "cupadmin.versions.applied_migrations", lambda: {("jobs", "9999_later")}
    )
    assert deep() == {"migrations"}


def test_a_database_that_does_not_answer_leaves_nothing_known(console):
    def fail(execute, sql, *args):
        raise OperationalError

    with connection.execute_wrapper(fail):
        assert deep() == PARTS - {"broker"}


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_refuses_or_says_nothing_is_not_ready(
    console, monkeypatch, scheme
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(readiness, "BROKER_PATIENCE", 0.3)
        url = f"{scheme}://me:open-sesame@127.0.0.1:{port}/"
        use_broker(monkeypatch, url, socket_timeout=0.3)
        assert deep() == {"broker"}
    assert deep() == {"broker"}
    assert "sesame" not in readiness.check_broker().sentence


def test_many_who_ask_cost_one_look(console, monkeypatch):
    looks = []
    monkeypatch.setitem(readiness.CHECKS, "beat", lambda: looks.append(1))
    monkeypatch.setattr(readiness, "run_check", lambda check: check() or GOOD)
    for _ in range(5):
        Client().get("/readyz?deep=1")
    assert looks == [1]


GOOD = readiness.Check(True, "Good.")


@pytest.mark.parametrize("value", ["", "2", "yes", "%00"])
def test_another_depth_is_refused(value):
    assert Client().get(f"/readyz?deep={value}").status_code == 400
