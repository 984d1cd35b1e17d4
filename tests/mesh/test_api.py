"""REST: the mesh, its plan, and applying it."""

import uuid

import pytest

from jobs.models import Job
from peers.models import Peer

pytestmark = pytest.mark.django_db

PLAN, APPLY = "/api/v1/mesh/plan/", "/api/v1/mesh/apply/"


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


@pytest.fixture
def pair(cluster_factory):
    return cluster_factory("east", version="8.6"), cluster_factory(
        "west", version="8.6"
    )


@pytest.fixture
def body(pair):
    return {"clusters": [str(cluster.pk) for cluster in pair], "protocol": "TCP"}


@pytest.fixture
def planned(ada, body):
    return body | {"plan_hash": ada.post(PLAN, body).json()["plan_hash"]}


def test_the_mesh_tells_cells_and_what_is_missing(viewer, api, pair, peer_factory):
    peer = peer_factory(*pair, outcome="passed", associated_users=3, remote_users=4)
    east, west = (str(cluster.pk) for cluster in pair)
    found = api(viewer).get("/api/v1/mesh/").json()
    assert [cluster["name"] for cluster in found["clusters"]] == ["east", "west"]
    assert found["cells"] == [
        {
            "from": east,
            "to": west,
            "peer": str(peer.pk),
            "outcome": "passed",
            "associated_users": 3,
            "remote_users": 4,
        }
    ]
    assert found["missing"] == [{"from": west, "to": east}]
    assert found["one_sided"] == [{"from": east, "to": west}]


def test_a_plan_names_every_step_and_changes_nothing(ada, body):
    answer = ada.post(PLAN, body)
    assert answer.status_code == 200
    steps = answer.json()["steps"]
    assert [step["action"] for step in steps] == ["create", "create"]
    names = {"action", "cluster", "remote_cluster", "address", "before", "after"}
    assert set(steps[0]) == names | {"read_at", "warnings", "errors"}
    assert not Peer.objects.exists()


def test_credentials_of_a_cluster_that_is_not_planned_are_an_error(
    ada, body, cluster_factory
):
    other = cluster_factory("other")
    given = {str(other.pk): {"username": "icuser", "password": "secret"}}
    answer = ada.post(PLAN, {**body, "credentials": given})
    assert answer.status_code == 400
    assert str(other.pk) in str(answer.json()["errors"]["credentials"])


@pytest.mark.parametrize("url", [PLAN, APPLY])
def test_only_an_administrator_plans_and_applies(operator, api, body, url):
    assert api(operator).post(url, body).status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"clusters": ["nonsense", "more"]}, "clusters"),
        ({"clusters": [str(uuid.uuid4()), str(uuid.uuid4())]}, "clusters"),
        ({"clusters": "all"}, "clusters"),
        ({"protocol": "SCTP"}, "protocol"),
        ({"mask": "+1X2"}, "mask"),
        (
            {"credentials": {"nobody": {"username": "u", "password": "p"}}},
            "credentials",
        ),
        ({"credentials": {str(uuid.uuid4()): {"username": "u"}}}, "credentials"),
        ({"credentials": []}, "credentials"),
    ],
)
def test_bad_input_is_named_by_field(ada, body, change, field):
    answer = ada.post(PLAN, body | change)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_one_cluster_is_no_mesh(ada, body):
    for ids in (body["clusters"][:1], body["clusters"][:1] * 2):
        assert ada.post(PLAN, body | {"clusters": ids}).status_code == 400


def test_applying_answers_with_the_job(ada, planned):
    answer = ada.post(APPLY, planned)
    job = Job.objects.get()
    assert answer.status_code == 202
    assert answer["Location"].endswith(f"/api/v1/jobs/{job.pk}/")
    assert answer.json()["id"] == str(job.pk)
    assert (Peer.objects.count(), job.planned_entries.count()) == (0, 2)


def test_applying_without_the_hash_is_refused(ada, body):
    answer = ada.post(APPLY, body)
    assert answer.status_code == 400
    assert "plan_hash" in answer.json()["errors"]


def test_a_plan_that_changed_is_a_conflict(ada, planned, pair, peer_factory):
    peer_factory(*pair)
    answer = ada.post(APPLY, planned)
    assert answer.status_code == 409
    assert not Job.objects.exists()


def test_another_protocol_than_planned_is_a_conflict(ada, planned):
    assert ada.post(APPLY, planned | {"protocol": "UDP"}).status_code == 409


def test_a_plan_with_errors_is_a_conflict(ada, body, pair):
    pair[0].nodes.update(certificate_state="changed")
    found = ada.post(PLAN, body).json()
    assert str(pair[0].publisher) in found["errors"][0]
    answer = ada.post(APPLY, body | {"plan_hash": found["plan_hash"]})
    assert answer.status_code == 409


def test_a_second_job_for_the_same_clusters_is_a_conflict(ada, planned, body):
    first = ada.post(APPLY, planned).json()["id"]
    again = body | {"plan_hash": ada.post(PLAN, body).json()["plan_hash"]}
    answer = ada.post(APPLY, again)
    assert answer.status_code == 409
    assert answer.json()["job"] == first


def test_the_same_idempotency_key_applies_once(ada, planned):
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    first, second = (ada.post(APPLY, planned, **key) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert Job.objects.count() == 1


def test_the_same_key_for_another_body_is_a_conflict(ada, planned):
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    ada.post(APPLY, planned, **key)
    assert ada.post(APPLY, planned | {"mask": ""}, **key).status_code == 409


def test_credentials_are_used_and_never_told(ada, body, pair):
    given = {"username": "icuser", "password": "hunter2hunter2"}
    body = body | {"credentials": {str(pair[1].pk): given}}
    found = ada.post(PLAN, body)
    answer = ada.post(APPLY, body | {"plan_hash": found.json()["plan_hash"]})
    assert answer.status_code == 202
    assert "hunter2" not in found.content.decode() + answer.content.decode()
    entry = Job.objects.get().planned_entries.get(remote=pair[1])
    assert entry.values["username"] == "icuser"
    assert entry.unseal("password").reveal() == "hunter2hunter2"
