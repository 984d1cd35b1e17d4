from base64 import b64encode
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken, AuditEntry
from accounts.roles import Role

TOKENS = "/api/v1/tokens/"
PAGE = "/administration/system/tokens/"


def basic(name, password="correct horse battery"):
    client = APIClient()
    text = b64encode(f"{name}:{password}".encode()).decode()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {text}")
    return client


def bearer(text):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def test_script_gets_its_first_token_with_a_password(operator):
    response = basic("otto").post(TOKENS, {"name": "ansible"})
    assert response.status_code == 201
    assert response.data["role"] == "operator"
    assert bearer(response.data["token"]).get("/api/v1/jobs/").status_code == 200


def test_password_opens_nothing_else(operator):
    assert basic("otto").get(TOKENS).status_code == 401
    assert basic("otto").get("/api/v1/jobs/").status_code == 401


def test_text_of_a_token_is_shown_once_and_never_stored(operator):
    text = basic("otto").post(TOKENS, {"name": "ansible"}).data["token"]
    assert text not in str(ApiToken.objects.values())
    assert text not in str(AuditEntry.objects.values())
    assert "token" not in bearer(text).get(TOKENS).data["results"][0]


def test_wrong_passwords_are_counted_by_the_lockout(operator):
    for _ in range(10):
        assert basic("otto", "wrong").post(TOKENS, {}).status_code == 401
    response = basic("otto").post(TOKENS, {"name": "ansible"})
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 15 * 60 + 1
    assert response["Content-Type"] == "application/problem+json"


def test_role_of_a_token_is_at_most_its_owners(operator):
    response = basic("otto").post(TOKENS, {"name": "x", "role": "administrator"})
    assert response.status_code == 400
    ((field, (error,)),) = response.data["errors"].items()
    assert (field, error.code) == ("role", "above_own")


def test_token_makes_no_token_that_may_more(operator):
    _, text = ApiToken.issue(
        operator,
        "narrow",
        Role.VIEWER,
        networks=["127.0.0.0/8"],
        expires_at=timezone.now() + timedelta(hours=1),
    )
    client = bearer(text)
    assert client.post(TOKENS, {"name": "x", "role": "operator"}).status_code == 400
    made = client.post(TOKENS, {"name": "x", "networks": []}).data
    assert made["networks"] == ["127.0.0.0/8"]
    assert made["expires_at"] is not None
    assert made["role"] == "viewer"


def test_expired_token_is_refused(viewer):
    past = timezone.now() - timedelta(seconds=1)
    _, text = ApiToken.issue(viewer, "old", Role.VIEWER, expires_at=past)
    assert bearer(text).get("/api/v1/jobs/").status_code == 401


def test_revoked_token_is_refused_at_once(viewer, api):
    client = api(viewer)
    token = viewer.tokens.get()
    assert client.delete(f"{TOKENS}{token.pk}/").status_code == 204
    assert client.get(TOKENS).status_code == 401
    assert AuditEntry.objects.filter(action="revoke token").exists()


@pytest.mark.parametrize(
    ("address", "status"),
    [("192.0.2.1", 200), ("198.51.100.9", 200), ("198.51.101.9", 401), ("", 401)],
)
def test_token_is_good_from_its_networks_only(viewer, address, status):
    networks = ["192.0.2.1", "198.51.100.0/24"]
    _, text = ApiToken.issue(viewer, "x", Role.VIEWER, networks=networks)
    response = bearer(text).get("/api/v1/jobs/", REMOTE_ADDR=address)
    assert response.status_code == status


@pytest.mark.parametrize(
    "text", ["", "x", "cup_", "cup_00000000_x", "cup_\xff\xff_x", "a_b_c", "cup_" * 500]
)
def test_malformed_tokens_are_refused(db, text):
    response = APIClient().get("/api/v1/jobs/", HTTP_AUTHORIZATION=f"Bearer {text}")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


def test_token_dies_with_the_key_that_hashed_it(viewer, api, settings):
    client = api(viewer)
    settings.FIELD_KEYS = {"2": b"k" * 32}
    assert client.get(TOKENS).status_code == 401


@pytest.mark.parametrize(
    "networks", [["all"], ["300.1.1.1"], ["192.0.2.1/24"], "192.0.2.1", [1], [None]]
)
def test_bad_networks_are_refused(viewer, api, networks):
    response = api(viewer).post(TOKENS, {"name": "x", "networks": networks})
    assert response.status_code == 400
    assert "networks" in response.data["errors"]


def test_nobody_sees_the_tokens_of_another(viewer, operator, api):
    api(operator)
    theirs = operator.tokens.get()
    assert api(viewer).get(f"{TOKENS}{theirs.pk}/").status_code == 404


def test_page_creates_and_revokes_a_token(viewer, client_of):
    client = client_of(viewer)
    fields = {"name": "script", "role": "viewer", "networks": "192.0.2.0/24, ::1"}
    response = client.post(PAGE, fields)
    token = ApiToken.objects.get()
    assert token.networks == ["192.0.2.0/24", "::1"]
    assert f"cup_{token.prefix}_".encode() in response.content
    assert f"cup_{token.prefix}_".encode() not in client.get(PAGE).content
    client.post(reverse("accounts:revoke_token", args=[token.pk]))
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "administrator"},
        {"name": ""},
        {"networks": "here"},
        {"expires_at": "2001-01-01"},
    ],
)
def test_page_refuses_bad_input(viewer, client_of, wrong):
    fields = {"name": "script", "role": "viewer", **wrong}
    response = client_of(viewer).post(PAGE, fields)
    assert b"Nothing was saved" in response.content
    assert not ApiToken.objects.exists()
