"""A database that is full, read-only, broken or away: a sentence, on pages and REST."""

import itertools
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.conf import settings as configured
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client

from accounts.models import AuditEntry
from rest.outages import Outage, outage_of

CLUSTERS = "/api/v1/clusters/"
NEW = {"name": "vienna", "axl_username": "axl", "axl_password": "open sesame"}
FORM = {"username": "x", "role": "viewer", "password1": "a b c d e f g"}
USERS = "/administration/system/users/add/"


@pytest.fixture
def browser(administrator, client_of):
    client = client_of(administrator)
    client.raise_request_exception = False
    client.get("/")
    return client


@pytest.fixture
def rest(administrator, api):
    client = api(administrator)
    client.raise_request_exception = False
    client.get(CLUSTERS)
    return client


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


@pytest.fixture
def read_only(transactional_db):
    """A database that takes no changes, as a standby or a file of somebody else."""
    sqlite = connection.vendor == "sqlite"
    name = "query_only" if sqlite else "default_transaction_read_only"

    def switch(value):
        execute(f"PRAGMA {name}={value}" if sqlite else f"SET {name}={value}")

    yield lambda: switch("ON")
    switch("OFF")


def insert_until_full(insert):
    with pytest.raises(DatabaseError, match="full"):
        for _ in range(100_000):
            insert()


@pytest.fixture
def full(transactional_db):
    """SQLite at its last page: the same error as a full disk."""
    if connection.vendor != "sqlite":
        pytest.skip("needs SQLite, which can be limited")

    def fill():
        execute(f"PRAGMA max_page_count={execute('PRAGMA page_count')[0]}")
        # Pages that earlier tests left free are used first, then the audit log's own.
        insert_until_full(lambda: execute("INSERT INTO filler VALUES (zeroblob(4000))"))
        numbers = itertools.count(10_000)
        insert_until_full(
            lambda: AuditEntry.objects.create(
                number=next(numbers), at="2026-01-01T00:00:00Z", action="x" * 60
            )
        )

    execute("CREATE TABLE filler (content)")
    yield fill
    execute("PRAGMA max_page_count=1000000")
    execute("DROP TABLE filler")


def assert_answered(answer, code, passes=False):
    assert answer.status_code == 503
    assert ("Retry-After" in answer) == passes
    if answer["Content-Type"] == "application/problem+json":
        assert answer.json()["code"] == code and answer.json()["detail"]
    else:
        assert Outage[code.upper()].value.split(".")[0] in answer.content.decode()


def test_read_only_database_is_said_over_rest(read_only, rest):
    read_only()
    assert rest.get(CLUSTERS).status_code == 200
    assert_answered(rest.post(CLUSTERS, NEW), "read_only")


def test_read_only_database_is_said_on_a_page(read_only, browser):
    read_only()
    answer = browser.post(USERS, FORM | {"password2": FORM["password1"]})
    assert_answered(answer, "read_only")


def test_full_database_is_said_over_rest(full, rest):
    full()
    answers = [rest.post(CLUSTERS, NEW | {"description": "x" * 200})]
    assert rest.get(CLUSTERS).status_code == 200
    assert_answered(answers[0], "full")


def test_sign_in_to_a_full_database_is_said(full, viewer):
    full()
    client = Client(raise_request_exception=False)
    fields = {"login": "vera", "password": "correct horse battery"}
    assert_answered(client.post("/administration/system/sign-in/", fields), "full")


def test_database_of_another_version_is_said(db):
    for statement in ("SELECT * FROM absent", "SELECT absent FROM jobs_job"):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            execute(statement)
        assert outage_of(caught.value) is Outage.UNFIT


@pytest.mark.parametrize(
    ("content", "outage"), [(b"x" * 5000, Outage.UNREADABLE), (None, Outage.UNREADABLE)]
)
def test_broken_or_missing_file_is_said(tmp_path, content, outage):
    path = tmp_path / "file" if content else tmp_path / "no" / "file"
    if content:
        path.write_bytes(content)
    with pytest.raises(sqlite3.Error) as caught, closing(sqlite3.connect(path)) as file:
        file.execute("SELECT * FROM sqlite_master")
    wrapped = OperationalError()
    wrapped.__cause__ = caught.value
    assert outage_of(wrapped) is outage
    assert not outage.passes


AWAY = """
import django; django.setup()
from django.test import Client
def browser():
    return Client(raise_request_exception=False, SERVER_NAME="localhost")
client = browser()
client.cookies["cupadmin-sid"] = "a" * 32
bearer = {"authorization": "Bearer cup_00000000_" + "x" * 43}
for answer in (
    client.get("/"),
    client.get("/administration/system/sign-in/"),
    browser().post(
        "/administration/system/sign-in/", {"login": "a", "password": "b"}
    ),
    client.get("/metrics", headers=bearer),
    client.get("/api/v1/clusters/", headers=bearer),
    client.get("/api/v1/nothing/"),
    client.get("/nothing/"),
    browser().get("/readyz"),
):
    said = b"database" in answer.content
    trace = b"Traceback" in answer.content
    print(answer.status_code, answer.get("Retry-After"), said, trace)
"""


@pytest.mark.servers
def test_every_address_says_that_the_database_is_away(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AWAY],
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
        | {"CUPADMIN_DATABASE_URL": "postgres://u:geheim@127.0.0.1:1/x"},
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 8, done.stderr[-2000:]
    assert lines[:-1] == ["503 5 True False"] * 7
    assert lines[-1].startswith("503")
    assert "geheim" not in done.stdout + done.stderr
