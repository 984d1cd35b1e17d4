from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from django.urls import reverse

from accounts.audit import CONSOLE
from clusters import certificates, editing
from clusters.models import Cluster, Node
from jobs.models import Job
from peers.models import Peer
from wire import Certificate, Code, WireError

TYPED = {
    "name": "sub.example.com",
    "address": "10.9.9.2",
    "role": "subscriber",
    "axl_port": 8443,
    "sip_port": 5060,
    "sip_tls_port": 5061,
    "sip_peer_tls_port": 5062,
}
PRESENTED = Certificate(
    fingerprint="cd" * 32,
    subject="CN=sub.example.com",
    issuer="CN=sub.example.com",
    not_before=datetime(2024, 1, 1, tzinfo=UTC),
    not_after=datetime(2034, 1, 1, tzinfo=UTC),
    names=("sub.example.com",),
    key_bits=2048,
    self_signed=True,
    pem="",
    signature_algorithm="sha256",
    tls_version="TLSv1.3",
)


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


@pytest.fixture
def presented():
    with patch.object(
        certificates, "present_certificate", autospec=True, return_value=PRESENTED
    ) as requested:
        yield requested


def page(name, *args):
    return reverse(f"clusters:{name}", args=args)


def test_added_node_is_shown_with_its_certificate_next(ada, cluster_factory):
    cluster = cluster_factory()
    answer = ada.post(page("add_node", cluster.pk), TYPED)
    node = cluster.nodes.get(name="sub.example.com")
    assert answer.url == page("certificate", node.pk)


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("address", "https://10.1.1.1", "scheme"),
        ("address", "10.1.1.1:8443", "port"),
        ("address", "fe80::1%eth0", "zone"),
        ("address", "two words", "spaces"),
        ("name", "-x", "begin or end"),
        ("axl_port", "70000", "65535"),
    ],
)
def test_bad_value_gives_one_sentence_at_its_field(
    ada, cluster_factory, field, value, word
):
    url = page("add_node", cluster_factory().pk)
    answer = ada.post(url, TYPED | {field: value})
    (message,) = answer.context["form"].errors[field]
    assert word in message


def test_second_publisher_is_refused_at_the_role(ada, cluster_factory):
    cluster = cluster_factory()
    answer = ada.post(page("add_node", cluster.pk), TYPED | {"role": "publisher"})
    errors = answer.context["form"].errors
    assert list(errors) == ["role"] and str(cluster.publisher) in errors["role"][0]


def test_address_of_another_node_is_refused_with_its_name(ada, cluster_factory):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    typed = TYPED | {"address": madrid.publisher.address}
    form = ada.post(page("add_node", oslo.pk), typed).context["form"]
    (sentence,) = form.errors["address"]
    assert str(madrid.publisher) in sentence and "Madrid" in sentence


def test_renamed_publisher_finds_the_peers_that_point_to_it(
    ada, cluster_factory, peer_factory
):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    peer = peer_factory(madrid, oslo, address="new.example.com")
    Peer.objects.update(remote_cluster=None)
    node = oslo.publisher
    typed = TYPED | {"name": "new.example.com", "role": "publisher", "revision": 1}
    ada.post(page("edit_node", node.pk), typed | {"address": node.address})
    assert Peer.objects.get(pk=peer.pk).remote_cluster == oslo


def test_deleted_publisher_leaves_peers_without_remote_cluster(
    ada, cluster_factory, peer_factory
):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    peer = peer_factory(madrid, oslo)
    ada.post(page("delete_node", oslo.publisher.pk))
    assert Peer.objects.get(pk=peer.pk).remote_cluster is None


def test_node_page_shows_the_confirmed_fingerprint(ada, cluster_factory):
    node = cluster_factory().publisher
    text = ada.get(page("show_node", node.pk)).content.decode()
    assert "AB:<wbr>AB" in text


def test_second_editor_of_a_node_is_told(ada, cluster_factory):
    node = cluster_factory().publisher
    url, typed = page("edit_node", node.pk), TYPED | {"role": "publisher"}
    ada.post(url, typed | {"revision": 1})
    answer = ada.post(url, typed | {"revision": 1, "sip_port": 5070})
    assert answer.context["form"].conflict


def test_certificate_page_shows_what_the_node_presents(ada, cluster_factory, presented):
    node = cluster_factory().publisher
    text = ada.get(page("certificate", node.pk)).content.decode()
    assert "AB:<wbr>AB" in text
    assert "CD:<wbr>CD" in text and "2034-01-01" in text


