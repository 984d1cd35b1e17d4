import pytest
from django.utils import timezone

from jobs.models import Job
from peers import rules
from peers.models import Peer

LIST = "/api/v1/peers/"
FIELDS = {
    "id",
    "cluster",
    "remote_cluster",
    "address",
    "username",
    "password_set",
    "evidence",
    "cluster_status",
    "protocol",
    "external_phone_number_mask",
    "provisioning_state",
    "drift",
    "associated_users",
    "remote_users",
    "status",
    "created_at",
    "updated_at",
}
APPLIED = {"provisioning_state": "applied", "applied_address": "10.0.0.1"}


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


@pytest.fixture
def madrid(cluster_factory):
    return cluster_factory("Madrid", user_sync="Completed")


@pytest.fixture
def oslo(cluster_factory):
    return cluster_factory("Oslo", user_sync="Completed")


@pytest.fixture
def body(madrid, oslo):
    return {
        "cluster": str(madrid.pk),
        "address": oslo.publisher.name,
        "username": "icuser",
        "password": "s3cret",
        "protocol": "TLS",
        "external_phone_number_mask": "+47XXXXXX",
    }


@pytest.fixture
def peer(madrid, oslo, peer_factory):
    return peer_factory(madrid, oslo)


def url(peer, action=""):
    return f"{LIST}{peer.pk}/{action}"


def test_created_peer_has_the_fields_of_the_contract_and_its_job(ada, body, oslo):
    answer = ada.post(LIST, body)
    reported = answer.json()
    assert answer.status_code == 201
    assert set(reported) == FIELDS | {"job", "warnings"}
    assert reported["remote_cluster"] == str(oslo.pk)
    assert reported["provisioning_state"] == "pending"
    assert reported["job"] == str(Job.objects.get(kind="provision-peer").pk)
    assert answer["ETag"] == Peer.objects.get().etag


def test_password_is_written_and_never_read(ada, body):
    reported = ada.post(LIST, body).json()
    assert reported["password_set"] is True
    assert "s3cret" not in str(reported)
    assert Peer.objects.get().unseal("password").reveal() == "s3cret"


def test_protocol_is_tcp_unless_said_otherwise(ada, body):
    del body["protocol"], body["external_phone_number_mask"]
    assert ada.post(LIST, body).json()["protocol"] == "TCP"


