"""REST twins of import and export."""

import pytest

from accounts import users
from accounts.models import AuditEntry
from clusters.models import Cluster
from jobs.models import Job
from peers.imports import uploads
from peers.models import Peer, Upload
from tests.peers.test_imports import BOTH, CLUSTERS, PEERS

API = "/api/v1/imports/"
EXPORTS = "/api/v1/exports/"
SECRET = "open sesame"


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


@pytest.fixture
def madrid(cluster_factory):
    madrid = cluster_factory("Madrid")
    madrid.nodes.update(name="madrid-pub.example.com")
    return madrid


def send(client, **body):
    return client.post(API, body)


def test_preview_changes_nothing_and_shows_no_password(ada, madrid):
    answer = send(ada, format="csv", content=CLUSTERS)
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert found["counts"] == {
        "add": 1,
        "change": 0,
        "nothing": 0,
        "errors": 0,
        "warnings": 0,
    }
    (entry,) = found["entries"]
    label = (entry["kind"], entry["label"], entry["action"])
    assert label == ("cluster", "Rome", "add")
    assert SECRET not in answer.content.decode()
    assert Cluster.objects.count() == 1
    assert ada.get(answer["Location"]).json() == found


def test_a_file_is_imported_with_the_entries_of_the_page(ada, madrid):
    pk = send(ada, format="yaml", content=BOTH).json()["id"]
    answer = ada.post(f"{API}{pk}/apply/")
    assert answer.status_code == 200, answer.content
    assert answer.json()["id"] == pk
    assert Cluster.objects.filter(name="Rome").exists()
    assert Peer.objects.count() == 2
    assert AuditEntry.objects.filter(actor="ada", action="add cluster").exists()
    assert SECRET not in answer.content.decode()
    assert ada.get(f"{API}{pk}/").status_code == 404
    assert ada.post(f"{API}{pk}/apply/").status_code == 404


def test_what_is_exported_changes_nothing_when_imported(ada, madrid, peer_factory):
    rome = ada.post(API, {"format": "csv", "content": CLUSTERS}).json()["id"]
    ada.post(f"{API}{rome}/apply/")
    peer_factory(madrid, Cluster.objects.get(name="Rome"))
    document = ada.get(EXPORTS).json()
    assert {row["name"] for row in document["clusters"]} == {"Madrid", "Rome"}
    assert len(document["peers"]) == 1
    assert SECRET not in str(document)
    found = send(ada, document=document).json()
    assert found["counts"]["nothing"] == 3
    document["clusters"][1]["description"] = "Ünicode 😀 'quoted' \\ {\"a\": 1}"
    pk = send(ada, document=document).json()["id"]
    assert ada.post(f"{API}{pk}/apply/").json()["counts"]["change"] == 1
    changed = Cluster.objects.get(name=document["clusters"][1]["name"])
    assert changed.description == document["clusters"][1]["description"]


def test_nothing_is_imported_where_an_entry_is_wrong(ada, madrid):
    pk = send(ada, format="csv", content=PEERS.replace("Madrid", "Oslo")).json()["id"]
    answer = ada.post(f"{API}{pk}/apply/")
    assert (answer.status_code, answer.json()["code"]) == (409, "entry_errors")
    assert answer.json()["entries"][0]["errors"]
    assert not Peer.objects.exists()
    assert ada.get(f"{API}{pk}/").json()["counts"]["errors"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({"content": CLUSTERS}, "format"),
        ({"content": CLUSTERS, "format": "xlsx"}, "format"),
        ({"content": CLUSTERS, "format": "csv", "document": {}}, "content"),
        ({"content": "name;nonsense", "format": "csv"}, "content"),
        ({"content": "a: &b 1", "format": "yaml"}, "content"),
        ({"document": {"cluster": []}}, "document"),
        ({"document": {"clusters": []}}, "document"),
        ({"document": {"clusters": {}}}, "document"),
        ({"document": {"clusters": [{"name": ["x"]}]}}, "document"),
    ],
)
def test_what_is_no_file_is_refused(ada, body, field):
    answer = send(ada, **body)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not Upload.objects.exists()


def test_a_long_file_is_imported_by_a_job(ada, madrid, monkeypatch):
    monkeypatch.setattr(uploads, "SOON", 0)
    pk = send(ada, format="csv", content=CLUSTERS).json()["id"]
    answer = ada.post(f"{API}{pk}/apply/")
    assert answer.status_code == 202
    assert Job.objects.get(kind="import-file").pk.hex in answer["Location"].replace(
        "-", ""
    )
    assert ada.post(f"{API}{pk}/apply/").status_code == 409


def test_a_file_is_there_for_its_owner_only(ada, madrid, django_user_model, api):
    from accounts.roles import Role
    from tests.conftest import person

    pk = send(ada, format="csv", content=CLUSTERS).json()["id"]
    other = api(person("olga", Role.ADMINISTRATOR))
    assert other.get(f"{API}{pk}/").status_code == 404
    assert other.post(f"{API}{pk}/apply/").status_code == 404


def test_who_is_limited_imports_and_exports_no_other_cluster(
    ada, administrator, madrid, cluster_factory, api
):
    oslo = cluster_factory("Oslo")
    users.limit_user(administrator, [str(oslo.pk)])
    assert [row["name"] for row in ada.get(EXPORTS).json()["clusters"]] == ["Oslo"]
    found = send(ada, format="csv", content=PEERS).json()
    assert found["counts"]["errors"] == 1


def test_others_import_nothing(viewer, operator, api):
    for user in (viewer, operator):
        assert send(api(user), format="csv", content=CLUSTERS).status_code == 403
    assert api(viewer).get(EXPORTS).status_code == 200
