import pytest

from directory.models import Snapshot
from tests.directory.conftest import of

ROOT = "/api/v1/directory/"


@pytest.fixture
def differing(pair, has):
    home, remote, peer = pair
    has(home, *of(home, "ada"), *of(remote, "bob", "old"))
    has(remote, *of(remote, "bob", "new", "ADA", number="6640"))
    return peer


def test_comparison_names_who_differs(differing, api, viewer):
    answer = api(viewer).get(f"{ROOT}comparison/", {"peer": str(differing.pk)})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["home_count"], body["remote_count"]) == (2, 3)
    assert [one["userid"] for one in body["missing"]] == ["ADA", "new"]
    assert [one["userid"] for one in body["extra"]] == ["old"]
    assert body["peer"] == str(differing.pk)


def test_the_lists_are_paged_together(differing, api, viewer):
    client = api(viewer)
    query = {"peer": str(differing.pk), "limit": 1}
    first = client.get(f"{ROOT}comparison/", query).json()
    second = client.get(first["next"]).json()
    pages = [[one["userid"] for one in page["missing"]] for page in (first, second)]
    assert pages == [["ADA"], ["new"]]
    assert first["counts"] == {"missing": 2, "extra": 1, "elsewhere": 1}
    assert second["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"peer": "x"},
        {"peer": "00000000-0000-0000-0000-000000000000"},
        {"peer": "\0"},
        {"limit": "-1"},
        {"who": "bob"},
    ],
)
def test_a_comparison_of_nothing_is_a_400(differing, api, viewer, query):
    defaults = {"peer": str(differing.pk)} if set(query) & {"limit", "who"} else {}
    answer = api(viewer).get(f"{ROOT}comparison/", defaults | query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_what_was_never_read_is_a_409(pair, has, api, viewer):
    home, _, peer = pair
    has(home)
    answer = api(viewer).get(f"{ROOT}comparison/", {"peer": str(peer.pk)})
    assert answer.status_code == 409
    assert "bergen" in answer.json()["detail"]


def test_duplicates_name_their_clusters(differing, api, viewer):
    body = api(viewer).get(f"{ROOT}duplicates/").json()
    home, remote = differing.cluster, differing.remote_cluster
    kinds = {one["kind"] for one in body["results"]}
    assert kinds == {"userid", "directory_uri", "mail_id"}
    assert set(body["results"][0]["clusters"]) == {str(home.pk), str(remote.pk)}


def test_duplicates_are_filtered(differing, api, viewer):
    client = api(viewer)
    query = {"kind": "userid", "search": "AD", "cluster": str(differing.cluster.pk)}
    assert client.get(f"{ROOT}duplicates/", query).json()["count"] == 1
    assert client.get(f"{ROOT}duplicates/", {"search": "zz"}).json()["count"] == 0
    assert client.get(f"{ROOT}duplicates/", {"kind": "x"}).status_code == 400


def test_locate_tells_home_copies_and_addresses(differing, api, viewer):
    differing.external_phone_number_mask = "+1408902XXXX"
    differing.save()
    body = api(viewer).get(f"{ROOT}locate/", {"user": "sip:bob@example.com"}).json()
    remote = differing.remote_cluster
    assert body["userid"] == "bob"
    assert body["home_cluster"] == str(remote.pk)
    assert body["node"] == str(remote.publisher.pk)
    assert body["seen_on"] == [str(differing.cluster.pk)]
    assert body["rewritten_uri"] == f"sip:bob@{remote.publisher.name}"
    assert (body["number"], body["masked_number"]) == ("6640", "+14089026640")


def test_nobody_located_is_a_404_and_nothing_asked_a_400(differing, api, viewer):
    client = api(viewer)
    assert client.get(f"{ROOT}locate/", {"user": "nobody"}).status_code == 404
    assert client.get(f"{ROOT}locate/").status_code == 400


def test_a_snapshot_is_a_job(cluster_factory, api, operator):
    cluster = cluster_factory()
    client = api(operator)
    body = {"clusters": [str(cluster.pk)]}
    answer = client.post(f"{ROOT}snapshots/", body)
    assert answer.status_code == 202
    assert answer["Location"].endswith(f"/api/v1/jobs/{answer.json()['id']}/")
    assert client.post(f"{ROOT}snapshots/", body).status_code == 409


def test_without_clusters_all_are_read(cluster_factory, api, operator):
    cluster_factory(), cluster_factory()
    steps = api(operator).post(f"{ROOT}snapshots/", {}).json()["steps"]
    assert len(steps) == 3


def test_a_viewer_may_not_take_snapshots(cluster_factory, api, viewer):
    cluster_factory()
    assert api(viewer).post(f"{ROOT}snapshots/", {}).status_code == 403


def test_an_unknown_cluster_is_a_400(db, api, operator):
    body = {"clusters": ["00000000-0000-0000-0000-000000000000"]}
    assert api(operator).post(f"{ROOT}snapshots/", body).status_code == 400


def test_snapshots_are_listed_by_cluster(differing, api, viewer):
    query = {"cluster": str(differing.cluster.pk)}
    (one,) = api(viewer).get(f"{ROOT}snapshots/", query).json()["results"]
    assert (one["users"], one["cluster_name"]) == (3, "oslo")


def test_nobody_reads_without_a_sign_in(db, client):
    assert client.get(f"{ROOT}duplicates/").status_code == 401


def test_a_user_assigned_nowhere_has_no_home(pair, has, api, viewer):
    home, _, _ = pair
    (ada,) = of(home, "ada")
    has(home, ada._replace(node=""))
    body = api(viewer).get(f"{ROOT}locate/", {"user": "ada"}).json()
    assert (body["home_cluster"], body["node"]) == (None, None)
    assert Snapshot.objects.get().nodes == {"": 1}
