import pytest
from django.utils import timezone

from clusters.models import Cluster
from mesh import observed, plan
from mesh.entry_changes import EntryChange
from mesh.intent import Credentials, MeshIntent
from mesh.plan import address_for, plan_mesh
from peers import rules
from peers.models import Peer
from wire import PeerEntry, Secret, platforms

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cluster_factory):
    return cluster_factory("east", version="8.6.5"), cluster_factory(
        "west", version="8.6.5"
    )


def actions(found):
    return [step.action for step in found.steps]


def test_two_strangers_need_both_sides(pair):
    found = plan_mesh(MeshIntent((pair,)))
    assert actions(found) == ["create", "create"]
    assert found.steps[0].after == {
        "address": pair[1].publisher.name,
        "username": pair[1].axl_username,
        "protocol": "TCP",
        "external_phone_number_mask": "",
        "password": "set",
    }


def test_a_plan_changes_nothing(pair):
    plan_mesh(MeshIntent((pair,)))
    assert not Peer.objects.exists()


def test_peers_that_are_as_wanted_need_nothing(pair, peer_factory):
    for home, remote in (pair, pair[::-1]):
        peer_factory(home, remote, provisioning_state="applied")
    found = plan_mesh(MeshIntent((pair,)))
    assert actions(found) == ["none", "none"]
    assert not found.changes


def test_what_nobody_asked_to_change_stays(pair, peer_factory):
    mine = {"username": "mine", "external_phone_number_mask": "+43XXXX"}
    peer_factory(*pair, **mine, provisioning_state="applied")
    step = plan_mesh(MeshIntent((pair,), protocol="TLS")).steps[0]
    assert step.action == "update"
    assert step.changed == {"protocol"}
    assert step.after["username"] == "mine"


def test_given_credentials_replace_those_that_stand(pair, peer_factory):
    peer_factory(*pair, provisioning_state="applied")
    given = {pair[1].pk: Credentials("icuser", Secret("another"))}
    step = plan_mesh(MeshIntent((pair,), credentials=given)).steps[0]
    assert step.after["password"] == "changed"
    assert "another" not in repr(step)


def test_an_entry_that_vanished_from_its_cluster_is_planned_again(pair, peer_factory):
    for home, remote in (pair, pair[::-1]):
        peer_factory(home, remote, provisioning_state="absent", applied_address="x")
    found = plan_mesh(MeshIntent((pair,)))
    assert actions(found) == ["create", "create"]
    assert found.steps[0].warnings == (plan.REMOVED,)


def test_a_cluster_without_a_confirmed_certificate_blocks_its_pairs(pair):
    pair[1].nodes.update(certificate_state="unknown")
    clusters = list(Cluster.objects.order_by("name").prefetch_related("nodes"))
    found = plan_mesh(MeshIntent.whole_mesh(clusters))
    assert str(pair[1].publisher) in found.errors[0]
    assert not found.changes


def test_cluster_without_a_publisher_blocks_its_pairs(pair):
    pair[1].nodes.all().delete()
    step = plan_mesh(MeshIntent((pair,))).steps[0]
    (error,) = step.errors
    assert step.action == "none" and "west" in error
    assert address_for(*pair) == ""


def test_address_that_another_peer_has_is_an_error(pair, peer_factory):
    address = pair[1].publisher.name.lower()
    Peer.objects.create(cluster=pair[0], address=address)
    there, back = plan_mesh(MeshIntent((pair,))).steps
    taken = rules.peer_errors(Peer(cluster=pair[0], address=address))["address"]
    assert taken.code == "same-address"
    assert taken.message in there.errors
    assert back.errors == ()


def test_peer_that_is_being_removed_is_an_error(pair, peer_factory):
    peer = peer_factory(*pair, provisioning_state="applied", removing=True)
    there, back = plan_mesh(MeshIntent((pair,))).steps
    broken = rules.peer_errors(peer)["__all__"]
    assert (broken.code, there.errors) == ("removing", (broken.message,))
    assert back.errors == ()


