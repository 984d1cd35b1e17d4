"""Other clusters that clusters show: by which source, and each of them once."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnostics.answers import Answer
from diagnostics.facts import HaNode, ProcessNode
from diagnostics.signals import clusters_recorded
from mesh import addresses, observed
from mesh.grouping import NODES, PAGES, TABLE, USERS, Trace, group_traces
from mesh.models import ObservedPeerTable, UsersSeen
from mesh.neighbours import neighbours_of, unmanaged_neighbours
from mesh.node_names import is_publisher
from tests.diagnostics.healthy import cluster as facts_of
from tests.diagnostics.healthy import facts
from tests.mesh.test_running import name_of, store_users
from wire import PeerEntry

NOW = timezone.now()
BONN, KIEL = SimpleNamespace(pk="bonn"), SimpleNamespace(pk="kiel")


def seen(home, name, by=USERS, users=None, subcluster=""):
    if by == USERS and users is None:
        users = 5
    return Trace(home, name, by, NOW, users, subcluster)


def names(traces, **places):
    found = group_traces(traces, {k.replace("_", "-"): v for k, v in places.items()})
    return [sorted({one.name for one in group}) for group in found]


def test_spellings_of_one_node_are_one_cluster():
    traces = [seen(BONN, "oslo-pub.example.com"), seen(KIEL, "OSLO-PUB")]
    traces.append(seen(KIEL, "10.5.0.1", TABLE))
    places = {"oslo-pub.example.com": ["10.5.0.1"]}
    assert len(group_traces(traces, places)) == 1


def test_an_address_that_dns_does_not_know_is_a_cluster_of_its_own():
    traces = [seen(BONN, "oslo-pub.example.com"), seen(BONN, "10.5.0.1", TABLE)]
    assert len(group_traces(traces, {})) == 2


def test_a_short_name_of_two_domains_joins_neither():
    traces = [seen(BONN, "imp1.a.example"), seen(BONN, "imp1.b.example")]
    assert len(group_traces([*traces, seen(BONN, "imp1")], {})) == 3


def test_nodes_of_one_subcluster_are_one_cluster():
    traces = [seen(BONN, name, NODES, subcluster="1002") for name in ("left", "right")]
    traces.append(seen(KIEL, "other", NODES, subcluster="1002"))
    assert names(traces) == [["left", "right"], ["other"]]


@pytest.mark.parametrize(
    "pair",
    [
        ("oslo-pub.example.com", "oslo-sub1.example.com"),
        ("osloPUB.example.com", "oslosub2.example.com"),
        ("oslo_publisher", "oslo_subscriber"),
        ("imp-oslo-primary.x", "imp-oslo-secondary.x"),
    ],
)
def test_names_that_differ_in_the_role_are_one_cluster(pair):
    assert len(names([seen(BONN, name) for name in pair])) == 1


@pytest.mark.parametrize(
    "pair",
    [
        ("imp1.example.com", "imp2.example.com"),
        ("oslo-pub.example.com", "oslo-sub1.example.org"),
        ("oslo-pub.example.com", "rome-sub1.example.com"),
        ("pub.example.com", "sub.example.com"),
        ("10.0.0.1", "10.0.0.2"),
    ],
)
def test_other_names_are_not_put_together(pair):
    assert len(names([seen(BONN, name) for name in pair])) == 2


def test_nodes_with_users_on_other_clusters_are_not_put_together():
    traces = [seen(BONN, "oslo-pub.x"), seen(KIEL, "oslo-pub.x")]
    assert len(names([*traces, seen(BONN, "oslo-sub1.x")])) == 2
    assert len(names([*traces, seen(BONN, "oslo-sub1.x", NODES)])) == 1


def test_two_entries_of_one_cluster_are_two_clusters():
    traces = [seen(BONN, name, TABLE) for name in ("oslo-pub.x", "oslo-sub.x")]
    assert len(names(traces)) == 2


def test_a_hostile_number_of_nodes_is_grouped_in_time():
    traces = [seen(BONN, f"x-sub{n}") for n in range(3000)]
    assert len(group_traces(traces, {})) == 1


@pytest.mark.parametrize(
    ("name", "publisher"),
    [("oslo-pub1.x", True), ("oslo-sub.x", False), ("oslo.x", False)],
)
def test_publishers_by_name(name, publisher):
    assert is_publisher(name) is publisher


@pytest.fixture
def pair(cluster_factory):
    return [cluster_factory(name, generation="cup8") for name in ("Bonn", "Kiel")]


def summary_of(found):
    return [(one.address, one.users, [t.by for t in one.evidence]) for one in found]


def test_a_node_without_users_is_known_by_the_node_table(pair):
    bonn = pair[0]
    store_users(bonn, {name_of(bonn): 3}, own=[name_of(bonn)])
    nodes = [[name_of(bonn), "1"], ["oslo-pub.x", ""], ["oslo-sub1.x", ""]]
    UsersSeen.objects.update(nodes=nodes)
    (found,) = neighbours_of([bonn])
    assert summary_of([found]) == [("oslo-pub.x", None, [NODES])]
    assert found.nodes == ("oslo-pub.x", "oslo-sub1.x")


def test_a_node_table_is_no_evidence_while_own_nodes_are_unread(pair):
    store_users(pair[0], {})
    UsersSeen.objects.update(nodes=[["bonn-sub.x", ""]])
    assert neighbours_of([pair[0]]) == []


def test_one_cluster_of_many_sources_is_listed_once(pair):
    bonn, kiel = pair
    store_users(bonn, {"oslo-pub.x": 4, "oslo-sub1.x": 5}, own=[name_of(bonn)])
    UsersSeen.objects.update(nodes=[["oslo-pub.x", ""], ["oslo-sub1.x", ""]])
    store_users(kiel, {"oslo-pub.x": 4, "oslo-sub1.x": 2})
    entry = PeerEntry("10.5.0.1", "icuser", "TCP")
    observed.store_tables({str(kiel.pk): [entry]}, NOW, {str(kiel.pk)})
    UsersSeen.objects.filter(pk=kiel.pk).update(addresses={"oslo-pub.x": ["10.5.0.1"]})
    (found,) = unmanaged_neighbours(pair)
    assert summary_of([found]) == [("10.5.0.1", 9, [PAGES, USERS, NODES])]
    assert [one.users for one in found.evidence] == [None, 9, None]
    assert [home.name for home in found.homes] == ["Bonn", "Kiel"]
    assert [summary_of(neighbours_of([one])) for one in pair] == [
        [("oslo-pub.x", 9, [USERS, NODES])],
        [("10.5.0.1", 6, [PAGES, USERS])],
    ]


def test_rest_and_page_show_the_evidence_of_each_source(
    pair, api, viewer, client_of, administrator
):
    bonn = pair[0]
    store_users(bonn, {"oslo-pub.x": 4}, own=[name_of(bonn)])
    UsersSeen.objects.update(nodes=[["oslo-pub.x", ""], ["rome-pub.x", ""]])
    answer = api(viewer).get(f"/api/v1/clusters/{bonn.pk}/neighbours/").json()
    kinds = {one["address"]: [t["by"] for t in one["evidence"]] for one in answer}
    assert kinds == {"oslo-pub.x": [USERS, NODES], "rome-pub.x": [NODES]}
    page = client_of(administrator).get(reverse("mesh:running")).content.decode()
    assert "node table" in page and "rome-pub.x" in page


def recorded(cluster, **fields):
    one = facts_of(1, 2, id=str(cluster.pk), **fields)
    found = facts(clusters={one.id: one}, at=timezone.now())
    clusters_recorded.send(sender=None, facts=found)


def test_what_a_collection_read_is_kept(pair):
    own = Answer((ProcessNode("bonn-pub.x", True),))
    nodes = Answer((HaNode("bonn-pub.x", "1", "3"), HaNode("oslo-pub.x", "", "")))
    recorded(
        pair[0], process_nodes=own, ha_nodes=nodes, users=Answer({}), by_pages=True
    )
    row = UsersSeen.objects.get(pk=pair[0].pk)
    assert row.nodes == [["bonn-pub.x", "1"], ["oslo-pub.x", ""]]
    assert ObservedPeerTable.objects.get(pk=pair[0].pk).by_pages


def test_names_are_looked_up_only_where_an_entry_has_an_address(pair, monkeypatch):
    requested = []

    async def addresses_of(name):
        requested.append(name)
        return frozenset({"10.5.0.1"} if name == "oslo-pub.x" else ())

    monkeypatch.setattr(addresses, "addresses_of", addresses_of)
    bonn = pair[0]
    store_users(bonn, {"oslo-pub.x": 4, name_of(bonn): 1})
    entry = PeerEntry("oslo-pub.x", "icuser", "TCP")
    observed.store_tables({str(bonn.pk): [entry]}, NOW)
    addresses.resolve_addresses([bonn.pk])
    assert requested == []
    observed.store_tables({str(bonn.pk): [PeerEntry("10.5.0.1", "ic", "TCP")]}, NOW)
    addresses.resolve_addresses([bonn.pk])
    addresses.resolve_addresses([bonn.pk])
    assert requested == ["oslo-pub.x"]
    (found,) = unmanaged_neighbours([bonn])
    assert summary_of([found]) == [("10.5.0.1", 4, [TABLE, USERS])]


def test_an_address_that_stays_unknown_is_asked_for_seldom(pair, monkeypatch):
    requested = []

    async def addresses_of(name):
        requested.append(name)
        return frozenset()

    monkeypatch.setattr(addresses, "addresses_of", addresses_of)
    store_users(pair[0], {"oslo-pub.x": 4})
    observed.store_tables({str(pair[0].pk): [PeerEntry("10.5.0.1", "ic", "TCP")]}, NOW)
    for _ in range(3):
        addresses.resolve_addresses([pair[0].pk])
    UsersSeen.objects.update(looked_up_at=NOW - timedelta(hours=1))
    addresses.resolve_addresses([pair[0].pk])
    assert requested == ["oslo-pub.x", "oslo-pub.x"]
