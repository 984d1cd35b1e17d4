"""Many peers by REST."""

import pytest
from django.urls import reverse

from jobs.models import Job
from peers.models import Peer

PLAN, APPLY = reverse("api:peers-bulk-plan"), reverse("api:peers-bulk-apply")


@pytest.fixture
def pair(cluster_factory, peer_factory):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    on = {"provisioning_state": "applied", "applied_address": "x"}
    return peer_factory(madrid, oslo, **on), peer_factory(oslo, madrid, **on)


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


def test_plan_then_apply(ada, pair):
    body = {"ids": [str(pair[0].pk)], "change": {"protocol": "TLS"}}
    plan = ada.post(PLAN, body, format="json").json()
    assert plan["counts"] == {"change": 2}
    assert plan["steps"][0]["after"] == {"protocol": "TLS"}
    assert [step["matching"] for step in plan["steps"]] == [False, True]
    body["plan_hash"] = plan["plan_hash"]
    answer = ada.post(APPLY, body, format="json")
    assert answer.status_code == 202
    assert {str(job.pk) for job in Job.objects.all()} == set(answer.json()["jobs"])
    assert ada.post(APPLY, body, format="json").status_code == 409


def test_deletion_by_a_filter(ada, pair):
    cluster = str(pair[0].cluster_id)
    body = {"cluster": cluster, "delete": {"scope": "forget"}}
    body["plan_hash"] = ada.post(PLAN, body, format="json").json()["plan_hash"]
    assert ada.post(APPLY, body, format="json").json() == {"jobs": []}
    assert Peer.objects.get() == pair[1]


def test_password_is_never_in_an_answer(ada, pair):
    body = {"ids": [str(pair[0].pk)], "change": {"password": "a word of its own"}}
    answer = ada.post(PLAN, body, format="json")
    assert answer.json()["steps"][0]["new_password_set"] is True
    assert "a word of its own" not in answer.content.decode()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"change": {"protocol": "TLS"}},
        {"outcome": "unknown"},
        {"outcome": "unknown", "change": {}},
        {"outcome": "unknown", "change": {"protocol": "SCTP"}},
        {"outcome": "unknown", "delete": {"scope": "all"}},
        {"outcome": "unknown", "nonsense": 1, "delete": {"scope": "home"}},
        {
            "outcome": "unknown",
            "change": {"protocol": "TLS"},
            "delete": {"scope": "home"},
        },
    ],
)
def test_what_is_not_clear_is_refused(ada, pair, body):
    assert ada.post(PLAN, body, format="json").status_code == 400


def test_operator_may_neither(operator, api, pair):
    for url in (PLAN, APPLY):
        assert api(operator).post(url, {}, format="json").status_code == 403
