"""What the database decides must be decided alike by PostgreSQL."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.conftest import missing

POSTGRES = os.environ.get(
    "CUPADMIN_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/cupadmin"
)
# Claims, leases, locks and the audit chain; unique rows and queries of the pages; rows
# written in batches; workers that are killed, through each broker that several machines
# can share.
DECIDED = [
    "tests/jobs/test_run.py",
    "tests/jobs/test_tasks.py",
    "tests/accounts/test_audit.py",
    "tests/peers/test_clusters.py",
    "tests/peers/test_peers.py",
    "tests/peers/test_pages.py",
    "tests/peers/test_exchange_many.py",
    "tests/peers/test_exchange_attempts.py",
    "tests/mesh/test_matrix.py",
    "tests/services/test_agents.py",
    "tests/services/test_pace.py",
    "tests/rest/test_lists.py",
    "tests/brokers/test_workers.py",
]


@pytest.fixture(scope="module")
def postgres() -> str:
    """A server that this run of the tests creates its own database on."""
    if connection.vendor == "postgresql":
        pytest.skip("this run of the tests is on PostgreSQL itself")
    try:
        psycopg.connect(
            POSTGRES.rpartition("/")[0] + "/postgres", connect_timeout=2
        ).close()
    except psycopg.OperationalError as error:
        missing("postgres", f"PostgreSQL does not answer ({error})")
    return f"{POSTGRES}_{os.getpid()}"


@pytest.mark.postgres
def test_the_same_tests_pass_on_postgresql(postgres):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-k", "not embedded"]
    ended = subprocess.run(
        [*command, "--create-db", "-p", "no:cacheprovider", *DECIDED],
        env=os.environ | {"CUPADMIN_DATABASE_URL": postgres},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
