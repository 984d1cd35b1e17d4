"""GET and PATCH sizing/."""

import pytest

from accounts import users as people
from accounts.models import AuditEntry
from sizing.limits import DEPLOYMENT_86

SIZING = "/api/v1/sizing/"


def test_answer_has_the_fields_of_the_contract(viewer, api, counted):
    bonn, kiel = counted("Bonn", 4_500), counted("Kiel", None, version="15.0.1")
    found = api(viewer).get(SIZING).json()
    assert (
        found["clusters"][0].items()
        >= {
            "cluster": str(bonn.pk),
            "users": 4_500,
            "limit": 45_000,
            "used_percent": 10.0,
            "source": DEPLOYMENT_86,
        }.items()
    )
    assert (
        found["clusters"][1].items()
        >= {
            "cluster": str(kiel.pk),
            "users": None,
            "limit": None,
            "used_percent": None,
            "source": None,
        }.items()
    )
    mesh = {"clusters": 2, "limit": None, "entries": 2, "users": None}
    assert found["mesh"].items() >= {**mesh, "associated_users": None}.items()
    directions = {(one["from"], one["to"]) for one in found["load"]}
    assert directions == {(str(bonn.pk), str(kiel.pk)), (str(kiel.pk), str(bonn.pk))}
    assert {one["code"] for one in found["warnings"]} == {
        "users-unknown",
        "limit-unknown",
    }


def test_profile_is_assumed_until_it_is_stated(viewer, api):
    profile = api(viewer).get(SIZING).json()["profile"]
    assert profile["seen_by"] == "none"
    assert profile["contacts_per_user"] == 100
    assert "watchers_per_user" in profile["assumed"]


def test_administrator_patches_a_part_of_the_profile(administrator, api):
    given = {"contacts_per_user": 50, "messages_per_user_per_hour": 4}
    answer = api(administrator).patch(SIZING, {"profile": given}, format="json")
    profile = answer.json()["profile"]
    assert answer.status_code == 200
    assert profile.items() >= {**given, "seen_by": "attested"}.items()
    assert "contacts_per_user" not in profile["assumed"]
    assert "watchers_per_user" in profile["assumed"]
    assert AuditEntry.objects.filter(action="state profile").count() == 1


def test_null_returns_a_field_to_its_assumption(administrator, api):
    client = api(administrator)
    for value in (50, None):
        given = {"profile": {"contacts_per_user": value}}
        answer = client.patch(SIZING, given, format="json")
    assert answer.json()["profile"]["contacts_per_user"] == 100


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"profile": None},
        {"profile": []},
        {"profile": {"contacts_per_user": -1}},
        {"profile": {"contacts_per_user": "many"}},
        {"profile": {"contact_per_user": 5}},
        {"profile": {"seen_by": "attested"}},
        {"profile": {"remote_contact_share": 1.5}},
        {"profile": {"link_kbit_per_second": 0}},
        {"profile": {"refresh_hours": 0}},
    ],
)
def test_bad_profile_is_refused(administrator, api, body):
    answer = api(administrator).patch(SIZING, body, format="json")
    assert answer.status_code == 400
    assert not AuditEntry.objects.filter(action="state profile").exists()


def test_viewer_and_operator_cannot_patch(viewer, operator, api):
    for user in (viewer, operator):
        answer = api(user).patch(SIZING, {"profile": {}}, format="json")
        assert answer.status_code == 403


def test_limited_administrator_reads_but_cannot_patch(administrator, api, counted):
    bonn, kiel = counted("Bonn", 5), counted("Kiel", 7)
    people.limit_user(administrator, [str(bonn.pk)])
    client = api(administrator)
    found = client.get(SIZING).json()
    assert [one["cluster"] for one in found["clusters"]] == [str(bonn.pk)]
    assert found["mesh"]["users"] == 5
    assert client.patch(SIZING, {"profile": {}}, format="json").status_code == 403
    platform = f"{SIZING}clusters/{kiel.pk}/"
    assert client.patch(platform, {}, format="json").status_code == 404


def test_platform_is_stated_and_changes_the_limit(administrator, api, counted):
    cluster = counted("Bonn", 9_000, version="12.5.1")
    client = api(administrator)
    url = f"{SIZING}clusters/{cluster.pk}/"
    assert client.get(url).json()["platform"] == ""
    answer = client.patch(url, {"platform": "ova15000"}, format="json")
    assert answer.json()["platform"] == "ova15000"
    (found,) = client.get(SIZING).json()["clusters"]
    assert (found["limit"], found["used_percent"]) == (45_000, 20.0)


@pytest.mark.parametrize(
    "given", [{"platform": "x"}, {"redundant": True}, {"platform": None}]
)
def test_bad_platform_is_refused(administrator, api, counted, given):
    url = f"{SIZING}clusters/{counted('Bonn', 9).pk}/"
    assert api(administrator).patch(url, given, format="json").status_code == 400
