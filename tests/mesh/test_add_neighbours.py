"""All neighbours added at once, and their certificates reviewed on one page."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from clusters.models import Cluster, Node
from jobs.models import Job
from lab import Lab
from mesh.neighbour_forms import NeighboursForm
from mesh.neighbours import unmanaged_neighbours
from tests.mesh.test_running import store_users
from tests.workers import done

ACCOUNT = {"axl_username": "axladmin", "axl_password": "s3cret"}
PEERING = {"peering_username": "icuser", "peering_password": "1c"}


@pytest.fixture
def bonn(cluster_factory):
    cluster = cluster_factory("Bonn", generation="cup8")
    users = {"oslo-pub.example.com": 3, "oslo-sub1.example.com": 2, "rome-pub.x": 4}
    store_users(cluster, users, own=["bonn-pub.example.com"])
    return cluster


@pytest.fixture
def ada(client_of, administrator):
    return client_of(administrator)


def rows() -> dict[str, str]:
    """The prefix of each neighbour's row by its address."""
    form = NeighboursForm(unmanaged_neighbours(Cluster.objects.all()), None)
    return {row.neighbour.address: row.prefix for row in form.rows}


def data(**changes):
    """What the form sends, with every neighbour chosen under its proposed name."""
    sent = {**ACCOUNT, **PEERING}
    for address, prefix in rows().items():
        sent |= {f"{prefix}-include": "on", f"{prefix}-name": address.partition("-")[0]}
    return sent | changes


URL = "mesh:add_neighbours"


def test_page_proposes_a_name_for_each_neighbour(ada, bonn):
    page = ada.get(reverse(URL)).content.decode()
    assert 'value="oslo"' in page and 'value="rome"' in page


def test_all_neighbours_are_added_with_the_shared_accounts(ada, bonn):
    answer = ada.post(reverse(URL), data())
    assert answer.url == reverse("clusters:certificates")
    for name, address in (("oslo", "oslo-pub.example.com"), ("rome", "rome-pub.x")):
        cluster = Cluster.objects.get(name=name)
        assert cluster.publisher.address == cluster.publisher.name == address
        assert (cluster.provisioning, cluster.axl_username) == ("guided", "axladmin")
        assert cluster.unseal("axl_password").reveal() == "s3cret"
        assert cluster.peering_username == "icuser"
        assert cluster.unseal("peering_password").reveal() == "1c"
    assert AuditEntry.objects.filter(action="add cluster").count() == 2


def test_a_cluster_with_an_account_of_its_own_and_one_that_is_left_out(ada, bonn):
    oslo, rome = rows()["oslo-pub.example.com"], rows()["rome-pub.x"]
    own = {f"{oslo}-axl_username": "osloadmin", f"{oslo}-axl_password": "0wn"}
    sent = data(**own)
    del sent[f"{rome}-include"]
    ada.post(reverse(URL), sent)
    cluster = Cluster.objects.exclude(name="Bonn").get()
    assert cluster.axl_username == "osloadmin"
    assert cluster.unseal("axl_password").reveal() == "0wn"


def test_own_passwords_go_with_the_shared_user_names(ada, bonn):
    named = rows()
    own = {f"{prefix}-axl_password": "0wn" for prefix in named.values()}
    own |= {f"{prefix}-peering_password": "1cown" for prefix in named.values()}
    ada.post(reverse(URL), data(**own, axl_password="", peering_password=""))
    clusters = Cluster.objects.exclude(name="Bonn")
    assert len(clusters) == len(named)
    for cluster in clusters:
        users = (cluster.axl_username, cluster.peering_username)
        assert users == ("axladmin", "icuser")
        assert cluster.unseal("axl_password").reveal() == "0wn"
        assert cluster.unseal("peering_password").reveal() == "1cown"


@pytest.mark.parametrize(
    "change",
    [
        {"axl_password": ""},
        {"axl_username": "", "axl_password": ""},
        {"peering_password": ""},
        {"axl_username": "with\x07bell"},
        {"oslo-pub.example.com name": ""},
        {"oslo-pub.example.com name": "Bonn"},
        {"oslo-pub.example.com name": "rome"},
        {"oslo-pub.example.com name": "x" * 101},
        {"oslo-pub.example.com axl_username": "alone"},
        {"oslo-pub.example.com peering_username": "alone"},
        {"peering_username": "", "oslo-pub.example.com peering_password": "alone"},
    ],
)
def test_a_mistake_adds_nothing_and_shows_no_password(ada, bonn, change):
    named = rows()
    sent = {
        "-".join([named[key.split()[0]], key.split()[1]]) if " " in key else key: value
        for key, value in change.items()
    }
    answer = ada.post(reverse(URL), data(**sent))
    assert answer.status_code == 200
    assert Cluster.objects.count() == 1
    text = answer.content.decode()
    assert "s3cret" not in text and '1c"' not in text
    form = answer.context["form"]
    assert any(one.errors for one in form.all)


