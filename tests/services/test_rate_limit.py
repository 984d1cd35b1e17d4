from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from services.models import NodePace
from services.rate_limit import next_call, reserve_calls, settle_calls
from wire import run_loop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def real_rate(quick, monkeypatch):
    monkeypatch.setattr("services.rate_limit.CALLS", 10)


@pytest.fixture
def node(cluster_factory):
    return cluster_factory().publisher


def calls(node):
    return NodePace.objects.get(pk=node.pk).calls


def test_ten_calls_go_at_once_and_the_eleventh_a_minute_later(node):
    times = reserve_calls([node.pk], 11)[node.pk].unused
    assert times[9] == times[0]
    assert times[10] == pytest.approx(times[0] + 60)


def test_no_minute_has_more_than_ten_calls(node):
    times = [at for _ in range(7) for at in reserve_calls([node.pk], 5)[node.pk].unused]
    for start in times:
        assert sum(start <= at < start + 60 for at in times) <= 10


def test_calls_that_were_not_made_are_given_back(node):
    grants = reserve_calls([node.pk], 3)
    run_loop(grants[node.pk].take())
    settle_calls(grants)
    assert len(calls(node)) == 1


def test_calls_beyond_the_reserved_count_too(node):
    grants = reserve_calls([node.pk], 1)
    grants[node.pk].extra.append(grants[node.pk].unused[0] + 6)
    settle_calls(grants)
    assert len(calls(node)) == 1
    assert calls(node) == grants[node.pk].extra


def test_workers_share_the_rule(node):
    def take(_):
        try:
            return reserve_calls([node.pk], 5)[node.pk].unused
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        times = sorted(at for found in pool.map(take, range(4)) for at in found)
    assert times[10] >= times[0] + 59.9


def test_the_clock_of_the_worker_does_not_matter(node, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 0.0)
    first = reserve_calls([node.pk], 1)[node.pk].unused[0]
    monkeypatch.setattr("time.time", lambda: 1e12)
    assert reserve_calls([node.pk], 1)[node.pk].unused[0] - first < 60


def test_a_full_minute_is_waited_for():
    assert next_call([float(n) for n in range(10)], 20.0) == 60.0
    assert next_call([float(n) for n in range(10)], 90.0) == 90.0
