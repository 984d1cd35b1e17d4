"""Warnings of peers between different presence domains or IM address schemes."""

import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.addressing import addressing_warnings
from clusters.forms import ClusterForm
from clusters.models import AddressScheme, Cluster
from mesh.intent import MeshIntent
from mesh.plan import plan_mesh
from mesh.spec import parse_spec as parse_mesh
from peers import rules
from peers.imports import apply, parse
from peers.models import Peer

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cluster_factory):
    known = {"version": "14.0.1", "generation": "imp"}
    return [cluster_factory(name, **known) for name in ("Madrid", "Oslo")]


@pytest.mark.parametrize(
    ("domain", "differs"),
    [
        ("example.com", False),
        ("EXAMPLE.com.", False),
        ("", False),
        ("branch.example.com", True),
        ("example.net", True),
    ],
)
def test_domains_are_compared_where_both_are_known(pair, peer_factory, domain, differs):
    Cluster.objects.filter(name="Oslo").update(domain=domain)
    pair[1].refresh_from_db()
    peers = [peer_factory(*pair), peer_factory(*pair[::-1])]
    sentence, back = map(rules.same_domain, peers)
    assert sentence == back and bool(sentence) == differs
    assert ("same-domain" in rules.peer_warnings(peers[0])) == differs


URI, USER = AddressScheme.DIRECTORY_URI.value, AddressScheme.USER_ID.value


@pytest.mark.parametrize(
    ("one", "other", "warned"),
    [
        ({"address_scheme": URI}, {"address_scheme": USER}, True),
        ({"address_scheme": URI}, {"inferred_scheme": USER}, True),
        ({"inferred_scheme": URI}, {"inferred_scheme": USER}, True),
        ({"address_scheme": URI}, {"version": "8.6.5"}, True),
        ({"address_scheme": URI}, {"version": "9.1.1"}, True),
        ({"address_scheme": URI}, {"address_scheme": URI}, False),
        # What a person stated comes before what was inferred.
        (
            {"address_scheme": URI},
            {"address_scheme": URI, "inferred_scheme": USER},
            False,
        ),
        ({"address_scheme": USER}, {"version": "8.6.5"}, False),
        # Not known is never warned.
        ({"address_scheme": URI}, {}, False),
        ({}, {"version": "8.6.5"}, False),
        ({"address_scheme": URI}, {"version": "x.y"}, False),
        ({"address_scheme": URI}, {"version": ""}, False),
    ],
)
def test_schemes_are_compared_where_both_are_known(
    pair, peer_factory, one, other, warned
):
    for cluster, fields in zip(pair, (one, other), strict=True):
        Cluster.objects.filter(pk=cluster.pk).update(**fields)
        cluster.refresh_from_db()
    peers = [peer_factory(*pair), peer_factory(*pair[::-1])]
    sentence = [rules.same_address_scheme(peer) for peer in peers]
    assert sentence[0] == sentence[1] and bool(sentence[0]) == warned
    inferred = "inferred_scheme" in other and "address_scheme" not in other
    assert ("inferred" in sentence[0]) == (warned and inferred)
    assert list(addressing_warnings(*pair)) == ([sentence[0]] if warned else [])


def test_a_peer_without_a_managed_remote_cluster_is_not_compared(pair, peer_factory):
    peer = peer_factory(*pair)
    peer.remote_cluster = None
    assert rules.same_address_scheme(peer) == rules.same_domain(peer) == ""


def test_the_scheme_is_entered_on_the_page_and_shown(pair, client, administrator):
    client.force_login(administrator)
    page = reverse("clusters:show_cluster", args=[pair[0].pk])
    assert "Directory URI" not in client.get(page).content.decode()
    form = ClusterForm(instance=pair[0])
    sent = {name: form[name].value() or "" for name in form.fields}
    edit = reverse("clusters:edit_cluster", args=[pair[0].pk])
    client.post(edit, sent | {"address_scheme": "spoken"})
    assert Cluster.objects.get(pk=pair[0].pk).address_scheme == ""
    client.post(edit, sent | {"address_scheme": URI})
    assert Cluster.objects.get(pk=pair[0].pk).address_scheme == URI
    assert "Directory URI" in client.get(page).content.decode()


def test_an_inferred_scheme_says_so_on_the_page(pair, client, administrator):
    at = timezone.now()
    Cluster.objects.update(inferred_scheme=URI, inferred_scheme_at=at)
    client.force_login(administrator)
    url = reverse("clusters:show_cluster", args=[pair[0].pk])
    assert "inferred" in client.get(url).content.decode()
    Cluster.objects.update(address_scheme=URI)
    assert "inferred" not in client.get(url).content.decode()


def test_rest_takes_the_scheme_and_keeps_what_was_inferred(pair, api, administrator):
    client, where = api(administrator), f"/api/v1/clusters/{pair[0].pk}/"
    sent = {"address_scheme": URI, "inferred_scheme": URI}
    tag = {"HTTP_IF_MATCH": client.get(where)["ETag"]}
    answer = client.patch(where, sent, **tag)
    assert answer.status_code == 200
    assert answer.json()["address_scheme"] == URI
    assert answer.json()["inferred_scheme"] == ""
    refused = client.patch(
        where, {"address_scheme": "spoken"}, HTTP_IF_MATCH=answer["ETag"]
    )
    assert refused.status_code == 400 and "address_scheme" in refused.json()["errors"]


def test_a_file_of_rows_takes_the_scheme_and_keeps_it_where_it_has_none(pair):
    def effect(text):
        return apply.preview_import(parse.read_entries(text, is_yaml=False)).effects[0]

    for cell in (b"directory_uri", b" DIRECTORY_URI "):
        taken = effect(b"name,address_scheme\nMadrid," + cell + b"\n")
        assert "address_scheme" in taken.changed and not taken.errors
    assert effect(b"name,address_scheme\nMadrid,spoken\n").errors
    other = effect(b"name,description\nMadrid,capital\n")
    assert "address_scheme" not in other.changed


def test_a_mesh_file_takes_the_scheme():
    text = "clusters:\n  - {{name: Madrid, address_scheme: {}}}\n"
    (spec,) = parse_mesh(text.format(URI)).clusters
    assert spec.fields == {"address_scheme": URI}
    with pytest.raises(ValueError, match="address_scheme"):
        parse_mesh(text.format("spoken"))


def test_an_import_a_mesh_plan_and_rest_warn_by_the_same_rule(pair, api, administrator):
    Cluster.objects.filter(name="Oslo").update(domain="example.net")
    clusters = list(Cluster.objects.prefetch_related("nodes").order_by("name"))
    steps = plan_mesh(MeshIntent(((clusters[0], clusters[1]),))).steps
    [warning] = addressing_warnings(*clusters)
    assert all(warning in step.warnings for step in steps)
    peer = {"address": "127.66.2.1", "username": "ic", "password": "secret"}
    text = f"cluster,{','.join(peer)}\nMadrid,{','.join(peer.values())}\n"
    (effect,) = apply.preview_import(
        parse.read_entries(text.encode(), is_yaml=False)
    ).effects
    assert warning in effect.warnings
    sent = {"cluster": str(clusters[0].pk), **peer}
    made = api(administrator).post("/api/v1/peers/", sent).json()
    assert warning in made["warnings"]
    assert Peer.objects.exists()
