import pytest

from accounts.models import AuditEntry
from clusters.models import Cluster
from jobs.models import Job
from peers.models import Peer

LIST = "/api/v1/clusters/"
MADRID = {
    "name": "Madrid",
    "domain": "example.com",
    "axl_username": "axladmin",
    "axl_password": " open sesame ",
    "provisioning": "direct",
}
FIELDS = {
    "id",
    "name",
    "domain",
    "address_scheme",
    "inferred_scheme",
    "canary",
    "canary_watcher",
    "presence_username",
    "presence_password_set",
    "presence_port",
    "description",
    "site",
    "site_warning",
    "generation",
    "version",
    "axl_username",
    "axl_password_set",
    "peer_table_state",
    "peering_password_set",
    "pages_username",
    "pages_password_set",
    "pages_port",
    "os_username",
    "os_password_set",
    "peering_username",
    "provisioning",
    "tls_mode",
    "ca_certificate",
    "legacy_tls",
    "peer_table",
    "nodes",
    "health",
    "checked_at",
}


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


def url(cluster, action=""):
    return f"{LIST}{cluster.pk}/{action}"


def test_created_cluster_has_the_fields_of_the_contract(ada):
    answer = ada.post(LIST, MADRID)
    assert answer.status_code == 201
    assert set(answer.json()) == FIELDS
    assert answer["Location"].endswith(f"/api/v1/clusters/{answer.json()['id']}/")
    assert answer["ETag"] == Cluster.objects.get().etag


def test_password_is_written_and_never_read(ada):
    answer = ada.post(LIST, MADRID)
    assert answer.json()["axl_password_set"] is True
    assert "axl_password" not in answer.json()
    assert Cluster.objects.get().unseal("axl_password").reveal() == " open sesame "


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("axl_password", ""),
        ("axl_username", "a\tb"),
        ("provisioning", "magic"),
        ("tls_mode", "ca"),
        ("ca_certificate", "no PEM"),
        ("peer_table", {"table": "x; drop table"}),
        ("site", "two words"),
    ],
)
def test_bad_value_is_a_400_with_its_field(ada, field, value):
    answer = ada.post(LIST, MADRID | {field: value})
    assert answer.status_code == 400
    named = "ca_certificate" if field == "tls_mode" else field
    assert list(answer.json()["errors"]) == [named]
    assert answer["Content-Type"] == "application/problem+json"


def test_missing_password_is_a_400(ada):
    short = {name: MADRID[name] for name in MADRID if name != "axl_password"}
    assert ada.post(LIST, short).json()["errors"].keys() == {"axl_password"}


def test_name_is_used_once(ada):
    ada.post(LIST, MADRID)
    assert ada.post(LIST, MADRID).json()["errors"].keys() == {"name"}


def test_peer_table_can_be_set_and_taken_back(ada):
    columns = {"address": "a", "username": "u", "password": "p", "protocol": "t"}
    table = {
        "table": "mypeers",
        "columns": columns | {"external_phone_number_mask": "m"},
        "protocol_values": {"TCP": "1", "UDP": "2", "TLS": "3"},
    }
    made = ada.post(LIST, MADRID | {"peer_table": table}).json()
    assert made["peer_table"] == table
    cluster = Cluster.objects.get()
    answer = ada.patch(url(cluster), {"peer_table": None}, HTTP_IF_MATCH=cluster.etag)
    assert answer.json()["peer_table"] is None


def test_list_is_paged_and_holds_the_nodes(ada, cluster_factory):
    cluster_factory("Oslo"), cluster_factory("Madrid")
    answer = ada.get(LIST, {"limit": 1}).json()
    assert answer["count"] == 2 and answer["next"]
    (madrid,) = answer["results"]
    assert madrid["name"] == "Madrid"
    assert [node["role"] for node in madrid["nodes"]] == ["publisher"]