def test_warnings_name_a_protocol_that_differs(ada, body, madrid, oslo, peer_factory):
    peer_factory(oslo, madrid, protocol="UDP")
    warnings = ada.post(LIST, body).json()["warnings"]
    broken = rules.peer_warnings(Peer.objects.get(cluster=madrid))
    assert broken.keys() == {"same-protocol"}
    assert warnings == [*broken.values()]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "sip:10.1.1.1"),
        ("address", "fe80::1%eth0"),
        ("address", ["10.1.1.1"]),
        ("username", ""),
        ("password", ""),
        ("password", "a\u0007b"),
        ("protocol", "tcp"),
        ("external_phone_number_mask", "X1X"),
        ("external_phone_number_mask", "1" * 40),
        ("cluster", None),
        ("cluster", "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_bad_value_is_a_400_with_its_field(ada, body, field, value):
    answer = ada.post(LIST, body | {field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_node_of_the_home_cluster_is_a_400(ada, body, madrid):
    answer = ada.post(LIST, body | {"address": madrid.publisher.address})
    assert list(answer.json()["errors"]) == ["address"]


def test_duplicate_is_a_400(ada, body):
    ada.post(LIST, body)
    assert list(ada.post(LIST, body).json()["errors"]) == ["address"]


def test_status_tells_the_last_check(ada, peer):
    entry = {
        "code": "connect",
        "label": "The peer answers.",
        "outcome": "passed",
        "problem": "",
        "solution": "",
        "duration_ms": 3.5,
    }
    now = timezone.now()
    Peer.objects.update(outcome="passed", checked_at=now, entries=[entry])
    status = ada.get(url(peer)).json()["status"]
    assert status["outcome"] == "passed" and status["entries"] == [entry]
    assert status["checked_at"].endswith("Z")


def test_peer_that_was_never_checked_is_unknown(ada, peer):
    status = ada.get(url(peer)).json()["status"]
    assert status == {"outcome": "unknown", "checked_at": None, "entries": []}


@pytest.mark.parametrize(
    ("query", "n"),
    [
        ({"address": "127.66.2.1"}, 1),
        ({"protocol": "UDP"}, 0),
        ({"outcome": "unknown"}, 1),
        ({"remote_cluster__isnull": "true"}, 0),
    ],
)
def test_list_is_filtered_by_field(ada, peer, query, n):
    assert ada.get(LIST, query).json()["count"] == n


@pytest.mark.parametrize("query", [{"password": "x"}, {"ordering": "password"}])
def test_undeclared_filter_or_order_is_a_400(ada, peer, query):
    assert ada.get(LIST, query).status_code == 400


def test_patch_provisions_again(ada, peer):
    answer = ada.patch(url(peer), {"protocol": "UDP"}, HTTP_IF_MATCH=peer.etag)
    assert answer.status_code == 200
    assert answer.json()["job"] == str(Job.objects.get().pk)
    assert answer["ETag"] == Peer.objects.get().etag != peer.etag


def test_patch_without_a_change_starts_no_job(ada, peer):
    answer = ada.patch(url(peer), {"protocol": "TCP"}, HTTP_IF_MATCH=peer.etag)
    assert (answer.status_code, answer.json()["job"]) == (200, None)
    assert not Job.objects.exists()


def test_put_without_the_password_keeps_it(ada, peer):
    read = ada.get(url(peer)).json() | {"username": "other"}
    assert ada.put(url(peer), read, HTTP_IF_MATCH=peer.etag).status_code == 200
    assert Peer.objects.get().username == "other"
    assert Peer.objects.get().unseal("password").reveal() == "open sesame"


def test_peer_cannot_move_to_another_cluster(ada, peer, oslo):
    answer = ada.patch(url(peer), {"cluster": oslo.pk}, HTTP_IF_MATCH=peer.etag)
    assert list(answer.json()["errors"]) == ["cluster"]


def test_edit_while_a_job_works_on_it_is_a_409(ada, peer):
    ada.patch(url(peer), {"protocol": "UDP"}, HTTP_IF_MATCH=peer.etag)
    Job.objects.update(state=Job.State.RUNNING)
    peer.refresh_from_db()
    answer = ada.patch(url(peer), {"protocol": "TLS"}, HTTP_IF_MATCH=peer.etag)
    assert answer.status_code == 409
    assert Peer.objects.get().protocol == "UDP"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_edit_without_if_match_is_a_428(ada, peer, method):
    assert getattr(ada, method)(url(peer), {}).status_code == 428


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_edit_of_what_was_changed_meanwhile_is_a_412(ada, peer, method):
    Peer.objects.update(revision=7)
    answer = getattr(ada, method)(url(peer), {}, HTTP_IF_MATCH=peer.etag)
    assert answer.status_code == 412


def test_the_second_of_two_editors_is_shown_the_difference(ada, peer):
    Peer.objects.update(revision=7, protocol="TLS")
    sent = {"protocol": "UDP", "username": peer.username, "password": "s3cret"}
    answer = ada.patch(url(peer), sent, HTTP_IF_MATCH=peer.etag)
    assert answer.json()["differences"] == {
        "protocol": {"current": "TLS", "yours": "UDP"}
    }
    assert answer.json()["etag"] == Peer.objects.get().etag
    assert "s3cret" not in answer.content.decode()


def test_what_cannot_be_read_is_a_412_all_the_same(ada, peer):
    Peer.objects.update(revision=7)
    sent = {"data": "{", "content_type": "application/json"}
    answer = ada.patch(url(peer), **sent, HTTP_IF_MATCH=peer.etag)
    assert answer.status_code == 412


def test_delete_of_a_peer_on_its_cluster_is_a_202_with_its_job(ada, peer):
    Peer.objects.update(**APPLIED)
    answer = ada.delete(url(peer), HTTP_IF_MATCH=peer.etag)
    assert answer.status_code == 202
    assert answer.json()["kind"] == "remove-peer"
    assert answer["Location"].endswith(f"/{answer.json()['id']}/")


def test_delete_of_a_peer_that_no_cluster_has_is_a_204(ada, peer):
    assert ada.delete(url(peer), HTTP_IF_MATCH=peer.etag).status_code == 204
    assert not Peer.objects.exists()


def test_delete_of_both_sides_is_one_job(ada, peer, madrid, oslo, peer_factory):
    back = peer_factory(oslo, madrid)
    Peer.objects.update(**APPLIED)
    ada.delete(url(peer) + "?both_sides=true", HTTP_IF_MATCH=peer.etag)
    assert Job.objects.get().arguments["peers"] == [str(peer.pk), str(back.pk)]


def test_forgotten_peer_is_a_204_and_stays_on_its_cluster(ada, peer):
    Peer.objects.update(**APPLIED)
    answer = ada.delete(url(peer) + "?forget=true", HTTP_IF_MATCH=peer.etag)
    assert answer.status_code == 204
    assert not Job.objects.exists() and not Peer.objects.exists()


def test_delete_with_an_unclear_flag_is_a_400(ada, peer):
    answer = ada.delete(url(peer) + "?forget=maybe", HTTP_IF_MATCH=peer.etag)
    assert answer.status_code == 400
    assert Peer.objects.exists()


def test_resync_is_a_202_with_the_job_that_restarts_the_agent(ada, peer):
    answer = ada.post(url(peer, "resync/"))
    assert (answer.status_code, answer.json()["kind"]) == (202, "control-services")


def test_resync_twice_is_a_409(ada, peer):
    ada.post(url(peer, "resync/"))
    assert ada.post(url(peer, "resync/")).status_code == 409


def test_resync_without_a_publisher_is_a_409(ada, peer, madrid):
    madrid.nodes.all().delete()
    assert ada.post(url(peer, "resync/")).status_code == 409


def test_same_idempotency_key_creates_one_peer_and_one_job(ada, body):
    first = ada.post(LIST, body, HTTP_IDEMPOTENCY_KEY="k1")
    second = ada.post(LIST, body, HTTP_IDEMPOTENCY_KEY="k1")
    assert first.json() == second.json()
    assert Peer.objects.count() == Job.objects.count() == 1


def test_operator_resyncs_but_changes_nothing(operator, api, peer, body):
    otto = api(operator)
    assert otto.post(url(peer, "resync/")).status_code == 202
    assert otto.post(LIST, body).status_code == 403
    assert otto.delete(url(peer), HTTP_IF_MATCH=peer.etag).status_code == 403


def test_viewer_reads_and_does_nothing(viewer, api, peer):
    vera = api(viewer)
    assert vera.get(LIST).json()["count"] == 1
    assert vera.post(url(peer, "resync/")).status_code == 403


def test_a_list_shows_each_peer_as_its_own_page_does(
    viewer, api, cluster_factory, peer_factory
):
    home, remote = cluster_factory("berlin"), cluster_factory("vienna")
    peers = [peer_factory(home, remote), peer_factory(remote, home)]
    peers.append(peer_factory(home, cluster_factory("rome")))
    entry = {"code": "address", "label": "Ü", "outcome": "passed", "duration_ms": 1.5}
    for checked_at in (timezone.now(), timezone.now().replace(microsecond=0)):
        peer = peers.pop()
        Peer.objects.filter(pk=peer.pk).update(
            checked_at=checked_at,
            outcome="passed",
            entries=[entry],
            remote_users=0,
            provisioning_state="applied",
            drift={"username": "other", "address": "moved.example.net"},
        )
    Peer.objects.filter(pk=peer.pk).update(password="", remote_cluster=None)
    client = api(viewer)
    listed = client.get("/api/v1/peers/").json()["results"]
    assert len(listed) == 3
    for row in listed:
        alone = client.get(f"/api/v1/peers/{row['id']}/").json()
        assert row == alone
        assert list(row) == list(alone)


def test_a_peer_that_is_there_already_is_a_conflict_that_names_it(
    administrator, api, cluster_factory
):
    home, remote = cluster_factory(), cluster_factory()
    body = {"cluster": str(home.pk), "address": remote.publisher.address}
    body |= {"username": "icuser", "password": "open sesame"}
    client = api(administrator)
    made = client.post(LIST, body).json()
    again = client.post(LIST, body)
    assert (again.status_code, again.json()["existing"]) == (409, made["id"])
    assert Peer.objects.count() == Job.objects.count() == 1