@pytest.mark.parametrize(
    ("status", "warned"), [("In Progress", True), ("Completed", False), ("", False)]
)
def test_users_that_are_not_finished_are_a_warning(pair, status, warned):
    pair[0].user_sync = status
    pair[0].save()
    there, back = plan_mesh(MeshIntent((pair,))).steps
    assert any("Sync Agent" in text for text in there.warnings) is warned
    assert not any("Sync Agent" in text for text in back.warnings)


VALUES = {"username": "ic", "protocol": "TCP", "external_phone_number_mask": ""}


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (None, {}, "ic, TCP"),
        (VALUES, {}, "written again"),
        (VALUES, {"protocol": "TLS"}, "preferred protocol TCP → TLS"),
        (
            VALUES,
            {"username": "", "external_phone_number_mask": "4XX"},
            "user name ic → empty; mask empty → 4XX",
        ),
    ],
)
def test_change_is_described_in_one_line(pair, before, after, sentence):
    change = EntryChange("update", *pair, "", before, VALUES | after)
    assert change.sentence == sentence


def test_versions_that_may_not_peer_are_a_warning(pair, monkeypatch):
    no = platforms.Peering.UNSUPPORTED
    monkeypatch.setattr("wire.platforms.peering_of", lambda one, other: no)
    warnings = plan_mesh(MeshIntent((pair,))).steps[0].warnings
    assert any(pair[0].version in text for text in warnings)


def test_versions_of_a_staged_upgrade_are_a_warning_that_says_so(pair):
    for cluster, version in zip(pair, ("12.5.1", "14.0.1"), strict=True):
        cluster.version = version
        cluster.save()
    warnings = plan_mesh(MeshIntent((pair,))).steps[0].warnings
    (about_both,) = [text for text in warnings if "12.5.1 and 14.0.1" in text]
    assert "staged upgrade" in about_both


def test_a_version_that_is_none_is_no_warning_about_releases(pair):
    pair[0].version = "not a version"
    pair[0].save()
    warnings = plan_mesh(MeshIntent((pair,))).steps[0].warnings
    assert not any("not a version" in text for text in warnings)


def test_a_7x_cluster_gets_the_address_instead_of_the_name(cluster_factory):
    old = cluster_factory("old", generation="cup7", version="7.1")
    new = cluster_factory("new", generation="cup8", version="8.6")
    there, back = plan_mesh(MeshIntent(((old, new),))).steps
    assert there.address == new.publisher.address
    assert back.address == old.publisher.name


def test_a_7x_cluster_gets_the_address_of_a_publisher_that_was_added_by_name(
    cluster_factory,
):
    old = cluster_factory("old", generation="cup7", version="7.1")
    new = cluster_factory("new", generation="cup7", version="7.1")
    resolved = " fd00::5 10.7.7.7 "
    new.nodes.update(address="new.example.com", resolved=resolved)
    there, _ = plan_mesh(MeshIntent(((old, new),))).steps
    assert there.address == "10.7.7.7"


def test_the_hash_covers_values_and_revisions(pair, peer_factory):
    first = plan_mesh(MeshIntent((pair,)))
    assert plan_mesh(MeshIntent((pair,))).hash == first.hash
    assert plan_mesh(MeshIntent((pair,), protocol="UDP")).hash != first.hash
    peer_factory(*pair)
    assert plan_mesh(MeshIntent((pair,))).hash != first.hash


def test_a_mesh_has_both_sides_of_every_pair(cluster_factory):
    clusters = [cluster_factory(version="8.6") for _ in range(5)]
    assert len(plan_mesh(MeshIntent.whole_mesh(clusters)).changes) == 20


def test_entry_keeps_its_user_when_the_cluster_is_added_again(cluster_factory):
    one, other = cluster_factory("Bonn"), cluster_factory("Kiel")
    entry = PeerEntry(other.publisher.address, "intercluster", "TCP")
    observed.store_tables({str(one.pk): [entry]}, timezone.now())
    step = plan_mesh(MeshIntent(((one, other),))).steps[0]
    assert step.after["username"] == "intercluster"
    assert step.after["password"] == "not known"
    assert not step.password.reveal()
