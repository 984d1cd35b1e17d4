import re

import pytest
from django.urls import reverse

from clusters.models import Cluster
from exchange import store
from exchange.models import NodeCertificates
from exchange.peer_list import FORCE_SYNC, NOBODY
from jobs.models import Job
from peers.models import Peer
from tests.exchange.conftest import make

URL = "/administration/presence/certificates/"


def peer_of(mesh):
    return Peer.objects.get(cluster=mesh.home)


def page(client, query=""):
    response = client.get(f"{URL}{query}")
    assert response.status_code == 200
    return response.content.decode()


def spoil(mesh):
    """The home nodes trust nothing, the remote publisher's proxy ends in 12 days."""
    node = mesh.nodes(mesh.remote)[0]
    mesh.own[node.pk]["cup"] = make(node.name, days=12)
    mesh.read_all()
    for home in mesh.nodes(mesh.home):
        mesh.read(home, [])


def test_without_clusters_it_says_what_is_needed(client_of, administrator, db):
    text = page(client_of(administrator))
    assert "No clusters yet" in text
    assert reverse("clusters:add_cluster") in text


def test_without_an_account_it_says_what_is_needed(client_of, administrator, mesh):
    text = page(client_of(administrator))
    for one in (mesh.home, mesh.remote):
        edit = reverse("clusters:edit_cluster", args=[one.pk])
        assert f"{edit}#id_os_username" in text


def test_the_table_has_a_row_for_each_node_and_days(client_of, viewer, mesh):
    response = client_of(viewer).get(URL)
    assert len(response.context["grid"].rows) == 4
    assert response.context["grid"].counts == {"trusted": 4}
    assert "400 days" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("?state=missing", 2),
        ("?state=attention", 2),
        ("?state=warning", 0),
        ("?state=trusted", 2),
        ("?home=CUP1", 2),
        ("?remote=cup1", 2),
        ("?home=nobody", 0),
        ("?state=nonsense", 4),
    ],
)
def test_filters(client_of, viewer, mesh, query, rows):
    spoil(mesh)
    response = client_of(viewer).get(f"{URL}{query}")
    assert len(response.context["grid"].rows) == rows


def test_the_peer_page_rebuilds_the_marks(client_of, viewer, mesh):
    spoil(mesh)
    text = client_of(viewer).get(peer_of(mesh).get_absolute_url()).content.decode()
    problems = re.findall(r'<p class="problem">(.*?)</p>', text)
    nodes = [node.name for node in mesh.nodes(mesh.home)]
    assert any(all(name in one for name in nodes) for one in problems)
    assert "12 days" in text and FORCE_SYNC in text


def test_the_peer_page_says_when_nothing_is_known(client_of, viewer, mesh):
    NodeCertificates.objects.all().delete()
    client, url = client_of(viewer), reverse("exchange:pair", args=[peer_of(mesh).pk])
    found = client.get(url).context["list"]
    assert (found.lines, found.oldest) == ([], None)
    assert found.problem not in ("", NOBODY)
    assert (
        found.problem in client.get(peer_of(mesh).get_absolute_url()).content.decode()
    )
    mesh.read_all()
    NodeCertificates.objects.filter(node__cluster=mesh.home).update(
        trusts={}, problem="Nobody asked."
    )
    answer = client.get(url)
    assert {line.state for line in answer.context["list"].lines} == {"unknown"}
    assert "Nobody asked." in answer.content.decode()


def test_read_again_submits_one_job(client_of, operator, mesh):
    client = client_of(operator)
    client.post(reverse("exchange:read"))
    client.post(reverse("exchange:read"))
    assert Job.objects.filter(kind="read-certificates").count() == 1
    assert Job.objects.get().get_absolute_url() in page(client)


def test_the_cluster_page_shows_how_its_certificates_are_read(
    client_of, operator, mesh
):
    client = client_of(operator)
    text = client.get(mesh.home.get_absolute_url()).content.decode()
    assert 'id="exchange-head"' in text
    assert "Certificate interface" in text
    client.post(reverse("exchange:read_cluster", args=[mesh.home.pk]))
    [job] = Job.objects.filter(kind="read-certificates")
    assert job.target_id == str(mesh.home.pk)


def test_the_form_of_a_cluster_seals_the_account(client_of, administrator, mesh):
    client = client_of(administrator)
    url = reverse("clusters:edit_cluster", args=[mesh.home.pk])
    form = client.get(url).context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    data |= {"os_username": "osadmin", "os_password": "open sesame os"}
    assert client.post(url, data).status_code == 302
    cluster = Cluster.objects.get(pk=mesh.home.pk)
    assert cluster.unseal("os_password").reveal() == "open sesame os"
    assert "open sesame os" not in client.get(url).content.decode()


def test_a_large_mesh_is_paged_and_dense(
    client_of, viewer, mesh, cluster_factory, peer_factory
):
    more = [cluster_factory() for _ in range(12)]
    for one in more:
        peer_factory(mesh.home, one)
        peer_factory(one, mesh.home)
    response = client_of(viewer).get(URL)
    grid = response.context["grid"]
    assert grid.dense
    assert grid.counts["unknown"] == 2 * 12 + 12
    assert 'class="matrix dense"' in response.content.decode()


def test_names_of_certificates_are_escaped(client_of, viewer, mesh):
    node = mesh.nodes(mesh.remote)[0]
    mesh.own[node.pk]["cup"] = make("<script>alert('x')</script>")
    mesh.read_all()
    store.link_signers()
    text = page(client_of(viewer))
    assert "<script>alert" not in text
