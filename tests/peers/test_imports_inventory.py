"""What is read once for an import answers the rules as the database does."""

import copy
from uuid import uuid4

import pytest

from accounts.audit import Actor
from accounts.cluster_limits import Limit, limited_to
from clusters import inventory as cluster_inventory
from clusters import rules as cluster_rules
from clusters.models import Cluster, Node
from jobs.models import Job
from peers import inventory, lifecycle, rules
from peers.imports.inventory import ImportBook
from peers.imports.parse import CLUSTER, PEER, FileEntry
from peers.locks import held_peers, lock_of
from peers.models import Peer


@pytest.fixture
def clusters(cluster_factory):
    names = ("Lima", "Madrid", "Oslo", "Rome", "Vienna")
    made = {name: cluster_factory(name) for name in names}
    Cluster.objects.filter(name="Lima").update(generation="cup7", version="7.0.5")
    Cluster.objects.filter(name="Oslo").update(version="15.0.1", user_sync="Completed")
    Cluster.objects.filter(name="Oslo").update(generation="imp")
    made["Rome"].nodes.all().delete()
    sub = {"role": "subscriber", "address": "10.1.1.9", "name": "Oslo-Sub.example.com"}
    Node.objects.create(cluster=made["Oslo"], **sub)
    # A name of nodes of two clusters belongs to neither of them.
    Node.objects.create(cluster=made["Vienna"], **sub | {"address": "10.1.1.8"})
    return made


@pytest.fixture
def peers(clusters, peer_factory):
    lima, madrid, oslo = clusters["Lima"], clusters["Madrid"], clusters["Oslo"]
    peer_factory(lima, oslo, address="oslo-pub.example.com")
    peer_factory(oslo, lima, protocol="TLS", external_phone_number_mask="1XX")
    peer_factory(madrid, oslo, address="oslo-sub.example.com")
    # A check found by DNS whose name this is.
    peer_factory(madrid, lima, address="srv.example.com")
    peer_factory(madrid, madrid, address="10.77.1.1")
    Peer.objects.filter(address="10.77.1.1").update(remote_cluster=None)
    peer_factory(clusters["Vienna"], oslo, removing=True)
    Peer.objects.bulk_create(
        Peer(cluster=clusters["Rome"], address=f"10.7.0.{n}")
        for n in range(rules.LARGEST_MESH)
    )
    return list(Peer.objects.select_related("cluster", "remote_cluster"))


def book_of(*names):
    return ImportBook.of(
        [FileEntry(n, PEER, {"cluster": x}) for n, x in enumerate(names)]
    )


def findings_of(peers):
    return [(rules.peer_errors(peer), rules.peer_warnings(peer)) for peer in peers]


def drafts(clusters):
    """Each cluster with a new peer for each address that somebody has or nobody."""
    hosts = {node.address for node in Node.objects.all()} | {"10.99.9.9"}
    hosts |= {node.name.upper() for node in Node.objects.all()}
    hosts |= {peer.address for peer in Peer.objects.all()[:8]}
    for cluster in clusters.values():
        for host in sorted(hosts):
            owner = inventory.DATABASE.owner(host)
            yield Peer(cluster=cluster, address=host.lower(), remote_cluster=owner)


@pytest.mark.parametrize("limited", [False, True])
def test_book_answers_as_the_database(clusters, peers, limited):
    mine = frozenset({clusters["Madrid"].pk, clusters["Oslo"].pk})
    visible = [*peers, *drafts(clusters)]
    if limited:
        visible = [peer for peer in visible if peer.cluster_id in mine]
    with limited_to(Limit(mine) if limited else None):
        book = book_of(*clusters)
        of_database = findings_of(visible)
        with cluster_inventory.answered_by(book):
            assert findings_of(visible) == of_database
            owners = [book.owner(peer.address) for peer in visible]
        assert owners == [inventory.DATABASE.owner(peer.address) for peer in visible]
    assert sum(map(bool, (errors for errors, _ in of_database))) > 5


@pytest.mark.parametrize("limited", [False, True])
def test_book_knows_nodes_as_the_database(clusters, limited):
    mine = frozenset({clusters["Madrid"].pk})
    nodes = [
        Node(cluster=clusters["Madrid"], name=name, address=address, role=role)
        for name in ("MADRID-pub.example.com", "other.example.com")
        for address in ("127.66.2.1", "127.66.3.1", "10.1.1.9", "10.99.9.9")
        for role in ("publisher", "subscriber")
    ]
    with limited_to(Limit(mine) if limited else None):
        of_database = [cluster_rules.node_errors(node) for node in nodes]
        with cluster_inventory.answered_by(book_of("Madrid")):
            assert [cluster_rules.node_errors(node) for node in nodes] == of_database
    assert ("of Oslo" in str(of_database)) != limited


def test_only_peers_near_the_clusters_of_the_file_are_read(clusters, peers):
    book = book_of("Lima", " Oslo ")
    counts = {
        name: book.count_others(Peer(cluster=cluster))
        for name, cluster in clusters.items()
    }
    assert counts == {"Lima": 1, "Madrid": 2, "Oslo": 1, "Rome": 0, "Vienna": 1}


def test_peers_of_a_new_node_belong_to_its_cluster(clusters, peers):
    stray = Peer.objects.get(address="10.77.1.1")
    values = {"name": "Rome", "publisher_address": "10.77.1.1 "}
    book = ImportBook.of([FileEntry(2, CLUSTER, values)])
    node = Node(cluster=clusters["Rome"], name="rome", address="10.77.1.1")
    with cluster_inventory.answered_by(book):
        book.accept_node(node)
        found = book.peer(stray.cluster, "10.77.1.1")
        assert found.remote_cluster == clusters["Rome"]
        assert rules.known_publisher(clusters["Rome"]) == node
        moved = copy.copy(node)
        moved._state.adding, moved.address = False, "10.77.1.2"
        book.accept_node(moved)
        assert book.peer(stray.cluster, "10.77.1.1").remote_cluster is None


def test_what_was_read_is_compared_by_all_that_rules_rest_on(clusters, peers):
    names = list(clusters)
    before = book_of(*names).state
    assert book_of(*names).state == before
    for changed in (
        lambda: Peer.objects.filter(removing=False).first().save_edit("username"),
        lambda: Peer.objects.filter(removing=True).update(removing=False),
        lambda: Peer.objects.filter(remote_cluster=None).update(
            remote_cluster=clusters["Oslo"]
        ),
        lambda: Node.objects.first().save_edit("name"),
        lambda: Peer.objects.first().delete(),
    ):
        changed()
        after = book_of(*names).state
        assert after != before
        before = after


def test_peers_that_jobs_hold_are_those_that_cannot_be_edited(clusters, peers):
    waiting, running, meshed, free = peers[:4]
    for peer in (waiting, running):
        lifecycle.provision_peer(peer, Actor())
    Job.objects.filter(target_id=str(running.pk)).update(state=Job.State.RUNNING)
    locks = [lock_of(meshed), f"mesh:{uuid4()}"]
    Job.objects.submit("set-up-peerings", [], target=free, locks=locks)
    assert set(held_peers()) == {str(running.pk), str(meshed.pk)}
