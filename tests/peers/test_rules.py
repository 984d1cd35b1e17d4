import pytest

from peers import rules
from peers.models import Node, Peer


@pytest.fixture
def madrid(cluster_factory):
    return cluster_factory("Madrid")


@pytest.fixture
def oslo(cluster_factory):
    return cluster_factory("Oslo")


def test_pair_of_equal_protocols_gives_no_warning(madrid, oslo, peer_factory):
    peer, _ = peer_factory(madrid, oslo), peer_factory(oslo, madrid)
    assert rules.peer_warnings(peer) == []


def test_peer_to_a_subscriber_names_the_publisher(madrid, oslo, peer_factory):
    Node.objects.create(cluster=oslo, name="sub", address="10.1.1.9", role="subscriber")
    peer_factory(oslo, madrid)
    (sentence,) = rules.peer_warnings(peer_factory(madrid, oslo, address="10.1.1.9"))
    assert "subscriber of Oslo" in sentence and str(oslo.publisher) in sentence


def test_peer_to_an_unknown_cluster_says_what_cannot_be_checked(madrid):
    peer = Peer.objects.create(cluster=madrid, address="10.77.1.1")
    (sentence,) = rules.peer_warnings(peer)
    assert "No cluster in the console has a node 10.77.1.1" in sentence


def test_home_publisher_without_confirmed_certificate_is_a_warning(
    madrid, oslo, peer_factory
):
    peer_factory(oslo, madrid)
    Node.objects.update(certificate_state="unknown")
    (sentence,) = rules.peer_warnings(peer_factory(madrid, oslo))
    assert "is not confirmed" in sentence


def test_home_cluster_without_a_publisher_is_a_warning(madrid, oslo, peer_factory):
    peer, _ = peer_factory(madrid, oslo), peer_factory(oslo, madrid)
    madrid.nodes.all().delete()
    assert "has no publisher" in rules.peer_warnings(peer)[0]


def test_mesh_beyond_the_supported_size_is_a_warning(madrid):
    Peer.objects.bulk_create(
        Peer(cluster=madrid, address=f"10.7.0.{n}") for n in range(rules.LARGEST_MESH)
    )
    assert "not supported" in rules.peer_warnings(Peer.objects.first())[-1]


def test_nothing_is_changed_on_a_peer_that_is_being_removed(madrid, oslo, peer_factory):
    peer = peer_factory(madrid, oslo, removing=True)
    assert rules.peer_errors(peer) == {"__all__": "This peer is being removed."}


def test_peer_does_not_duplicate_itself(madrid, oslo, peer_factory):
    assert rules.peer_errors(peer_factory(madrid, oslo)) == {}


def test_legacy_tls_is_not_for_a_ca(madrid):
    madrid.tls_mode, madrid.legacy_tls = "ca", True
    assert set(rules.cluster_errors(madrid)) == {"ca_certificate", "legacy_tls"}
