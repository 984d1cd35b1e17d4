"""What was changed on the clusters behind the console's back."""

import pytest
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job
from mesh import observed, plan
from mesh.intent import MeshIntent
from mesh.models import ObservedPeerTable
from mesh.plan import plan_mesh
from peers.models import Peer
from peers.values import visible_values
from wire import PeerEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cluster_factory):
    return cluster_factory("east", version="8.6"), cluster_factory(
        "west", version="8.6"
    )


@pytest.fixture
def peer(pair, peer_factory):
    """Both sides stand; the first of them is looked at."""
    back = peer_factory(*pair[::-1], provisioning_state="applied")
    assert back
    return peer_factory(*pair, provisioning_state="applied")


def shows(cluster, *entries):
    observed.store_tables({str(cluster.pk): entries}, timezone.now())


def entry(peer, **changes):
    return PeerEntry(**(visible_values(peer) | changes))


def step(pair):
    return plan_mesh(MeshIntent((pair,))).steps[0]


def test_an_entry_as_wanted_needs_nothing(pair, peer):
    shows(pair[0], entry(peer))
    assert step(pair).action == "none"


@pytest.mark.parametrize("spelling", ["10.7.7.7", "west-pub", "WEST-PUB.example.com"])
def test_another_spelling_of_the_node_needs_nothing(pair, peer, spelling):
    publisher = pair[1].publisher
    publisher.name, publisher.address = "west-pub.example.com", "10.7.7.7"
    publisher.save()
    peer.address = peer.applied_address = "west-pub.example.com"
    peer.save()
    shows(pair[0], entry(peer, address=spelling))
    assert step(pair).action == "none"
    assert not observed.unmanaged_entries()


def test_another_node_of_the_remote_cluster_is_written_again(pair, peer):
    pair[1].nodes.create(
        name="west-sub.example.com", address="10.7.7.8", role="subscriber"
    )
    shows(pair[0], entry(peer, address="west-sub.example.com"))
    assert step(pair).action == "create"
    assert [one.entry.address for one in observed.unmanaged_entries()] == [
        "west-sub.example.com"
    ]


def test_an_update_keeps_the_cluster_s_own_spelling(pair, peer):
    publisher = pair[1].publisher
    publisher.name, publisher.address = "west-pub.example.com", "10.7.7.7"
    publisher.save()
    peer.address = peer.applied_address = "west-pub.example.com"
    peer.save()
    shows(pair[0], entry(peer, address="10.7.7.7", protocol="UDP"))
    found = step(pair)
    assert found.action == "update"
    assert found.changed == {"protocol"}


def test_a_changed_entry_is_planned_back_from_what_the_cluster_shows(pair, peer):
    shows(pair[0], entry(peer, protocol="UDP", username="somebody"))
    found = step(pair)
    assert found.action == "update"
    assert found.before["protocol"] == "UDP"
    assert found.after["username"] == peer.username
    assert found.warnings == (plan.CHANGED,)


def test_a_removed_entry_is_planned_anew(pair, peer):
    shows(pair[0])
    found = step(pair)
    assert (found.action, found.before) == ("create", None)
    assert found.warnings == (plan.REMOVED,)


def test_an_edit_newer_than_the_last_reading_is_not_drift(pair, peer):
    shows(pair[0])
    Peer.objects.filter(pk=peer.pk).update(updated_at=timezone.now())
    assert step(pair).action == "none"


def test_an_older_reading_does_not_replace_a_newer_one(pair, peer):
    long_ago = timezone.now()
    shows(pair[0], entry(peer))
    observed.store_tables({str(pair[0].pk): []}, long_ago)
    assert len(ObservedPeerTable.objects.get().all) == 1


def test_an_entry_the_console_does_not_know_is_taken_over_by_a_plan(pair):
    there = PeerEntry(pair[1].publisher.address, "olduser", "UDP", "")
    shows(pair[0], there)
    found = step(pair)
    assert found.action == "update"
    assert found.after["address"] == there.address
    assert found.warnings == (plan.ADOPTED,)


def adopting(cluster, address):
    key = observed.UnmanagedEntry(cluster, None, PeerEntry(address, "", "", "")).key
    return reverse("mesh:adopt", args=[cluster.pk, key])


def test_unmanaged_entries_are_shown_and_adopted(administrator, client_of, pair):
    there = PeerEntry("old.example.net", "icuser", "TLS", "+1408XXXX")
    shows(pair[0], there)
    ada = client_of(administrator)
    url = adopting(pair[0], there.address)
    assert url in ada.get(reverse("mesh:matrix")).content.decode()
    ada.post(url, {"password": "s3cret"})
    peer = Peer.objects.get()
    assert (peer.protocol, peer.provisioning_state) == ("TLS", "applied")
    assert peer.unseal("password").reveal() == "s3cret"
    assert Job.objects.get().kind == "check-peers"
    assert not observed.unmanaged_entries()


def test_an_entry_that_breaks_a_rule_is_not_adopted(administrator, client_of, pair):
    shows(pair[0], PeerEntry(pair[0].publisher.address, "icuser", "TCP", ""))
    url = adopting(pair[0], pair[0].publisher.address)
    answer = client_of(administrator).post(url, {"password": "s3cret"})
    assert "home cluster" in answer.content.decode()
    assert not Peer.objects.exists()


def test_an_entry_that_is_no_longer_there_cannot_be_adopted(
    administrator, client_of, pair
):
    url = adopting(pair[0], "gone.example.net")
    assert client_of(administrator).get(url).status_code == 404


@pytest.mark.parametrize(
    "address", ["10.0.0.0/24", "..", "a/../b", "?x#y", "%00", "x " * 9]
)
def test_an_entry_of_any_name_is_shown_and_refused_by_the_rules(
    administrator, client_of, pair, address
):
    shows(pair[0], PeerEntry(address, "icuser", "TCP", ""))
    ada, url = client_of(administrator), adopting(pair[0], address)
    assert url in ada.get(reverse("mesh:matrix")).content.decode()
    assert ada.get(url).status_code == 200
    assert ada.post(url, {"password": "s3cret"}).status_code == 200
    assert not Peer.objects.exists()
