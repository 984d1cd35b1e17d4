import pytest

from mesh.plan import plan
from mesh.wanted import Credentials, Wanted
from peers.models import Cluster, Peer
from wire import Secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cluster_factory):
    return cluster_factory("east", version="8.6.5"), cluster_factory(
        "west", version="8.6.5"
    )


def actions(found):
    return [step.action for step in found.steps]


def test_two_strangers_need_both_sides(pair):
    found = plan(Wanted((pair,)))
    assert actions(found) == ["create", "create"]
    assert found.steps[0].after == {
        "address": pair[1].publisher.name,
        "username": pair[1].axl_username,
        "protocol": "TCP",
        "external_phone_number_mask": "",
        "password": "set",
    }


def test_a_plan_changes_nothing(pair):
    plan(Wanted((pair,)))
    assert not Peer.objects.exists()


def test_peers_that_are_as_wanted_need_nothing(pair, peer_factory):
    for home, remote in (pair, pair[::-1]):
        peer_factory(home, remote, provisioning_state="applied")
    found = plan(Wanted((pair,)))
    assert actions(found) == ["none", "none"]
    assert not found.changes


def test_what_nobody_asked_to_change_stays(pair, peer_factory):
    mine = {"username": "mine", "external_phone_number_mask": "+43XXXX"}
    peer_factory(*pair, **mine, provisioning_state="applied")
    step = plan(Wanted((pair,), protocol="TLS")).steps[0]
    assert step.action == "update"
    assert step.changed == {"protocol"}
    assert step.after["username"] == "mine"


def test_given_credentials_replace_those_that_stand(pair, peer_factory):
    peer_factory(*pair, provisioning_state="applied")
    given = {pair[1].pk: Credentials("icuser", Secret("another"))}
    step = plan(Wanted((pair,), credentials=given)).steps[0]
    assert step.after["password"] == "changed"
    assert "another" not in repr(step)


def test_an_entry_that_vanished_from_its_cluster_is_planned_again(pair, peer_factory):
    for home, remote in (pair, pair[::-1]):
        peer_factory(home, remote, provisioning_state="absent", applied_address="x")
    found = plan(Wanted((pair,)))
    assert actions(found) == ["create", "create"]
    assert "no longer shows" in found.steps[0].warnings[0]


def test_a_cluster_without_a_confirmed_certificate_blocks_its_pairs(pair):
    pair[1].nodes.update(certificate_state="unknown")
    clusters = list(Cluster.objects.order_by("name").prefetch_related("nodes"))
    found = plan(Wanted.whole_mesh(clusters))
    assert "is not confirmed" in found.errors[0]
    assert not found.changes


def test_versions_that_may_not_peer_are_a_warning(pair, monkeypatch):
    monkeypatch.setattr("wire.platforms.may_peer", lambda one, other: False)
    warnings = plan(Wanted((pair,))).steps[0].warnings
    assert any("does not support" in text for text in warnings)


def test_a_7x_cluster_gets_the_address_instead_of_the_name(cluster_factory):
    old = cluster_factory("old", generation="cup7", version="7.1")
    new = cluster_factory("new", generation="cup8", version="8.6")
    there, back = plan(Wanted(((old, new),))).steps
    assert there.address == new.publisher.address
    assert back.address == old.publisher.name


def test_the_hash_covers_values_and_revisions(pair, peer_factory):
    first = plan(Wanted((pair,)))
    assert plan(Wanted((pair,))).hash == first.hash
    assert plan(Wanted((pair,), protocol="UDP")).hash != first.hash
    peer_factory(*pair)
    assert plan(Wanted((pair,))).hash != first.hash


def test_a_mesh_has_both_sides_of_every_pair(cluster_factory):
    clusters = [cluster_factory(version="8.6") for _ in range(5)]
    assert len(plan(Wanted.whole_mesh(clusters)).changes) == 20
