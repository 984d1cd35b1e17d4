"""What was changed on the clusters behind the console's back."""

import pytest
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job
from mesh import shown
from mesh.models import Shown
from mesh.plan import plan
from mesh.wanted import Wanted
from peers.changes import values_of
from peers.models import Peer
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
    shown.remember({str(cluster.pk): entries}, timezone.now())


def entry(peer, **changes):
    return PeerEntry(**(values_of(peer) | changes))


def step(pair):
    return plan(Wanted((pair,))).steps[0]


def test_an_entry_as_wanted_needs_nothing(pair, peer):
    shows(pair[0], entry(peer))
    assert step(pair).action == "none"


def test_a_changed_entry_is_planned_back_from_what_the_cluster_shows(pair, peer):
    shows(pair[0], entry(peer, protocol="UDP", username="somebody"))
    found = step(pair)
    assert found.action == "update"
    assert found.before["protocol"] == "UDP"
    assert found.after["username"] == peer.username
    assert "changed on the cluster" in found.warnings[0]


def test_a_removed_entry_is_planned_anew(pair, peer):
    shows(pair[0])
    found = step(pair)
    assert (found.action, found.before) == ("create", None)
    assert "no longer shows" in found.warnings[0]


def test_an_edit_newer_than_the_last_reading_is_not_drift(pair, peer):
    shows(pair[0])
    Peer.objects.filter(pk=peer.pk).update(updated_at=timezone.now())
    assert step(pair).action == "none"


def test_an_older_reading_does_not_replace_a_newer_one(pair, peer):
    long_ago = timezone.now()
    shows(pair[0], entry(peer))
    shown.remember({str(pair[0].pk): []}, long_ago)
    assert len(Shown.objects.get().all) == 1


def test_an_entry_the_console_does_not_know_is_taken_over_by_a_plan(pair):
    there = PeerEntry(pair[1].publisher.address, "olduser", "UDP", "")
    shows(pair[0], there)
    found = step(pair)
    assert found.action == "update"
    assert found.after["address"] == there.address
    assert "takes it over" in found.warnings[0]


def test_strangers_are_shown_and_adopted(administrator, client_of, pair):
    there = PeerEntry("old.example.net", "icuser", "TLS", "+1408XXXX")
    shows(pair[0], there)
    ada = client_of(administrator)
    url = reverse("mesh:adopt", args=[pair[0].pk, there.address])
    assert url in ada.get(reverse("mesh:matrix")).content.decode()
    ada.post(url, {"password": "s3cret"})
    peer = Peer.objects.get()
    assert (peer.protocol, peer.provisioning_state) == ("TLS", "applied")
    assert peer.unseal("password").reveal() == "s3cret"
    assert Job.objects.get().kind == "check-peers"
    assert not shown.strangers()


def test_an_entry_that_breaks_a_rule_is_not_adopted(administrator, client_of, pair):
    shows(pair[0], PeerEntry(pair[0].publisher.address, "icuser", "TCP", ""))
    url = reverse("mesh:adopt", args=[pair[0].pk, pair[0].publisher.address])
    answer = client_of(administrator).post(url, {"password": "s3cret"})
    assert "home cluster" in answer.content.decode()
    assert not Peer.objects.exists()


def test_an_entry_that_is_no_longer_there_cannot_be_adopted(
    administrator, client_of, pair
):
    url = reverse("mesh:adopt", args=[pair[0].pk, "gone.example.net"])
    assert client_of(administrator).get(url).status_code == 404
