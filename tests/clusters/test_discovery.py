"""Discovery adds no machine twice and ends with the publisher that a cluster names."""

from types import SimpleNamespace

import pytest

import wire
from accounts.models import AuditEntry
from clusters import discovery
from clusters.models import Cluster, Node
from jobs.run import Ended
from wire import Code, Resolution, WireError

pytestmark = pytest.mark.django_db

PUB, SUB = "imp-pub.example.com", "imp-sub1.example.com"
DNS = {PUB: ["192.0.2.11"], SUB: ["192.0.2.12"]}
VOICE = {"name": "cucm1", "tknodeusage": "0", "tkprocessnoderole": "1"}
SYSTEM = {"name": "EnterpriseWideData", "tknodeusage": "0", "systemnode": "t"}


def row(name, usage="1"):
    return {
        "name": name,
        "tknodeusage": usage,
        "systemnode": "f",
        "tkprocessnoderole": "2",
    }


HOST_NAMES = [SYSTEM, VOICE, row("imp-pub", "0"), row("imp-sub1")]
FULL_NAMES = [SYSTEM, VOICE, row(PUB, "0"), row(SUB)]


@pytest.fixture
def world(monkeypatch):
    """What DNS knows, what certificates say by address, and what the cluster lists."""
    reported = SimpleNamespace(dns=dict(DNS), names={}, rows=FULL_NAMES)

    async def resolve(host, policy, *, deadline=5.0):
        found = reported.dns.get(host) or ([host] if host[0].isdigit() else None)
        if isinstance(found, WireError):
            raise found
        if found is None:
            raise WireError(Code.UNRESOLVABLE, node=host)
        return Resolution(tuple(found))

    async def confirmed(node, *, deadline=10.0):
        if node.address not in reported.names:
            raise WireError(Code.REFUSED, node=node.name)
        return SimpleNamespace(names=reported.names[node.address], common_name="")

    monkeypatch.setattr(wire, "resolve_host", resolve)
    monkeypatch.setattr(wire, "confirmed_certificate", confirmed, raising=False)
    monkeypatch.setattr(discovery, "read_node_rows", lambda cluster: reported.rows)
    return reported


@pytest.fixture
def registered(cluster_factory):
    """A cluster whose publisher was registered by this name and address."""

    def make(name, address="192.0.2.11", **fields):
        cluster = cluster_factory("HQ", **fields)
        cluster.nodes.update(name=name, address=address)
        return cluster

    return make


def nodes(cluster):
    found = Node.objects.filter(cluster=cluster)
    return {node.name: (node.address, node.role) for node in found}


BOTH = {PUB: ("192.0.2.11", "publisher"), SUB: (SUB, "subscriber")}


@pytest.mark.parametrize("name", [PUB, "192.0.2.11", "imp-pub", "old.example.com"])
def test_a_publisher_by_any_name_is_found_by_where_it_is(world, registered, name):
    cluster = registered(name)
    discovery.learn_nodes(cluster)
    assert nodes(cluster) == BOTH


@pytest.mark.parametrize(
    "names", [(PUB,), ("imp-pub",), (PUB.upper(), "x.example.com")]
)
def test_without_dns_the_confirmed_certificate_tells(world, registered, names):
    world.dns = {SUB: ["192.0.2.12"]}
    world.names["192.0.2.11"] = names
    cluster = registered("192.0.2.11")
    discovery.learn_nodes(cluster)
    assert nodes(cluster) == BOTH


@pytest.mark.parametrize("names", [(), ("tomcat",), (PUB, SUB)])
def test_without_dns_and_certificate_the_role_tells(world, registered, names):
    world.dns = {SUB: ["192.0.2.12"]}
    world.names["192.0.2.11"] = names
    cluster = registered("192.0.2.11")
    discovery.learn_nodes(cluster)
    assert nodes(cluster) == BOTH


def test_host_names_in_the_topology_are_the_full_names_of_the_console(
    world, registered
):
    world.rows = HOST_NAMES
    cluster = registered(PUB)
    discovery.learn_nodes(cluster)
    assert nodes(cluster) == {
        PUB: ("192.0.2.11", "publisher"),
        "imp-sub1": (SUB, "subscriber"),
    }


def test_nodes_renamed_on_the_cluster_are_not_added_again(world, registered):
    world.rows, world.dns = HOST_NAMES, {h.partition(".")[0]: a for h, a in DNS.items()}
    cluster = registered("192.0.2.11")
    discovery.learn_nodes(cluster)
    world.rows, world.dns = FULL_NAMES, DNS
    discovery.learn_nodes(cluster)
    assert nodes(cluster) == BOTH | {SUB: ("imp-sub1", "subscriber")}


def test_a_second_discovery_changes_nothing(world, registered):
    cluster = registered("192.0.2.11")
    discovery.learn_nodes(cluster)
    before = set(Node.objects.values_list("pk", "revision"))
    entries = AuditEntry.objects.count()
    assert discovery.learn_nodes(cluster) == "2 known"
    assert set(Node.objects.values_list("pk", "revision")) == before
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("name", ["192.0.2.12", SUB, "imp-sub1"])
def test_a_cluster_registered_by_a_subscriber_gets_its_publisher(
    world, registered, name
):
    cluster = registered(name, "192.0.2.12")
    sentence = discovery.learn_nodes(cluster)
    assert nodes(cluster) == {
        PUB: (PUB, "publisher"),
        SUB: ("192.0.2.12", "subscriber"),
    }
    assert f" {name} " in sentence and "certificate" in sentence
    assert sentence.count(PUB) == 3
    changes = AuditEntry.objects.get(action="edit node", changes__has_key="role")
    assert changes.changes["role"] == ["publisher", "subscriber"]


