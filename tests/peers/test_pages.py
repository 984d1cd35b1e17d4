from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from peers import pages
from peers.models import Outcome, Peer
from peers.pages import Cursor, page_of
from peers.search import SORTS, Search

MIDDAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def sixty(cluster_factory):
    """Sixty peers with every kind of value, nulls and runs of equal ones included."""
    homes = [cluster_factory(name) for name in ("Rome", "Madrid", "Oslo", "Bern")]
    return Peer.objects.bulk_create(
        Peer(
            cluster=homes[n % 4],
            remote_cluster=homes[(n + 1) % 4] if n % 5 else None,
            address=f"node{n * 7 % 60:02}.example.com",
            username=("Icuser", "icadmin", "ICX")[n % 3],
            protocol=Peer.Protocol.values[n % 3],
            outcome=Outcome.values[n % 4],
            associated_users=n // 6 if n % 4 else None,
            checked_at=MIDDAY + timedelta(seconds=n // 3) if n % 7 else None,
        )
        for n in range(60)
    )


@pytest.fixture
def large(monkeypatch):
    """Sixty peers are taken for a million: no count, no sort, bounded looks."""
    monkeypatch.setattr(pages, "SMALL", 20)
    monkeypatch.setattr(pages, "LOOK", 20)
    monkeypatch.setattr(pages, "FEW", 4)


def page(query, search=None):
    data = QueryDict(query)
    return page_of(search or Search.parse(data), Peer.objects.all(), data, ["pk"])


def forwards(query):
    """All rows, page by page, as Next goes."""
    found, place = [], page(query)
    found += place
    while place.next and len(found) <= 60:
        place = page(f"{query}&after={place.next}")
        found += place
    return [row.pk for row in found]


def backwards(query):
    place = page(f"{query}&last=1")
    found = list(place)
    while place.previous and len(found) <= 60:
        place = page(f"{query}&before={place.previous}")
        found = [*place, *found]
    return [row.pk for row in found]


def expected(query):
    """The whole result in one query; what has no value comes last."""
    search = Search.parse(QueryDict(query))
    rows = list(search.apply(Peer.objects.all()))
    column = search.column.replace("folded_", "")
    rows.sort(key=lambda row: getattr(row, column) is None)
    return [row.pk for row in rows]


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_show_every_row_once_in_its_order(sixty, sort):
    query = f"rows=10&sort={sort}"
    assert forwards(query) == backwards(query) == expected(query)


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_of_a_large_table_show_every_row_once(sixty, large, sort):
    query = f"rows=10&sort={sort}"
    assert forwards(query) == backwards(query) == expected(query)


@pytest.mark.parametrize("sort", ["cluster", "-cluster", "remote_cluster"])
def test_pages_of_more_than_a_few_go_through_the_clusters(sixty, monkeypatch, sort):
    query = f"rows=10&sort={sort}"
    joined = forwards(query)
    monkeypatch.setattr(pages, "FEW", 4)
    with CaptureQueriesContext(connection) as queries:
        assert forwards(query) == backwards(query) == joined
    assert not any("JOIN" in asked["sql"] for asked in queries)


@pytest.mark.parametrize("sort", ["address", "-username", "cluster", "-checked_at"])
@pytest.mark.parametrize(
    "criteria",
    [
        "field=address&operator=contains&value=9.",
        "field=username&operator=begins&value=ICa",
        "field=status&operator=exact&value=failed",
        "field=cluster&operator=begins&value=M",
        "field=remote_cluster&operator=empty&value=",
        "field=address&operator=exact&value=NODE07.example.com",
        "field=protocol&operator=ends&value=p&field=address&operator=ends&value=m",
    ],
)
def test_a_search_of_a_large_table_finds_all(sixty, large, sort, criteria):
    query = f"rows=10&sort={sort}&{criteria}"
    assert expected(query)
    assert forwards(query) == backwards(query) == expected(query)


def test_a_large_table_is_not_counted(sixty, large):
    failed = "rows=10&field=status&operator=exact&value=failed"
    assert page("rows=10").found == "20+ records found"
    assert page(failed).found == "10+ records found"


def test_few_matches_of_a_large_table_are_counted(sixty, large):
    assert page("value=node01").found == "1 record found"


def test_two_criteria_are_answered_whole_where_one_leaves_few(sixty, large):
    failed = "field=status&operator=exact&value=failed"
    found = page(
        f"rows=10&{failed}&field=protocol&operator=exact&value=TLS&sort=username"
    )
    assert (found.found, found.partial) == ("5 records found", False)


def test_a_page_that_did_not_look_at_everything_says_so(sixty, large):
    first = page("rows=10&field=address&operator=contains&value=node55")
    assert not first and first.partial and first.next


def test_rows_added_before_the_page_do_not_repeat_rows(sixty):
    first = page("rows=10")
    Peer.objects.create(cluster=sixty[0].cluster, address="a.example.com")
    second = page(f"rows=10&after={first.next}")
    assert not {row.pk for row in first} & {row.pk for row in second}


@pytest.mark.parametrize(
    "after", ["%F0%9F", "x", "W10", str(Cursor("all", 5, "nonsense")), str(Cursor(""))]
)
def test_a_place_that_is_none_is_the_beginning(sixty, after):
    assert list(page(f"rows=10&after={after}")) == list(page("rows=10"))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("sort=address", "peer_by_address"),
        ("sort=-username", "peer_by_username"),
        ("sort=status", "peer_by_severity"),
        ("sort=protocol", "peer_by_protocol"),
        ("sort=-associated_users", "peer_by_users"),
        ("sort=checked_at", "peer_by_check"),
        ("sort=cluster", "peer_by_home"),
        ("sort=remote_cluster", "peer_by_remote"),
        ("field=address&operator=begins&value=node0", "peer_by_address"),
        ("field=username&operator=begins&value=ica", "peer_by_username"),
        ("field=status&operator=exact&value=failed", "peer_by_severity_address"),
        ("field=remote_cluster&operator=exact&value=Oslo", "peer_by_remote"),
    ],
)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
def test_an_index_serves(sixty, large, query, index):
    with CaptureQueriesContext(connection) as queries:
        page(query)
    with connection.cursor() as cursor:
        plans = [plan_of(cursor, asked["sql"]) for asked in queries]
    assert any(index in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)


def plan_of(cursor, statement):
    return str(cursor.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall())