def test_certificate_page_says_why_a_node_does_not_answer(ada, cluster_factory):
    node = cluster_factory().publisher
    with patch.object(certificates, "present_certificate", autospec=True) as requested:
        requested.side_effect = WireError(Code.TIMEOUT, node="pub")
        answer = ada.get(page("certificate", node.pk))
    assert answer.context["error"].code == Code.TIMEOUT
    assert answer.context["error"].message in answer.content.decode()


def test_confirmed_certificate_is_pinned(ada, cluster_factory, presented):
    node = cluster_factory().publisher
    answer = ada.post(page("trust", node.pk), {"fingerprint": "cd" * 32})
    assert answer.url == node.cluster.get_absolute_url()
    assert Node.objects.get(pk=node.pk).certificate_fingerprint == "cd" * 32


def test_confirming_leads_on_to_the_next_node_that_waits(
    ada, cluster_factory, presented
):
    cluster = cluster_factory()
    ada.post(page("add_node", cluster.pk), TYPED)
    answer = ada.post(page("trust", cluster.publisher.pk), {"fingerprint": "cd" * 32})
    assert answer.url == page("certificate", cluster.nodes.get(role="subscriber").pk)


def test_another_certificate_than_the_shown_one_is_not_pinned(
    ada, cluster_factory, presented
):
    node = cluster_factory().publisher
    answer = ada.post(page("trust", node.pk), {"fingerprint": "ef" * 32}, follow=True)
    assert answer.redirect_chain == [(page("certificate", node.pk), 302)]
    assert [one.level_tag for one in answer.context["messages"]] == ["error"]
    assert Node.objects.get(pk=node.pk).certificate_fingerprint == "ab" * 32


def test_operator_may_look_at_a_certificate_but_not_confirm_it(
    operator, client_of, cluster_factory, presented
):
    otto, node = client_of(operator), cluster_factory().publisher
    assert otto.get(page("certificate", node.pk)).status_code == 200
    assert otto.post(page("trust", node.pk)).status_code == 403


def test_viewer_may_see_a_node_but_asks_none(viewer, client_of, cluster_factory):
    vera, node = client_of(viewer), cluster_factory().publisher
    assert vera.get(page("show_node", node.pk)).status_code == 200
    assert vera.get(page("certificate", node.pk)).status_code == 403


@pytest.mark.parametrize(
    ("reached", "name"), [("", "10.9.9.3"), ("ab" * 32, "10.9.9.2")]
)
def test_a_mistyped_address_goes_from_the_name_too_until_the_node_was_reached(
    ada, cluster_factory, reached, name
):
    mistyped = {"name": "10.9.9.2", "address": "10.9.9.2", "role": "subscriber"}
    node = Node.objects.create(
        cluster=cluster_factory(), certificate_fingerprint=reached, **mistyped
    )
    typed = TYPED | mistyped | {"address": "10.9.9.3", "revision": 1}
    ada.post(page("edit_node", node.pk), typed)
    assert Node.objects.get(pk=node.pk).name == name


def test_a_host_name_stays_when_the_node_is_dialled_by_ip_address(cluster_factory):
    named = {"name": "sub.example.com", "address": "sub.example.com"}
    node = Node.objects.create(cluster=cluster_factory(), role="subscriber", **named)
    node.address = "10.9.9.2"
    editing.save_node(node, CONSOLE, fields=["address"])
    node.refresh_from_db()
    assert (node.name, node.address) == ("sub.example.com", "10.9.9.2")


def test_a_mistyped_address_goes_from_the_name_over_rest_too(
    api, administrator, cluster_factory
):
    twin = {"name": "10.9.9.2", "address": "10.9.9.2", "role": "subscriber"}
    node = Node.objects.create(cluster=cluster_factory(), **twin)
    url, client = f"/api/v1/nodes/{node.pk}/", api(administrator)
    etag = client.get(url)["ETag"]
    made = client.patch(url, {"address": "10.9.9.3"}, HTTP_IF_MATCH=etag).json()
    assert (made["name"], made["address"]) == ("10.9.9.3", "10.9.9.3")


def test_the_account_of_a_new_cluster_is_tried_when_its_publisher_is_confirmed(
    ada, cluster_factory, presented
):
    node = cluster_factory().publisher
    Cluster.objects.update(version="")
    ada.post(page("trust", node.pk), {"fingerprint": "cd" * 32})
    assert Job.objects.get().kind == "discover-cluster"
