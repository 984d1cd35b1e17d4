"""Whose node an address is: each part of the console gives the same answer."""

import pytest
from django.utils import timezone

from clusters.models import Cluster, Node
from diagnostics import remotes
from diagnostics.answers import Answer
from diagnostics.facts import ClusterFacts, Facts, NodeFacts, PeerFacts
from diagnostics.judge.peer_view import PeerView
from mesh import observed
from mesh.models import ObservedPeerTable
from peers import inventory
from peers.imports.inventory import ImportBook
from peers.models import Peer
from wire import PeerEntry

pytestmark = pytest.mark.django_db

# The address of a peer of Rome, and the cluster that it leads to.
CASES = {
    "oslo-pub.example.com": "Oslo",
    "OSLO-PUB.example.com.": "Oslo",
    "oslo-pub": "Oslo",
    "10.1.1.1": "Oslo",
    "2001:DB8:0::1": "Oslo",
    "[2001:db8::1]": "Oslo",
    "twin.example.com": None,
    "twin": None,
    "10.1.1.9": None,
    "pub": None,
    "pub.two.example": "Madrid",
    "short": "Madrid",
    "10": None,
    "pub.three.example": None,
}
NODES = {
    "Oslo": {
        "oslo-pub.example.com": "10.1.1.1",
        "pub.one.example": "2001:db8::1",
        "twin.example.com": "10.1.1.2",
        "short.example.com": "10.1.1.9",
    },
    "Madrid": {
        "short": "10.2.1.1",
        "10.1.1.9": "10.2.1.4",
        "pub.two.example": "10.2.1.2",
        "twin.example.com": "10.2.1.3",
    },
    "Rome": {"rome-pub.example.com": "10.3.1.1"},
}


@pytest.fixture
def clusters():
    made = {}
    for name, nodes in NODES.items():
        made[name] = Cluster.objects.create(name=name)
        for node, address in nodes.items():
            role = "publisher" if node == next(iter(nodes)) else "subscriber"
            Node.objects.create(
                cluster=made[name], name=node, address=address, role=role
            )
    return made


def of_rules(host, clusters, monkeypatch):
    return inventory.DATABASE.owner(host)


def of_imports(host, clusters, monkeypatch):
    return ImportBook.of([]).owner(host)


def of_plans(host, clusters, monkeypatch):
    ObservedPeerTable.objects.create(
        cluster=clusters["Rome"],
        entries=[[host, "ic", "TCP", ""]],
        read_at=timezone.now(),
    )
    (found,) = observed.unmanaged_entries()
    return found.remote


def of_checks(host, clusters, monkeypatch):
    monkeypatch.setattr(remotes, "resolve_all", lambda hosts, policy, seconds: None)
    monkeypatch.setattr(remotes.wire, "run_loop", lambda work: [{host}])
    peer = Peer.objects.create(cluster=clusters["Rome"], address="srv.example.com")
    remotes.find_remotes([peer])
    return peer.remote_cluster


def of_facts(host, clusters, monkeypatch):
    """By the rows of Rome's own table that lead to each cluster."""
    facts = Facts(timezone.now(), {name: facts_of(name, host) for name in clusters})
    found = [
        name
        for name in clusters
        if PeerView.of(facts, PeerFacts("p", "Rome", name, "x")).moved
    ]
    assert len(found) < 2
    return clusters[found[0]] if found else None


def facts_of(name, host):
    nodes = tuple(NodeFacts(node, node, at) for node, at in NODES[name].items())
    entries = (PeerEntry(address=host, username="ic", protocol="TCP"),)
    return ClusterFacts(name, name, nodes=nodes, peers=Answer(entries))


@pytest.mark.parametrize("ask", [of_rules, of_imports, of_plans, of_checks, of_facts])
@pytest.mark.parametrize(("host", "owner"), CASES.items())
def test_an_address_is_the_node_of_exactly_one_cluster_or_of_none(
    ask, host, owner, clusters, monkeypatch
):
    found = ask(host, clusters, monkeypatch)
    assert (found and found.name) == owner
