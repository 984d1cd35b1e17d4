from unittest.mock import patch

import pytest

from clusters import certificates
from clusters.models import Node
from tests.clusters.test_nodes import PRESENTED
from wire import Code, WireError

LIST = "/api/v1/nodes/"


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


@pytest.fixture
def presented():
    with patch.object(
        certificates, "present_certificate", autospec=True, return_value=PRESENTED
    ) as requested:
        yield requested


def url(node, action=""):
    return f"{LIST}{node.pk}/{action}"


def sub(cluster):
    return {
        "cluster": str(cluster.pk),
        "name": "SUB.example.com",
        "address": "10.9.9.2",
        "role": "subscriber",
    }


def test_created_node_has_the_fields_of_the_contract(ada, cluster_factory):
    answer = ada.post(LIST, sub(cluster_factory()))
    assert answer.status_code == 201
    reported = answer.json()
    del reported["id"], reported["cluster"]
    assert reported == {
        "name": "sub.example.com",
        "address": "10.9.9.2",
        "role": "subscriber",
        "axl_port": 8443,
        "sip_port": 5060,
        "sip_tls_port": 5061,
        "sip_peer_tls_port": 5062,
        "certificate_fingerprint": "",
        "certificate_state": "unknown",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "https://10.1.1.1"),
        ("address", 127),
        ("name", "a b"),
        ("role", "publisher"),
        ("axl_port", 0),
        ("axl_port", 10**30),
        ("cluster", "nonsense"),
    ],
)
def test_bad_value_is_a_400_with_its_field(ada, cluster_factory, field, value):
    answer = ada.post(LIST, sub(cluster_factory()) | {field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_fingerprint_cannot_be_written(ada, cluster_factory):
    body = sub(cluster_factory()) | {
        "certificate_fingerprint": "ef" * 32,
        "certificate_state": "trusted",
    }
    assert ada.post(LIST, body).json()["certificate_state"] == "unknown"


def test_nodes_are_filtered_by_cluster_and_role(ada, cluster_factory):
    madrid = cluster_factory()
    cluster_factory()
    ada.post(LIST, sub(madrid))
    query = {"cluster": madrid.pk, "role": "publisher"}
    (found,) = ada.get(LIST, query).json()["results"]
    assert found["id"] == str(madrid.publisher.pk)


def test_patch_changes_a_port(ada, cluster_factory):
    node = cluster_factory().publisher
    answer = ada.patch(url(node), {"sip_port": 5070}, HTTP_IF_MATCH=node.etag)
    assert (answer.status_code, answer.json()["sip_port"]) == (200, 5070)
    assert answer["ETag"] == Node.objects.get().etag


def test_node_cannot_move_to_another_cluster(ada, cluster_factory):
    node, other = cluster_factory().publisher, cluster_factory()
    answer = ada.patch(url(node), {"cluster": other.pk}, HTTP_IF_MATCH=node.etag)
    assert list(answer.json()["errors"]) == ["cluster"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_edit_without_if_match_is_a_428(ada, cluster_factory, method):
    assert getattr(ada, method)(url(cluster_factory().publisher)).status_code == 428


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_edit_of_what_was_changed_meanwhile_is_a_412(ada, cluster_factory, method):
    node = cluster_factory().publisher
    Node.objects.update(revision=7)
    answer = getattr(ada, method)(url(node), {}, HTTP_IF_MATCH=node.etag)
    assert answer.status_code == 412


def test_delete_is_a_204(ada, cluster_factory):
    node = cluster_factory().publisher
    assert ada.delete(url(node), HTTP_IF_MATCH=node.etag).status_code == 204
    assert not Node.objects.exists()


def test_certificate_is_what_the_node_presents_now(ada, cluster_factory, presented):
    answer = ada.get(url(cluster_factory().publisher, "certificate/"))
    assert answer.status_code == 200
    assert answer.json()["subject"] == "CN=sub.example.com"
    assert answer.json()["not_after"] == "2034-01-01T00:00:00Z"
    assert answer.json()["fingerprint"] == "cd" * 32


def test_silent_node_is_a_conflict_that_says_why(ada, cluster_factory):
    node = cluster_factory().publisher
    with patch.object(certificates, "present_certificate", autospec=True) as requested:
        requested.side_effect = WireError(Code.TIMEOUT, node="pub")
        answer = ada.get(url(node, "certificate/"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "timeout"
    assert answer.json()["detail"].startswith("pub ")


def test_trust_pins_the_certificate(ada, cluster_factory, presented):
    node = cluster_factory().publisher
    displayed = ":".join(["CD"] * 32)
    answer = ada.post(url(node, "trust/"), {"fingerprint": displayed})
    assert answer.status_code == 200
    assert answer.json()["certificate_fingerprint"] == "cd" * 32
    assert answer.json()["certificate_state"] == "trusted"
    assert answer["ETag"] == Node.objects.get().etag


def test_trust_of_another_certificate_is_a_409(ada, cluster_factory, presented):
    node = cluster_factory().publisher
    answer = ada.post(url(node, "trust/"), {"fingerprint": "ef" * 32})
    assert answer.status_code == 409
    assert Node.objects.get().certificate_fingerprint == "ab" * 32


@pytest.mark.parametrize("body", [{}, {"fingerprint": "abc"}, {"fingerprint": None}])
def test_trust_of_nonsense_is_a_400(ada, cluster_factory, body):
    answer = ada.post(url(cluster_factory().publisher, "trust/"), body)
    assert answer.status_code == 400


def test_viewer_reads_but_asks_no_node(viewer, api, cluster_factory):
    vera, node = api(viewer), cluster_factory().publisher
    assert vera.get(url(node)).status_code == 200
    assert vera.get(url(node, "certificate/")).status_code == 403


def test_operator_looks_but_does_not_trust(operator, api, cluster_factory, presented):
    otto, node = api(operator), cluster_factory().publisher
    assert otto.get(url(node, "certificate/")).status_code == 200
    assert otto.post(url(node, "trust/"), {"fingerprint": "cd" * 32}).status_code == 403


def test_a_node_that_is_there_already_is_a_conflict_that_names_it(ada, cluster_factory):
    body = sub(cluster_factory())
    made = ada.post(LIST, body).json()
    again = ada.post(LIST, body)
    assert (again.status_code, again.json()["existing"]) == (409, made["id"])
