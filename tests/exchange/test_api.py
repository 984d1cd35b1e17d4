import pytest

from exchange.models import NodeCertificates
from jobs.models import Job
from tests.exchange.conftest import make

URL = "/api/v1/mesh/certificates/"


@pytest.fixture
def client(viewer, api):
    return api(viewer)


def rows(client, **query):
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_each_certificate_of_each_peer_is_a_row(client, mesh):
    found = rows(client)
    assert found["count"] == 12
    first = found["results"][0]
    assert set(first) == {
        *("from", "to", "node", "service", "state", "outcome", "fingerprint"),
        *("not_after", "days_left", "seen_by", "seen_at", "on"),
    }
    assert {row["state"] for row in found["results"]} == {"trusted"}
    assert {row["seen_by"] for row in found["results"]} == {"rest"}
    assert [one["state"] for one in first["on"]] == ["trusted", "trusted"]


def test_filters(client, mesh):
    home, remote = str(mesh.home.pk), str(mesh.remote.pk)
    for node in mesh.nodes(mesh.home):
        mesh.read(node, [])
    assert rows(client, **{"from": home})["count"] == 6
    assert rows(client, to=home)["count"] == 6
    missing = rows(client, state="missing")
    assert {(row["from"], row["to"]) for row in missing["results"]} == {(home, remote)}
    assert rows(client, state="old")["count"] == 0
    assert client.get(URL, {"colour": "red"}).status_code == 400
    assert client.get(URL, {"state": "red"}).status_code == 400
    assert client.get(URL, {"from": "red"}).status_code == 400


def test_pages_are_the_list_in_parts(client, mesh):
    whole = rows(client, limit=500)["results"]
    parts = [
        row
        for offset in range(0, 12, 5)
        for row in rows(client, limit=5, offset=offset)["results"]
    ]
    assert parts == whole
    assert rows(client, offset=100)["results"] == []


def test_what_is_not_known_is_null(client, mesh):
    NodeCertificates.objects.filter(node__cluster=mesh.remote).delete()
    found = rows(client, to=str(mesh.remote.pk))["results"]
    assert {row["state"] for row in found} == {"unknown"}
    assert {row["fingerprint"] for row in found} == {None}
    assert {row["seen_by"] for row in found} == {None}


def test_expiry_is_beside_the_state(client, mesh):
    node = mesh.nodes(mesh.remote)[0]
    mesh.own[node.pk]["cup"] = make(node.name, days=12)
    mesh.read_all()
    found = rows(client, to=str(mesh.remote.pk))["results"]
    [row] = [row for row in found if row["days_left"] == 12]
    assert (row["state"], row["outcome"]) == ("trusted", "warning")


def test_reading_is_a_job(api, operator, mesh):
    client = api(operator)
    answer = client.post(f"{URL}read/", {"clusters": [str(mesh.home.pk)]})
    assert answer.status_code == 202
    assert Job.objects.get().kind == "read-certificates"
    assert client.post(f"{URL}read/", {}).status_code == 409