def test_a_publisher_known_as_a_subscriber_changes_roles(world, registered):
    cluster = registered(SUB, "192.0.2.12")
    Node.objects.create(cluster=cluster, name=PUB, address=PUB, role="subscriber")
    discovery.learn_nodes(cluster)
    assert Cluster.objects.get().publisher.name == PUB
    assert len(nodes(cluster)) == 2


def test_a_publisher_that_cannot_be_dialled_fails_the_step(world, registered):
    del world.dns[PUB]
    world.rows = [*FULL_NAMES, row("192.0.2.13")]
    cluster = registered(SUB, "192.0.2.12")
    with pytest.raises(Ended) as caught:
        discovery.learn_nodes(cluster)
    assert caught.value.message.startswith(f"{SUB} ")
    assert PUB in caught.value.message and "manually" in caught.value.message
    assert set(nodes(cluster)) == {SUB, "192.0.2.13"}


def test_a_machine_that_was_added_twice_is_merged(world, registered):
    """As versions before this one left it: added by its address, then by its name."""
    cluster = registered("192.0.2.11")
    Node.objects.create(cluster=cluster, name=PUB, address=PUB, role="subscriber")
    saved = cluster.publisher.pk
    sentence = discovery.learn_nodes(cluster)
    assert nodes(cluster) == BOTH and cluster.nodes.get(name=PUB).pk == saved
    assert "same node" in sentence
    assert AuditEntry.objects.filter(action="delete node").count() == 1


def test_two_confirmed_nodes_of_one_machine_are_reported_and_stay(world, registered):
    cluster = registered("192.0.2.11")
    twin = {"name": PUB, "address": PUB, "role": "subscriber"}
    trust = {"certificate_state": "trusted", "certificate_fingerprint": "cd" * 32}
    Node.objects.create(cluster=cluster, **twin, **trust)
    sentence = discovery.learn_nodes(cluster)
    assert PUB in sentence and "192.0.2.11" in sentence
    assert {PUB, "192.0.2.11"} <= set(nodes(cluster))


BAD = {
    "imp_sub1": "may contain only",
    "imp sub1": "spaces",
    "x" * 300: "longer than 253",
    "127.1": "IPv4",
    "nowhere": "manually",
    "denied": "CUPADMIN_ALLOWED_NETWORKS",
    "taken": "of Other",
}


@pytest.mark.parametrize("name", BAD)
def test_a_node_that_cannot_be_dialled_is_kept_out_with_a_word(
    world, registered, cluster_factory, name
):
    cluster_factory("Other").nodes.update(address="taken")
    world.dns |= {"denied": WireError(Code.POLICY), "taken": ["192.0.2.99"]}
    world.rows = [row(PUB, "0"), row(name), row(SUB)]
    cluster = registered(PUB)
    sentence = discovery.learn_nodes(cluster)
    assert nodes(cluster) == BOTH
    assert f"{name[:50]}" in sentence and BAD[name] in sentence


def test_a_name_that_a_ca_certificate_does_not_bear_is_not_taken(world, registered):
    cluster = registered("192.0.2.11", tls_mode="ca", ca_certificate="PEM")
    world.names["192.0.2.11"] = ("192.0.2.11",)
    sentence = discovery.learn_nodes(cluster)
    assert "192.0.2.11" in nodes(cluster) and PUB in sentence
    world.names["192.0.2.11"] = (PUB,)
    discovery.learn_nodes(cluster)
    assert nodes(cluster) == BOTH


def test_peers_stay_with_a_node_that_gets_another_name(
    world, registered, cluster_factory, peer_factory
):
    cluster, home = registered("old.example.com"), cluster_factory("Home")
    peers = [
        peer_factory(home, cluster, address=address)
        for address in ("old.example.com", SUB)
    ]
    discovery.learn_nodes(cluster)
    for peer in peers:
        peer.refresh_from_db()
        assert peer.remote_cluster == cluster


def test_nodes_changed_meanwhile_are_not_overwritten(world, registered, monkeypatch):
    cluster = registered("192.0.2.11")

    def answer(requested):
        # As somebody's edit between the question and the answer.
        cluster.nodes.update(revision=7)
        return world.rows

    nodes_of = list(cluster.nodes.all())
    monkeypatch.setattr(discovery, "read_node_rows", answer)
    monkeypatch.setattr(type(cluster.nodes), "all", lambda self: nodes_of)
    with pytest.raises(Ended):
        discovery.learn_nodes(cluster)


def test_a_cluster_of_too_many_nodes_is_refused(world, registered):
    world.rows = [row(f"n{number}") for number in range(101)]
    with pytest.raises(WireError) as caught:
        discovery.learn_nodes(registered(PUB))
    assert caught.value.code == Code.TOO_LARGE


@pytest.mark.parametrize("usage", ["", None, "1"])
def test_without_exactly_one_publisher_in_the_table_roles_stay(
    world, registered, usage
):
    world.rows = [row(PUB, usage), row(SUB, usage)]
    cluster = registered(SUB, "192.0.2.12")
    discovery.learn_nodes(cluster)
    assert cluster.publisher.name == SUB
