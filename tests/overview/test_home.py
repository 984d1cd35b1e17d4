import re
from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Node
from exchange.models import KnownCertificate, NodeCertificates
from peers.models import Peer
from services.models import NodeReading, Service
from tests.elements import elements, texts

pytestmark = pytest.mark.django_db


def test_an_empty_console_says_what_to_do_first(viewer, client_of):
    page = client_of(viewer).get("/")
    assert b"No clusters yet" in page.content


def test_the_matrix_shows_counts_and_the_missing_half(
    viewer, client_of, cluster_factory, peer_factory
):
    east, west = cluster_factory("east"), cluster_factory("west")
    peer_factory(east, west, outcome="passed", associated_users=7, remote_users=7)
    page = client_of(viewer).get("/")
    [cell] = elements(page, "//td[@class='passed half']")
    assert "7 / 7" in cell.text_content()
    [missing] = texts(page, "//td[@class='none']")
    assert re.findall("east|west", missing) == ["west", "east"]


def test_what_is_not_known_is_not_shown_as_good(viewer, client_of, cluster_factory):
    cluster_factory("east")
    cards = {
        card.name: card for card in client_of(viewer).get("/").context["overview"].cards
    }
    assert cards["Healthy clusters"].outcome == "unknown"
    assert cards["Sync agents running"].outcome == "unknown"
    assert cards["Healthy peers"].outcome == "unknown"


def test_a_certificate_that_peers_exchange_may_be_the_first_to_expire(
    viewer, client_of, cluster_factory
):
    node, now = cluster_factory("east").publisher, timezone.now()
    later, soon = now + timedelta(days=400, hours=1), now + timedelta(days=12, hours=1)
    Node.objects.update(certificate_state="trusted", certificate_not_after=later)
    known = KnownCertificate.objects.create(
        fingerprint="f", subject="CN=e", not_before=now, not_after=soon, self_signed=1
    )
    NodeCertificates.objects.create(node=node, identities={"cup": known.pk})
    *_, card = client_of(viewer).get("/").context["overview"].cards
    assert (card.figure, card.outcome) == ("12 days", "warning")
    assert card.note == f"cup of {node}"


def peers_card(client):
    cards = client.get("/").context["overview"].cards
    card = next(card for card in cards if card.name == "Healthy peers")
    return card.figure, card.outcome, card.note


def test_a_peer_outside_the_mesh_is_counted_with_the_others(
    viewer, client_of, cluster_factory, peer_factory
):
    east, west = cluster_factory("east"), cluster_factory("west")
    for home, remote in ((east, west), (west, east)):
        peer_factory(home, remote, outcome="passed", checked_at=timezone.now())
    assert peers_card(client_of(viewer))[:2] == ("2 of 2", "passed")
    stray = peer_factory(east, west, address="192.0.2.9", outcome="failed")
    Peer.objects.filter(pk=stray.pk).update(remote_cluster=None)
    assert peers_card(client_of(viewer)) == ("2 of 3", "failed", "1 failed")


def test_clusters_that_are_no_peers_are_no_good_figure(
    viewer, client_of, cluster_factory, peer_factory
):
    east, west, north = (cluster_factory(name) for name in ("east", "west", "north"))
    for home, remote in ((east, west), (west, east)):
        peer_factory(home, remote, outcome="passed", checked_at=timezone.now())
    assert peers_card(client_of(viewer)) == ("2 of 2", "warning", "4 missing")
    peer_factory(north, east, outcome="passed", checked_at=timezone.now())
    assert peers_card(client_of(viewer)) == ("3 of 3", "warning", "3 missing")


def test_one_cluster_is_no_complete_mesh(viewer, client_of, cluster_factory):
    cluster_factory("east")
    assert peers_card(client_of(viewer))[:2] == ("0 of 0", "unknown")


def test_one_silent_node_does_not_hide_a_stopped_agent(
    viewer, client_of, cluster_factory
):
    east, west = (cluster_factory(name, generation="imp") for name in ("east", "west"))
    for cluster, error in ((east, "timeout"), (west, "")):
        node, now = cluster.publisher, timezone.now()
        NodeReading.objects.create(node=node, tried_at=now, error_code=error)
        name = "Cisco Intercluster Sync Agent"
        Service.objects.create(node=node, name=name, status="stopped")
    cards = {
        card.name: card for card in client_of(viewer).get("/").context["overview"].cards
    }
    card = cards["Sync agents running"]
    assert (card.outcome, card.note) == ("failed", "not running on 1")


def test_a_changed_certificate_is_the_first_thing_to_see(
    viewer, client_of, cluster_factory
):
    cluster_factory("east")
    Node.objects.update(certificate_state="changed")
    cards = client_of(viewer).get("/").context["overview"].cards
    assert (cards[-1].outcome, cards[-1].figure) == ("failed", "1 to confirm")


def test_only_an_administrator_is_offered_the_missing_peer(
    administrator, viewer, client_of, cluster_factory
):
    cluster_factory("east"), cluster_factory("west")
    assert b"?one=" in client_of(administrator).get("/").content
    assert b"?one=" not in client_of(viewer).get("/").content


def test_sixty_clusters_take_few_queries(
    viewer, client_of, cluster_factory, django_assert_max_num_queries
):
    for _ in range(60):
        cluster_factory()
    client = client_of(viewer)
    client.get("/")  # renews the list of problems
    with django_assert_max_num_queries(20):
        client.get("/")
