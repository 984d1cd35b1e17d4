import pytest

from accounts.audit import CONSOLE
from diagnostics.checks import check_peers
from peers import lifecycle, rules
from peers.models import Peer
from tests.elements import texts


@pytest.fixture
def peer(lab, lab_clusters):
    """A peer whose address is the DNS SRV name of the lab's second cluster."""
    home, _ = lab_clusters
    service = lab.clusters[1].service_name
    peer = Peer(cluster=home, address=service, username="ic")
    lifecycle.save_peer(peer, CONSOLE, password="open sesame")
    return peer


def test_an_srv_name_equals_no_node_and_the_warning_says_who_resolves_it(peer):
    assert peer.remote_cluster is None
    assert "DNS SRV" in rules.known_remote(peer)


@pytest.mark.django_db(transaction=True)
def test_the_check_resolves_it_and_an_edit_keeps_what_it_found(peer, lab_clusters):
    check_peers([peer])
    found = Peer.objects.get()
    assert found.remote_cluster == lab_clusters[1]
    assert found.entries[0]["outcome"] == "passed"
    found.protocol = "UDP"
    lifecycle.save_peer(found, CONSOLE, fields=["protocol"])
    assert Peer.objects.get().remote_cluster == lab_clusters[1]


def test_the_page_says_that_the_next_check_resolves_it(peer, viewer, client_of):
    page = client_of(viewer).get(peer.get_absolute_url())
    (sides,) = texts(page, "//*[@aria-labelledby='sides-head']")
    assert peer.address in sides and "DNS SRV" in sides
