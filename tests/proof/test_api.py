import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from jobs.models import Job
from proof.models import Canary, Proof

API = "/api/v1/"
CANARY = {
    "canary": "anna",
    "canary_watcher": "arne",
    "presence_username": "presenceapp",
    "presence_password": "open sesame 8083",
    "presence_port": 9083,
}


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


def test_the_schema_says_that_a_peer_may_have_no_proof(ada, two):
    url = f"{API}peers/{two[0].pk}/proof/"
    assert ada.get(url).json() is None
    schema = SchemaGenerator().get_schema(request=None, public=True)
    answers = schema["components"]["schemas"]["NewestProof"]["oneOf"]
    assert {"type": "null"} in answers


def test_a_cluster_without_canary_says_null(ada, two):
    reported = ada.get(f"{API}clusters/{two[0].cluster_id}/").json()
    assert reported["canary"] is None
    assert reported["canary_watcher"] is None
    assert reported["presence_password_set"] is False
    assert reported["presence_port"] == 8083
    assert "presence_password" not in reported


def test_a_canary_is_a_field_of_its_cluster(ada, two):
    url = f"{API}clusters/{two[0].cluster_id}/"
    etag = ada.get(url)["ETag"]
    answer = ada.patch(url, CANARY, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.content
    assert answer["ETag"] != etag
    reported = ada.get(url).json()
    assert reported["canary"] == "anna"
    assert reported["canary_watcher"] == "arne"
    assert reported["presence_username"] == "presenceapp"
    assert reported["presence_password_set"] is True
    assert reported["presence_port"] == 9083
    row = Canary.objects.get()
    assert row.unseal("presence_password").reveal() == "open sesame 8083"


def test_a_patch_of_other_fields_leaves_the_canary(ada, two, canaries):
    url = f"{API}clusters/{two[0].cluster_id}/"
    etag = ada.get(url)["ETag"]
    Canary.objects.filter(pk=two[0].cluster_id).update(presence_port=9083)
    ada.patch(url, {"description": "x"}, headers={"If-Match": etag})
    row = Canary.objects.get(pk=two[0].cluster_id)
    assert (row.userid, row.presence_port) == ("anna", 9083)


def test_null_takes_the_canary_away(ada, two, canaries):
    url = f"{API}clusters/{two[0].cluster_id}/"
    etag = ada.get(url)["ETag"]
    answer = ada.patch(url, {"canary": None}, headers={"If-Match": etag})
    assert answer.json()["canary"] is None
    assert Canary.objects.get(pk=two[0].cluster_id).userid == ""


@pytest.mark.parametrize("port", [0, 65536, "x"])
def test_a_bad_port_is_a_400(ada, two, port):
    url = f"{API}clusters/{two[0].cluster_id}/"
    etag = ada.get(url)["ETag"]
    answer = ada.patch(url, {"presence_port": port}, headers={"If-Match": etag})
    assert answer.status_code == 400
    assert "presence_port" in answer.json()["errors"]


def test_a_cluster_is_made_with_its_canary(ada):
    made = ada.post(
        f"{API}clusters/",
        {"name": "new", "axl_username": "a", "axl_password": "open sesame"} | CANARY,
    )
    assert made.status_code == 201, made.content
    assert made.json()["canary"] == "anna"


def test_proving_without_canaries_is_a_409(ada, two):
    answer = ada.post(f"{API}peers/{two[0].pk}/prove/")
    assert answer.status_code == 409
    assert "home" in answer.json()["detail"]
    assert not Job.objects.filter(kind="prove")


def test_proving_answers_202_with_the_job(ada, two, canaries):
    answer = ada.post(f"{API}peers/{two[0].pk}/prove/")
    assert answer.status_code == 202
    job = Job.objects.get(kind="prove")
    assert answer["Location"].endswith(f"{API}jobs/{job.pk}/")
    assert job.arguments["peers"] == [str(peer.pk) for peer in two]
    again = ada.post(f"{API}peers/{two[1].pk}/prove/")
    assert again.status_code == 409


def test_a_proof_is_null_until_there_is_one(ada, two):
    url = f"{API}peers/{two[0].pk}/proof/"
    assert ada.get(url).json() is None
    Proof.objects.create(
        peer=two[0],
        at=timezone.now(),
        outcome="failed",
        stage="subscribed",
        way="pws",
        code="no_notification",
        problem="Nothing came.",
        solution="Look.",
    )
    reported = ada.get(url).json()
    expected = {"outcome", "at", "latency_ms", "way", "stage", "problem", "solution"}
    assert expected <= set(reported)
    assert (reported["outcome"], reported["stage"]) == ("failed", "subscribed")


def test_metrics_have_the_newest_proof(ada, two):
    for latency in (1500, 2500):
        Proof.objects.create(
            peer=two[0],
            at=timezone.now(),
            outcome="passed",
            stage="arrived",
            way="pws",
            latency_ms=latency,
        )
    text = ada.get("/metrics").content.decode()
    address = two[0].address
    name = f'{{address="{address}",cluster="home",remote="remote"}}'
    assert f"cupadmin_presence_latency_seconds{name} 2.5" in text
    assert text.count("cupadmin_presence_latency_seconds{") == 1
