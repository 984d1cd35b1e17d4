import pytest
from django.urls import reverse
from django.utils import timezone

from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from jobs.models import Job


@pytest.fixture
def pair(cluster_factory, peer_factory):
    return peer_factory(cluster_factory("home"), cluster_factory("remote"))


def test_a_run_of_all_clusters_is_accepted(api, operator, pair):
    answer = api(operator).post(reverse("api:troubleshooter-runs-list"), {})
    assert answer.status_code == 202
    assert answer.headers["Location"].endswith(f"/api/v1/jobs/{answer.data['id']}/")
    assert str(TroubleshooterRun.objects.get().pk) == answer.data["run"]


def test_a_run_of_an_unknown_cluster_is_a_400(api, operator, pair):
    body = {"clusters": [str(pair.pk)]}
    answer = api(operator).post(reverse("api:troubleshooter-runs-list"), body)
    assert answer.status_code == 400
    assert "clusters" in answer.json()["errors"]


def test_a_viewer_reads_runs_and_starts_none(api, operator, viewer, pair):
    url = reverse("api:troubleshooter-runs-list")
    api(operator).post(url, {"clusters": [str(pair.cluster_id)]})
    found = api(viewer).get(url).json()["results"]
    assert [(run["state"], run["clusters"]) for run in found] == [
        ("queued", [str(pair.cluster_id)])
    ]
    assert api(viewer).post(url, {}).status_code == 403


def test_a_run_has_totals_and_sections(api, viewer, operator, pair):
    run = api(operator).post(reverse("api:troubleshooter-runs-list"), {}).data["run"]
    found = api(viewer).get(reverse("api:troubleshooter-runs-detail", args=[run]))
    assert set(found.json()["totals"]) == {
        "passed",
        "failed",
        "warning",
        "information",
    }
    assert found.json()["sections"] == []


def test_a_run_tells_what_each_test_rests_on(api, viewer, pair):
    run = TroubleshooterRun.objects.create(finished_at=timezone.now())
    answer = {"asked": "AXL", "answer": "1", "at": None, "duration_ms": None}
    TroubleshooterResult.objects.create(
        run=run, position=0, section="S", code="clock", cluster=pair.cluster
    )
    TroubleshooterResult.objects.create(
        run=run,
        position=1,
        section="S",
        code="gone",
        cluster=pair.cluster,
        details={"answers": [answer], "caused_by": "axl"},
    )
    url = reverse("api:troubleshooter-runs-detail", args=[run.pk])
    one, other = api(viewer).get(url).json()["sections"][0]["tests"]
    assert "AXL" in one["details"]["asked"]
    assert other["details"] == {
        "asked": "",
        "answers": [answer],
        "more": 0,
        "caused_by": "axl",
    }


def test_the_same_key_starts_one_run(api, operator, pair):
    client, url = api(operator), reverse("api:troubleshooter-runs-list")
    answers = [client.post(url, {}, headers={"Idempotency-Key": "a"}) for _ in "ab"]
    assert answers[0].json()["run"] == answers[1].json()["run"]
    assert TroubleshooterRun.objects.count() == 1


def test_a_check_of_one_peer_is_accepted(api, operator, pair):
    answer = api(operator).post(reverse("api:peers-check", args=[pair.pk]))
    assert (answer.status_code, answer.data["kind"]) == (202, "check-peers")


def test_a_check_that_runs_already_answers_the_same_job(api, operator, pair):
    client, url = api(operator), reverse("api:peers-check", args=[pair.pk])
    assert client.post(url).data["id"] == client.post(url).data["id"]


def test_a_check_of_an_unknown_peer_is_a_404(api, operator, pair):
    url = reverse("api:peers-check", args=[pair.cluster_id])
    assert api(operator).post(url).status_code == 404


@pytest.mark.parametrize("by", ["ids", "cluster", "outcome", "nothing"])
def test_peers_are_chosen_by_ids_filters_or_all(api, operator, pair, by):
    body = {
        "ids": {"ids": [str(pair.pk)]},
        "cluster": {"cluster": str(pair.cluster_id)},
        "outcome": {"outcome": "unknown"},
        "nothing": {},
    }[by]
    answer = api(operator).post(reverse("api:peers-check-many"), body)
    assert answer.status_code == 202
    assert Job.objects.get().arguments["peers"] == [str(pair.pk)]


@pytest.mark.parametrize(
    "body", [{"colour": "red"}, {"outcome": "pink"}, {"ids": ["x"]}]
)
def test_filters_that_are_not_are_a_400(api, operator, pair, body):
    answer = api(operator).post(reverse("api:peers-check-many"), body)
    assert answer.status_code == 400


def test_a_viewer_cannot_check_peers(api, viewer, pair):
    for url in ("api:peers-check-many",):
        assert api(viewer).post(reverse(url), {}).status_code == 403
    one = reverse("api:peers-check", args=[pair.pk])
    assert api(viewer).post(one).status_code == 403


def test_all_clusters_may_be_asked_for_by_name(api, operator, cluster_factory):
    cluster_factory("east"), cluster_factory("west")
    answer = api(operator).post(
        reverse("api:troubleshooter-runs-list"), {"clusters": "all"}
    )
    assert answer.status_code == 202
    run = TroubleshooterRun.objects.get(pk=answer.data["run"])
    assert [cluster["name"] for cluster in run.clusters] == ["east", "west"]
