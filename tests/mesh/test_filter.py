"""Filters and order of a large matrix, and where its cells lead."""

import pytest
from django.urls import reverse

from mesh.matrix import MatrixFilter, cluster_by_short_id, read_mesh, short_id
from peers.models import Peer
from ui.names import shorten_name


@pytest.fixture
def clusters(cluster_factory, peer_factory):
    made = [
        cluster_factory(name, site=site, health="ok")
        for name, site in (("vienna", "EMEA"), ("graz", "EMEA"), ("tokyo", "APAC"))
    ]
    for home in made:
        for remote in made:
            if home is not remote:
                peer_factory(home, remote, outcome="passed")
    Peer.objects.filter(cluster=made[0], remote_cluster=made[1]).update(
        outcome="failed"
    )
    return made


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (MatrixFilter(), ["graz", "tokyo", "vienna"]),
        (MatrixFilter(site="EMEA"), ["graz", "vienna"]),
        (MatrixFilter(name="O"), ["tokyo"]),
        (MatrixFilter(problems=True), ["graz", "vienna"]),
        (MatrixFilter(sort="site"), ["tokyo", "graz", "vienna"]),
        (MatrixFilter(sort="problems"), ["graz", "vienna", "tokyo"]),
    ],
)
def test_a_filter_leaves_the_square_of_its_clusters(clusters, chosen, names):
    found = chosen.apply(read_mesh())
    assert [one.name for one in found.clusters] == names
    assert [len(row) for _, row in found.rows] == [len(names)] * len(names)
    assert [row[n].diagonal for n, (_, row) in enumerate(found.rows)] == [True] * len(
        names
    )


def test_a_cell_leads_to_its_peer(client_of, viewer, clusters):
    home, remote, _ = clusters
    query = {"home": short_id(home), "remote": short_id(remote)}
    response = client_of(viewer).get(reverse("mesh:pair"), query)
    peer = Peer.objects.get(cluster=home, remote_cluster=remote)
    assert response.url == peer.get_absolute_url()


def test_an_empty_cell_leads_to_its_set_up(client_of, administrator, clusters):
    home, remote, _ = clusters
    Peer.objects.all().delete()
    query = {"home": short_id(home), "remote": short_id(remote)}
    response = client_of(administrator).get(reverse("mesh:pair"), query)
    assert response.url == f"{reverse('mesh:set_up')}?one={home.pk}&other={remote.pk}"


@pytest.mark.parametrize("text", ["", "abc", "00000000", "\0" * 8, "x" * 5000])
def test_a_cell_of_nothing_is_not_found(client_of, viewer, clusters, text):
    query = {"home": text, "remote": text}
    assert client_of(viewer).get(reverse("mesh:pair"), query).status_code == 404
    assert cluster_by_short_id(text) is None


def test_long_names_lose_their_middle():
    assert shorten_name("vienna") == "vienna"
    assert shorten_name("EMEA-central-Vienna-03") == "EMEA-cent…-Vienna-03"
    assert len(shorten_name("x" * 100)) == 20
