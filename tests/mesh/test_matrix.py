"""The matrix as people see it, and how large it may be."""

import gzip
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster
from mesh.matrix import Mesh, _cell_of, read_mesh
from mesh.matrix_html import MatrixDrawing
from peers.models import Peer
from tests.elements import elements

pytestmark = pytest.mark.django_db


def invented(size):
    """A mesh of so many clusters that is in no database."""
    clusters = [Cluster(name=f"cluster-{n:02}-europe") for n in range(size)]
    peers = {
        (home.pk, remote.pk): Peer(
            cluster=home,
            remote_cluster=remote,
            outcome="passed",
            associated_users=uuid.uuid4().int % 9_000,
            remote_users=9_000,
        )
        for home in clusters
        for remote in clusters
        if home is not remote
    }
    rows = [
        (home, [_cell_of(peers, home, other) for other in clusters])
        for home in clusters
    ]
    return Mesh(clusters, rows)


def title_of(peer, drawn):
    """What the cell of a peer says of it."""
    (title,) = re.findall(rf'{peer.pk}/" title="([^"]*)"', drawn)
    return title


def test_names_of_clusters_are_escaped(cluster_factory, peer_factory):
    one, two, _ = (cluster_factory(name) for name in ("<i>", '"a" & b', "c"))
    peer_factory(one, two)
    found = MatrixDrawing(read_mesh(), offering=True).html()
    assert "<i>" not in found
    assert '"a"' not in found
    assert "&lt;i&gt;" in found and "&quot;a&quot; &amp; b" in found


def test_a_cell_tells_its_counts_and_that_the_other_side_is_missing(
    cluster_factory, peer_factory
):
    one, two = cluster_factory("one"), cluster_factory("two")
    peer = peer_factory(one, two, outcome="warning", associated_users=3)
    found = MatrixDrawing(read_mesh(), offering=False).html()
    assert 'class="warning half"' in found
    assert re.findall(r"one|two|3|\?", title_of(peer, found))[2:] == ["3", "?"]
    assert "3 / ?" in found


def test_a_cell_tells_when_its_status_was_seen(cluster_factory, peer_factory):
    one, two = cluster_factory("one"), cluster_factory("two")
    at = datetime(2026, 3, 1, 14, 5, 30, tzinfo=UTC)
    peer = peer_factory(one, two, outcome="passed", checked_at=at)
    back = peer_factory(two, one)
    found = MatrixDrawing(read_mesh(), offering=True).html()
    assert title_of(peer, found).endswith("2026-03-01 14:05 UTC")
    assert title_of(back, found).endswith("never checked")


def test_the_page_tells_the_age_of_its_oldest_status(
    viewer, client_of, cluster_factory, peer_factory
):
    one, two = cluster_factory("one"), cluster_factory("two")
    now = timezone.now()
    peer_factory(one, two, outcome="passed", checked_at=now - timedelta(hours=3))
    back = peer_factory(two, one, outcome="passed", checked_at=now)
    page = client_of(viewer).get(reverse("mesh:matrix")).content.decode()
    assert "oldest status" in page
    assert "3 hours ago" in page
    Peer.objects.filter(pk=back.pk).update(checked_at=None)
    page = client_of(viewer).get(reverse("mesh:matrix")).content.decode()
    assert "1 never checked" in page


def test_sixty_clusters_are_under_200_kilobytes_on_the_way():
    found = MatrixDrawing(invented(60), offering=True).html()
    assert found.count("<td") == 3_600
    assert len(gzip.compress(found.encode())) < 200_000


def test_a_mesh_is_read_in_two_queries(
    cluster_factory, peer_factory, django_assert_num_queries
):
    clusters = [cluster_factory() for _ in range(4)]
    peer_factory(*clusters[:2])
    with django_assert_num_queries(2):
        assert len(read_mesh().missing) == 11


@pytest.mark.parametrize("state", Peer.ProvisioningState.values)
@pytest.mark.parametrize("drift", [{}, {"protocol": "UDP"}])
@pytest.mark.parametrize("applied", ["", "192.0.2.1"])
@pytest.mark.parametrize("removing", [False, True])
def test_the_columns_of_drift_say_what_the_peer_says(
    cluster_factory, peer_factory, state, drift, applied, removing
):
    reported = {"provisioning_state": state, "drift": drift, "removing": removing}
    one, two = cluster_factory("one"), cluster_factory("two")
    peer = peer_factory(one, two, applied_address=applied, **reported)
    [cell] = [cell for cell in read_mesh().cells if cell.peer]
    assert cell.peer.drifted == peer.drifted
    assert cell.peer.removed_there == peer.removed_there


def test_a_cluster_in_maintenance_is_marked(cluster_factory):
    home, _ = cluster_factory("cup1"), cluster_factory("cup2")
    html = MatrixDrawing(read_mesh(), offering=False, maintained={home.pk}).html()
    assert html.count('class="maintained"') == 1


def test_the_key_explains_the_plus_and_the_diagonal(
    administrator, viewer, client_of, cluster_factory
):
    cluster_factory("cup1"), cluster_factory("cup2")
    url = reverse("mesh:matrix")
    plus = "//*[@class='matrix-key']//*[@class='swatch none']/*"
    diagonal = "//*[@class='matrix-key']//*[@class='swatch self passed']"
    assert elements(client_of(administrator).get(url), f"{plus}|{diagonal}")[1:]
    seen = client_of(viewer).get(url)
    assert elements(seen, diagonal) and not elements(seen, plus)
