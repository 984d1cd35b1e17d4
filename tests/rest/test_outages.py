"""A lock that somebody else holds costs a sentence, never a thread or a job."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from rest_framework.test import APIClient

from accounts import audit
from accounts.models import ApiToken, AuditHead
from accounts.roles import Role
from jobs import engine
from jobs.engine import perform_job
from jobs.models import Job
from tests.jobs.conftest import play  # noqa: F401 - a fixture

CLUSTER = {"name": "east", "domain": "example.com", "axl_username": "a"}


@pytest.fixture
def impatient(transactional_db, monkeypatch):
    """Connections of this test that wait 0.3 s for a lock."""
    options = (
        {"options": "-c lock_timeout=300 -c statement_timeout=5000"}
        if connection.vendor == "postgresql"
        else {"timeout": 0.3, "transaction_mode": "IMMEDIATE"}
    )
    connection.close()
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", options)
    yield
    connection.close()


@pytest.fixture
def hold(impatient) -> Callable[[], Callable[[], None]]:
    """Lock the audit trail and all jobs from elsewhere; returns what lets go."""
    AuditHead.objects.get_or_create(pk=1)
    database = connection.settings_dict
    held = []

    def lock() -> Callable[[], None]:
        if connection.vendor == "sqlite":
            other = sqlite3.connect(database["NAME"], check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")
        else:
            keys = {"host": "HOST", "port": "PORT", "user": "USER", "dbname": "NAME"}
            other = psycopg.connect(
                **{key: database[name] for key, name in keys.items()},
                password=database["PASSWORD"],
            )
            for table in ("accounts_audithead", "jobs_job"):
                other.execute(f"SELECT * FROM {table} FOR UPDATE")
        held.append(other)
        return other.rollback

    yield lock
    for other in held:
        other.close()


@pytest.fixture
def rest(impatient, administrator) -> APIClient:
    _, text = ApiToken.issue(administrator, "test", Role.ADMINISTRATOR)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    # The use of the token is written down once a minute.
    assert client.get("/api/v1/clusters/").status_code == 200
    return client


def add(client: APIClient, number: int):
    try:
        body = CLUSTER | {"name": f"east{number}", "axl_password": "x"}
        return client.post("/api/v1/clusters/", body)
    finally:
        connection.close()


def test_twenty_writes_behind_a_held_lock_are_503_and_leave_nothing(hold, rest):
    let_go = hold()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: add(rest, number), range(20)))
    assert {answer.status_code for answer in answers} == {503}
    for answer in answers:
        assert answer["Content-Type"] == "application/problem+json"
        assert int(answer["Retry-After"]) > 0
        assert answer.json()["code"] == "locked"
    let_go()
    assert rest.get("/api/v1/clusters/").json()["count"] == 0
    assert add(rest, 1).status_code == 201


def test_a_form_behind_a_held_lock_is_a_503_page_with_a_sentence(
    hold, administrator, client_of
):
    client = client_of(administrator)
    client.raise_request_exception = False
    client.get("/")
    hold()
    url = "/administration/system/users/add/"
    answer = client.post(url, {"username": "x", "role": "viewer"} | passwords())
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert b"<h1>" in answer.content


def passwords() -> dict[str, str]:
    return dict.fromkeys(("password", "password1", "password2"), "correct horse 8")


def test_health_asks_the_database_nothing(
    administrator, client_of, django_assert_num_queries
):
    client = client_of(administrator)
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}
        assert Client().get("/healthz", headers={"Host": "10.9.8.7"}).status_code == 200


def test_a_job_that_meets_a_lock_waits_and_goes_on(hold, play, monkeypatch):  # noqa: F811
    monkeypatch.setattr(engine, "LOCKED_PAUSE", 0.0, raising=False)

    def work(run):
        run.do("one", lambda step: audit.append_entry(audit.CONSOLE, "note").action)
        run.do("two", lambda step: "second")

    job = play(work)
    timer = threading.Timer(1.0, hold())
    timer.start()
    perform_until_over(job)
    timer.join()
    assert job.state == Job.State.SUCCEEDED
    assert [step.detail for step in job.steps.all()] == ["note", "second"]


def test_the_end_of_a_job_waits_for_a_lock_too(hold, play):  # noqa: F811
    def work(run):
        let_go = hold()
        threading.Timer(1.0, let_go).start()

    job = play(work)
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED


def perform_until_over(job: Job) -> None:
    for _ in range(60):
        try:
            perform_job(str(job.pk))
        except Exception:  # the claim itself met the lock: it is rung again
            connection.close()
        threading.Event().wait(0.1)
        job.refresh_from_db()
        if not job.active:
            return


def test_a_query_without_end_is_ended_and_named(impatient):
    from rest.outages import Outage, outage_of

    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no time limit of statements")
    with closing(connection.cursor()) as cursor:
        cursor.execute("SET statement_timeout = 100")
        with pytest.raises(Exception) as raised:
            cursor.execute("SELECT pg_sleep(30)")
        assert outage_of(raised.value) is Outage.SLOW
        cursor.execute("SELECT 1")


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["web", "worker", "command"])
def test_each_kind_of_process_has_its_limits(impatient, kind):
    if connection.vendor == "sqlite":
        pytest.skip("asked of PostgreSQL")
    program = (
        "import django; django.setup(); from django.db import connection as c\n"
        "with c.cursor() as q:\n"
        "  for n in 'lock_timeout', 'statement_timeout',"
        " 'idle_in_transaction_session_timeout':\n"
        "    q.execute(f'SHOW {n}'); print(q.fetchone()[0])"
    )
    from tests.workers import environment

    reported = environment(
        CUPADMIN_PROCESS=kind, CUPADMIN_DATABASE_LOCK_TIMEOUT="web=1.5"
    )
    displayed = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | reported,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    expected = {
        "web": ["1500ms", "30s", "1min"],
        "worker": ["10s", "5min", "5min"],
        "command": ["1min", "0", "0"],
    }
    assert displayed == expected[kind]
