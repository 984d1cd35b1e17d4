from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from overview.models import Problem

URL = "/api/v1/problems/"


@pytest.fixture
def problem(pair, only):
    pair.node(contact_code="timeout", contact_error="It is silent.")
    pair.set(pair.there, ("connect",))
    return only()


def test_problems_have_the_fields_of_the_contract(problem, pair, viewer, api):
    body = api(viewer).get(URL).json()
    assert body["count"] == 1
    node = pair.remote.publisher
    found = body["results"][0]
    assert found.pop("since")
    assert sorted(found.pop("affects"), key=lambda one: one["type"]) == [
        {"type": "node", "id": str(node.pk), "label": node.name},
        {"type": "peer", "id": str(pair.there.pk), "label": str(pair.there)},
    ]
    assert found == {
        "id": str(problem.pk),
        "code": "node_unreachable",
        "severity": "failed",
        "sentence": f"{node}: It is silent.",
        "cluster": str(pair.remote.pk),
        "fix_url": reverse("clusters:show_node", args=[node.pk]),
        "acknowledged": None,
        "snoozed_until": None,
    }


def test_list_is_empty_when_all_is_well(pair, viewer, api):
    assert api(viewer).get(URL).json()["results"] == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("severity=failed", 1),
        ("severity=warning", 0),
        ("code=node_unreachable", 1),
        ("code=agent_stopped", 0),
        ("acknowledged=false", 1),
        ("acknowledged=true", 0),
    ],
)
def test_filters(problem, viewer, api, query, count):
    assert api(viewer).get(f"{URL}?{query}").json()["count"] == count


@pytest.mark.parametrize("query", ["colour=red", "severity=bad", "cluster=x"])
def test_bad_filters_are_a_400(problem, viewer, api, query):
    assert api(viewer).get(f"{URL}?{query}").status_code == 400


def test_filter_by_cluster(problem, pair, viewer, api):
    client = api(viewer)
    assert client.get(f"{URL}?cluster={pair.remote.pk}").json()["count"] == 1


def test_acknowledge_and_reopen(problem, operator, api):
    client = api(operator)
    body = client.post(f"{URL}{problem.pk}/acknowledge/", {"note": "Known."}).json()
    assert body["acknowledged"].pop("at")
    assert body["acknowledged"] == {"by": "otto", "note": "Known."}
    assert client.get(f"{URL}?acknowledged=true").json()["count"] == 1
    answer = client.post(f"{URL}{problem.pk}/reopen/")
    assert (answer.status_code, answer.json()["acknowledged"]) == (200, None)


def test_snooze_has_an_end_ahead(problem, operator, api):
    client, now = api(operator), timezone.now()
    url = f"{URL}{problem.pk}/snooze/"
    assert client.post(url, {}).status_code == 400
    assert client.post(url, {"until": now.isoformat()}).status_code == 400
    far = (now + timedelta(days=400)).isoformat()
    assert client.post(url, {"until": far}).status_code == 400
    until = (now + timedelta(hours=2)).isoformat()
    body = client.post(url, {"until": until}).json()
    assert body["snoozed_until"] and body["acknowledged"]["by"] == "otto"


def test_note_that_is_too_long_is_refused(problem, operator, api):
    url = f"{URL}{problem.pk}/acknowledge/"
    assert api(operator).post(url, {"note": "x" * 501}).status_code == 400
    assert Problem.objects.get().acknowledged is None
