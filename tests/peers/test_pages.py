import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from peers.find.search import SORTS
from peers.models import SEVERITY, Peer, PeerOutcome

FIND = reverse("peers:find")
MIDDAY = datetime(2026, 1, 1, 12, tzinfo=UTC)
VALUES = {
    "status": lambda peer: SEVERITY.index(peer.outcome),
    "address": lambda peer: peer.address,
    "cluster": lambda peer: peer.cluster.name,
    "remote_cluster": lambda peer: peer.remote_cluster and peer.remote_cluster.name,
    "username": lambda peer: peer.username.lower(),
    "protocol": lambda peer: peer.protocol,
    "associated_users": lambda peer: peer.associated_users,
    "checked_at": lambda peer: peer.checked_at,
}
CRITERIA = {
    "address contains 9.": lambda peer: "9." in peer.address,
    "username begins ICa": lambda peer: peer.username.lower().startswith("ica"),
    "status exact failed": lambda peer: peer.outcome == "failed",
    "cluster begins M": lambda peer: peer.cluster.name == "Madrid",
    "remote_cluster empty ": lambda peer: peer.remote_cluster is None,
    "address exact NODE07.example.com": lambda peer: peer.address[:6] == "node07",
    "protocol ends p": lambda peer: peer.protocol in ("TCP", "UDP"),
}


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
            outcome=PeerOutcome.values[n % 4],
            associated_users=n // 6 if n % 4 else None,
            checked_at=MIDDAY + timedelta(seconds=n // 3) if n % 7 else None,
        )
        for n in range(60)
    )


def page(client, query):
    return client.get(f"{FIND}?{query}").context["page_obj"]


def forwards(client, query):
    """All rows, page by page, as Next goes."""
    found, number = [], 1
    while number:
        answer = client.get(f"{FIND}?{query}&page={number}")
        found += re.findall('name="peer" value="([^"]+)"', answer.content.decode())
        more = answer.context["page_obj"].has_next()
        number = more and number + 1
    return found


def expected(peers, sort):
    """What has no value comes last, in both directions."""
    value, down = VALUES[sort.removeprefix("-")], sort.startswith("-")
    empty = [peer for peer in peers if value(peer) is None]
    filled = [peer for peer in peers if value(peer) is not None]
    filled.sort(key=lambda peer: (value(peer), peer.pk), reverse=down)
    empty.sort(key=lambda peer: peer.pk, reverse=down)
    return [str(peer.pk) for peer in filled + empty]


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_show_every_row_once_in_its_order(ada, sixty, sort):
    assert forwards(ada, f"rows=25&sort={sort}") == expected(sixty, sort)


@pytest.mark.parametrize("sort", ["-username", "cluster", "-checked_at"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_search_finds_all_in_their_order(ada, sixty, sort, criterion):
    field, operator, value = criterion.split(" ", 2)
    query = f"rows=10&sort={sort}&field={field}&operator={operator}&value={value}"
    found = expected(list(filter(CRITERIA[criterion], sixty)), sort)
    assert found
    assert forwards(ada, query) == found
    assert page(ada, query).paginator.count == len(found)


@pytest.mark.parametrize(
    ("place", "number"),
    [("0", 3), ("7", 3), ("9" * 30, 3), ("x", 1), ("", 1), ("%F0%9F", 1), ("%00", 1)],
)
def test_a_page_that_there_is_not_is_the_nearest_or_the_first(
    ada, sixty, place, number
):
    assert page(ada, f"rows=25&page={place}").number == number


def test_the_last_page_is_a_link(ada, sixty):
    text = ada.get(f"{FIND}?rows=10&sort=status").content.decode()
    assert 'id="page-last" href="?rows=10&amp;sort=status&amp;page=6"' in text
    assert "1–10 of 60" in text


def test_the_count_the_order_and_the_rows_are_read_once_each(ada, sixty):
    with CaptureQueriesContext(connection) as queries:
        ada.get(FIND)
    asked = [query["sql"] for query in queries if "peers_peer" in query["sql"]]
    assert len(asked) == 3
