"""The list of all comparisons: every peer once, in order, whatever their number."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster
from directory.comparison_history import compare_peers, mark_compared
from directory.comparison_list import ComparisonList
from directory.models import Comparison
from peers.models import SEVERITY, Peer
from tests.directory.conftest import of

OUTCOMES = ("passed", "failed", "warning", "unknown", "")
NUMBERS = dict.fromkeys(
    ("home_count", "remote_count", "missing", "extra", "elsewhere", "settling"), 0
)


def points_of(peers, outcome, at):
    return [Comparison(peer=one, at=at, outcome=outcome, **NUMBERS) for one in peers]


@pytest.fixture
def mesh(db):
    """Make clusters that all have peers to all others, compared in every way."""

    def make(size: int) -> list[Peer]:
        # Not in the order of their names.
        names = [f"cup{n * 7 % size:02d}" for n in range(size)]
        homes = Cluster.objects.bulk_create(Cluster(name=name) for name in names)
        peers = Peer.objects.bulk_create(
            Peer(cluster=home, remote_cluster=remote, address=remote.name, username="x")
            for home in homes
            for remote in homes
            if home is not remote
        )
        now = timezone.now()
        for number, outcome in enumerate(OUTCOMES[:-1]):
            some = peers[number :: len(OUTCOMES)]
            # An older one, of another outcome, counts no more.
            Comparison.objects.bulk_create(
                points_of(some, OUTCOMES[number - 1] or "failed", now - timedelta(1))
            )
            points = points_of(some, outcome, now)
            mark_compared(Comparison.objects.bulk_create(points))
        return peers

    return make


def key_of(row):
    return SEVERITY.index(row.outcome), row.peer.cluster.name


def test_each_peer_is_on_one_page_in_order(mesh):
    peers = mesh(11)
    Peer.objects.create(cluster=peers[0].cluster, address="stranger", username="x")
    pages = Paginator(ComparisonList(), 7)
    rows = [row for number in pages.page_range for row in pages.page(number)]
    assert len(rows) == len(pages.object_list) == 110
    assert {row.peer.pk for row in rows} == {peer.pk for peer in peers}
    assert [key_of(row) for row in rows] == sorted(map(key_of, rows))
    assert [row.peer.pk for row in ComparisonList()[:]] == [row.peer.pk for row in rows]


def test_a_row_has_the_newest_comparison(mesh):
    mesh(6)
    for row in ComparisonList():
        newest = Comparison.objects.filter(peer=row.peer).first()
        assert (row.pk, row.at) == ((newest.pk, newest.at) if newest else (None, None))
        assert row.outcome == (newest.outcome if newest else "unknown")


@pytest.mark.parametrize("outcome", SEVERITY)
def test_one_outcome_is_all_of_it(mesh, outcome):
    mesh(6)
    rows = ComparisonList(outcome)[:]
    assert {row.outcome for row in rows} == {outcome}
    assert len(rows) == sum(row.outcome == outcome for row in ComparisonList())


def test_peer_whose_remote_cluster_is_gone_keeps_its_comparison(mesh):
    peers = mesh(3)
    Peer.objects.filter(pk=peers[0].pk).mark_remote(None)
    Peer.objects.filter(pk=peers[4].pk).mark_remote(None)  # was never compared
    pks = {row.peer.pk for row in ComparisonList()}
    assert peers[0].pk in pks and peers[4].pk not in pks


@pytest.mark.parametrize("query", ["", "?outcome=passed", "?page=3"])
def test_the_number_of_queries_and_rows_stays(mesh, client_of, viewer, query):
    client = client_of(viewer)
    url = reverse("directory:comparisons") + query
    counts, read = [], []
    for size in (8, 16):
        Cluster.objects.all().delete()
        mesh(size)
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(url).content.decode()
        counts.append(len(queries))
        read.append(page.count("<tr>"))
    assert counts[0] == counts[1]
    assert max(read) <= 51


def test_comparing_marks_the_peer(pair, has):
    home, remote, peer = pair
    has(home, *of(home, "ada"))
    has(remote, *of(remote, "bob"))
    compare_peers([home.pk])
    peer.refresh_from_db()
    assert peer.comparison_outcome == Comparison.objects.get(peer=peer).outcome


def test_an_upgrade_marks_the_peers_by_their_newest_comparison(mesh):
    peers = mesh(4)
    before = [row.outcome for row in ComparisonList()]
    Peer.objects.update(comparison_outcome="")
    import_module("directory.migrations.0002_newest_comparisons").mark_compared(
        apps, None
    )
    assert [row.outcome for row in ComparisonList()] == before
    never = Peer.objects.get(pk=peers[4].pk)
    assert never.comparison_outcome == "" and never.comparison_severity == 2
