import os
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db import connection
from django.utils import timezone

from accounts.tasks import clean_accounts
from rest import throttling
from rest.models import Allowance

LIMIT = 200


@pytest.fixture
def window():
    """The present minute, with enough of it left."""
    return int(time.time()) // throttling.WINDOW


def let_through(process: dict, key: str, window: int, n: int) -> int:
    """Ask n times, as a process that has these shares."""
    throttling._shares = process
    return sum(
        throttling.spend_request(key, window)
        or throttling.spend_new_share(key, window, LIMIT)
        for _ in range(n)
    )


@pytest.fixture(autouse=True)
def own_shares(monkeypatch):
    monkeypatch.setattr(throttling, "_shares", {})


def test_several_processes_together_let_through_no_more_than_one(db, window):
    processes = [{}, {}, {}, {}]
    allowed = sum(
        let_through(process, "ApiToken:1", window, 10)
        for _ in range(20)
        for process in processes
    )
    assert allowed == LIMIT


def test_what_a_process_keeps_unspent_is_little(db, window):
    idle, busy = {}, {}
    assert let_through(idle, "ApiToken:1", window, 1) == 1
    assert let_through(busy, "ApiToken:1", window, 1000) >= LIMIT * 0.9


def test_a_process_alone_gets_all_of_it_and_seldom_asks(
    db, window, django_assert_max_num_queries
):
    with django_assert_max_num_queries(LIMIT):
        assert let_through({}, "ApiToken:1", window, 1000) == LIMIT


def test_a_new_minute_brings_a_new_allowance(db, window):
    process = {}
    assert let_through(process, "ApiToken:1", window, 300) == LIMIT
    assert let_through(process, "ApiToken:1", window, 1) == 0
    assert let_through(process, "ApiToken:1", window + 1, 300) == LIMIT


def test_a_request_of_an_older_minute_counts_in_the_newer_one(db, window):
    assert let_through({}, "ApiToken:1", window + 1, LIMIT - 1) == LIMIT - 1
    assert let_through({}, "ApiToken:1", window, 5) == 1
    assert let_through({}, "ApiToken:1", window + 1, 5) == 0
    assert Allowance.objects.get().window == window + 1


def test_threads_of_one_process_share_its_allowance(transactional_db, window):
    allowed = []

    def ask():
        allowed.append(let_through(throttling._shares, "ApiToken:1", window, 100))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LIMIT * 0.9 <= sum(allowed) <= LIMIT


ASKING = """
import django; django.setup()
from rest.throttling import spend_new_share, spend_request
print(sum(spend_request("ApiToken:9", {w})
          or spend_new_share("ApiToken:9", {w}, {n}) for _ in range({n})))
"""


@pytest.mark.servers
def test_real_processes_share_one_limit(transactional_db, window):
    database = connection.settings_dict["NAME"]
    url = f"sqlite:///{database}"
    if connection.vendor != "sqlite":
        url = configured.env.str("DATABASE_URL").rpartition("/")[0] + f"/{database}"
    environment = os.environ | {
        "CUPADMIN_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
    }
    script = ASKING.format(w=window, n=LIMIT)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment,
            cwd=configured.BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    allowed = [int(process.communicate(timeout=60)[0]) for process in running]
    assert LIMIT * 0.9 <= sum(allowed) <= LIMIT


def test_counts_of_old_minutes_are_forgotten(db, window):
    day = timedelta(days=1)
    old = int((timezone.now() - day).timestamp()) // throttling.WINDOW
    Allowance.objects.create(holder="ApiToken:1", window=old, used=3)
    Allowance.objects.create(holder="ApiToken:2", window=window, used=3)
    clean_accounts.run()
    assert [row.holder for row in Allowance.objects.all()] == ["ApiToken:2"]