def test_nothing_chosen_is_an_error(ada, bonn):
    answer = ada.post(reverse(URL), ACCOUNT)
    assert answer.status_code == 200
    assert Cluster.objects.count() == 1


def test_a_hostile_name_of_a_node_is_an_error_of_its_row(ada, bonn):
    store_users(bonn, {"<b>no host</b>": 3}, own=["bonn-pub.example.com"])
    answer = ada.post(reverse(URL), data())
    assert answer.status_code == 200
    assert b"<b>no host" not in answer.content
    assert Cluster.objects.count() == 1


def test_without_neighbours_the_page_says_so(ada, cluster_factory):
    cluster_factory()
    page = ada.get(reverse(URL))
    assert page.status_code == 200 and page.context["form"].rows == []


@pytest.fixture(scope="module")
def lab():
    with Lab(clusters=2, nodes=2, network="auto", versions=("8.6", "9.1")) as running:
        yield running


@pytest.fixture
def fresh(db, lab, settings):
    """Two clusters as they are just after they were added."""
    settings.DNS_SERVERS = [lab.describe()["dns"]]
    for described in lab.describe()["clusters"]:
        cluster = Cluster(name=described["name"], axl_username="axladmin")
        cluster.axl_username = described["axl_username"]
        cluster.seal("axl_password", described["axl_password"])
        cluster.save()
        node = next(n for n in described["nodes"] if n["role"] == "publisher")
        ports = {name: node[name] for name in ("axl_port",)}
        names = {"name": node["name"], "address": node["address"]}
        Node.objects.create(cluster=cluster, role="publisher", **names, **ports)
    return list(Cluster.objects.order_by("name"))


def presented(page):
    return {node.name: certificate for node, certificate, _ in page.context["rows"]}


def test_certificates_of_all_nodes_are_confirmed_on_one_page(ada, fresh, lab):
    url = reverse("clusters:certificates")
    page = ada.get(url)
    found = presented(page)
    assert set(found) == {one.publisher.name for one in lab.clusters}
    nodes = {node.name: node for node in Node.objects.all()}
    sent = [f"{nodes[name].pk}:{one.fingerprint}" for name, one in found.items()]
    ada.post(url, {"confirmed": sent, "discover": "1"})
    assert set(Node.objects.values_list("certificate_state", flat=True)) == {"trusted"}
    assert AuditEntry.objects.filter(action="trust certificate").count() == 2
    jobs = Job.objects.filter(kind="discover-cluster")
    assert jobs.count() == 2
    page = ada.get(url, {"discovering": ""}, headers={"HX-Request": "true"})
    assert b"2 clusters are being discovered" in page.content
    for job in jobs:
        assert done(job).state == Job.State.SUCCEEDED, job.error
    page = ada.get(url, {"discovering": ""}, headers={"HX-Request": "true"})
    assert page["HX-Redirect"] == url
    assert set(presented(ada.get(url))) == {
        node.name for one in lab.clusters for node in one.subscribers
    }


def test_another_fingerprint_than_the_presented_one_confirms_nothing(ada, fresh):
    node = fresh[0].publisher
    answer = ada.post(
        reverse("clusters:certificates"), {"confirmed": [f"{node.pk}:{'ab' * 32}"]}
    )
    assert answer.status_code == 302
    node.refresh_from_db()
    assert node.certificate_state == "unknown"


@pytest.mark.parametrize("sent", [[], ["nonsense"], ["nonsense:ab"], ["\x00:"]])
def test_nonsense_confirms_nothing(ada, fresh, sent):
    answer = ada.post(reverse("clusters:certificates"), {"confirmed": sent})
    assert answer.status_code == 302
    assert set(Node.objects.values_list("certificate_state", flat=True)) == {"unknown"}


def test_a_node_that_does_not_answer_says_why_beside_the_others(ada, fresh, lab):
    lab.clusters[0].publisher.set_fault("node", "down")
    try:
        page = ada.get(reverse("clusters:certificates"))
    finally:
        lab.clusters[0].publisher.clear_faults()
    found = {n.name: (c is None, e is None) for n, c, e in page.context["rows"]}
    assert sorted(found.values()) == [(False, True), (True, False)]


def test_an_operator_sees_but_does_not_confirm(client_of, operator, fresh):
    client, url = client_of(operator), reverse("clusters:certificates")
    assert b'name="confirmed"' not in client.get(url).content
    assert client.post(url, {}).status_code == 403