def test_list_is_filtered_by_field_and_ordered(ada, cluster_factory):
    cluster_factory("Oslo", site="north"), cluster_factory("Rome", site="south")
    found = ada.get(LIST, {"site": "north"}).json()["results"]
    assert [cluster["name"] for cluster in found] == ["Oslo"]
    found = ada.get(LIST, {"ordering": "-name"}).json()["results"]
    assert [cluster["name"] for cluster in found] == ["Rome", "Oslo"]


@pytest.mark.parametrize("query", [{"axl_password": "x"}, {"ordering": "axl_password"}])
def test_undeclared_filter_or_order_is_a_400(ada, query):
    assert ada.get(LIST, query).status_code == 400


def test_queries_do_not_grow_with_the_clusters(
    ada, cluster_factory, django_assert_max_num_queries
):
    for _ in range(20):
        cluster_factory()
    ada.get(LIST)  # takes its share of the minute's requests
    with django_assert_max_num_queries(8):
        ada.get(LIST)


def test_one_cluster_comes_with_its_etag(ada, cluster_factory):
    cluster = cluster_factory()
    answer = ada.get(url(cluster))
    assert (answer.status_code, answer["ETag"]) == (200, cluster.etag)


def test_patch_changes_what_it_names(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    answer = ada.patch(url(cluster), {"site": "south"}, HTTP_IF_MATCH=cluster.etag)
    assert answer.status_code == 200 and answer.json()["site"] == "south"
    fresh = Cluster.objects.get()
    assert answer["ETag"] == fresh.etag != cluster.etag
    assert fresh.unseal("axl_password").reveal() == "open sesame"


def test_put_without_the_password_keeps_it(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    body = ada.get(url(cluster)).json() | {"description": "south"}
    answer = ada.put(url(cluster), body, HTTP_IF_MATCH=cluster.etag)
    assert answer.status_code == 200
    assert Cluster.objects.get().unseal("axl_password").reveal() == "open sesame"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_edit_without_if_match_is_a_428(ada, cluster_factory, method):
    assert getattr(ada, method)(url(cluster_factory()), {}).status_code == 428


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_edit_of_what_was_changed_meanwhile_is_a_412(ada, cluster_factory, method):
    cluster = cluster_factory()
    Cluster.objects.update(revision=7)
    answer = getattr(ada, method)(url(cluster), MADRID, HTTP_IF_MATCH=cluster.etag)
    assert answer.status_code == 412


def test_delete_takes_the_cluster_and_its_peers(ada, cluster_factory, peer_factory):
    madrid, oslo = cluster_factory(), cluster_factory()
    peer_factory(madrid, oslo)
    assert ada.delete(url(madrid), HTTP_IF_MATCH=madrid.etag).status_code == 204
    assert list(Cluster.objects.all()) == [oslo] and not Peer.objects.exists()


def test_delete_while_a_job_works_on_it_is_a_409(ada, cluster_factory):
    cluster = cluster_factory()
    ada.post(url(cluster, "discover/"))
    Job.objects.update(state=Job.State.RUNNING)
    answer = ada.delete(url(cluster), HTTP_IF_MATCH=cluster.etag)
    assert answer.status_code == 409
    assert answer.json()["job"] == str(Job.objects.get().pk)


@pytest.mark.parametrize("action", ["discover", "test"])
def test_action_is_a_202_with_its_job(ada, cluster_factory, action):
    answer = ada.post(url(cluster_factory(), f"{action}/"))
    assert answer.status_code == 202
    assert answer.json()["kind"] == f"{action}-cluster"
    assert answer["Location"].endswith(f"/api/v1/jobs/{answer.json()['id']}/")


@pytest.mark.parametrize("action", ["discover", "test"])
def test_action_that_goes_on_already_is_a_409(ada, cluster_factory, action):
    cluster = cluster_factory()
    ada.post(url(cluster, f"{action}/"))
    assert ada.post(url(cluster, f"{action}/")).status_code == 409


def test_same_idempotency_key_creates_one_cluster(ada):
    first = ada.post(LIST, MADRID, HTTP_IDEMPOTENCY_KEY="k1")
    second = ada.post(LIST, MADRID, HTTP_IDEMPOTENCY_KEY="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Cluster.objects.count() == 1


def test_viewer_reads_and_writes_nothing(viewer, api, cluster_factory):
    vera, cluster = api(viewer), cluster_factory()
    assert vera.get(LIST).status_code == 200
    assert vera.post(LIST, MADRID).status_code == 403
    assert vera.delete(url(cluster), HTTP_IF_MATCH=cluster.etag).status_code == 403
    assert vera.post(url(cluster, "test/")).status_code == 403


def test_operator_tests_but_does_not_discover(operator, api, cluster_factory):
    otto, cluster = api(operator), cluster_factory()
    assert otto.post(url(cluster, "test/")).status_code == 202
    assert otto.post(url(cluster, "discover/")).status_code == 403


def test_without_a_token_there_is_no_answer(client, db):
    assert client.get(LIST).status_code == 401


def test_a_cluster_that_is_there_already_is_a_conflict_that_names_it(ada):
    made = ada.post(LIST, MADRID).json()
    again = ada.post(LIST, {**MADRID, "name": f" {MADRID['name']} "})
    assert again.status_code == 409
    assert again.json()["existing"] == made["id"]
    assert "name" in again.json()["errors"]
    assert Cluster.objects.count() == 1


def test_a_cluster_that_is_there_and_wrong_besides_is_an_error(ada):
    ada.post(LIST, MADRID)
    again = ada.post(LIST, {**MADRID, "tls_mode": "none"})
    assert again.status_code == 400
    assert {"name", "tls_mode"} <= set(again.json()["errors"])


@pytest.mark.parametrize("missing", ["pages_username", "pages_password"])
def test_pages_need_an_account(ada, missing):
    account = {"pages_username": "administrator", "pages_password": "x"}
    body = MADRID | {"provisioning": "pages"} | account
    del body[missing]
    answer = ada.post(LIST, body)
    assert (answer.status_code, [*answer.json()["errors"]]) == (400, [missing])


def test_pages_keep_their_password_when_the_user_changes(ada):
    account = {"pages_username": "administrator", "pages_password": "x"}
    ada.post(LIST, MADRID | {"provisioning": "pages"} | account)
    cluster = Cluster.objects.get()
    body = {"pages_username": "other"}
    assert ada.patch(url(cluster), body, HTTP_IF_MATCH=cluster.etag).status_code == 200


OS = {"os_username": "osadmin", "os_password": "open sesame os"}


@pytest.mark.parametrize("missing", OS)
def test_an_os_administrator_has_a_password_or_is_not_entered(ada, missing):
    body = {name: value for name, value in OS.items() if name != missing}
    answer = ada.post(LIST, MADRID | body)
    assert (answer.status_code, [*answer.json()["errors"]]) == (400, [missing])


def test_an_os_administrator_is_sealed_and_only_written(ada):
    answer = ada.post(LIST, MADRID | OS)
    assert answer.status_code == 201
    shown = ada.get(answer["Location"]).json()
    assert (shown["os_username"], shown["os_password_set"]) == ("osadmin", True)
    assert "os_password" not in shown
    assert "open sesame os" not in answer.content.decode()
    cluster = Cluster.objects.get()
    assert "open sesame os" not in cluster.os_password
    assert cluster.unseal("os_password").reveal() == "open sesame os"
    entry = AuditEntry.objects.filter(object_id=str(cluster.pk)).first()
    assert entry.changes["os_password"] == [None, "changed"]
    body = {"os_username": "other"}
    assert ada.patch(url(cluster), body, HTTP_IF_MATCH=cluster.etag).status_code == 200
    assert Cluster.objects.get().unseal("os_password").reveal() == "open sesame os"


def test_a_cluster_without_an_account_cannot_change_to_pages(ada):
    ada.post(LIST, MADRID)
    cluster = Cluster.objects.get()
    body = {"provisioning": "pages"}
    answer = ada.patch(url(cluster), body, HTTP_IF_MATCH=cluster.etag)
    assert answer.json()["errors"].keys() == {"pages_password", "pages_username"}
