"""Answers of an identity provider that are refused, and providers that give none."""

import time
from urllib.parse import urlsplit

import pytest
from allauth.socialaccount.internal import statekit
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import AuditEntry
from accounts.providers import web
from tests.accounts.oidc import LOGIN, START, back, change, refused, sign_in, visit
from tests.elements import codes_in

pytestmark = pytest.mark.usefixtures("keycloak")

PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": ["another client"], "azp": "console"},
        {"iss": "https://evil.example"},
        {"exp": 1_600_000_000},
        {"exp": None},
        {"sub": None},
        {"nbf": int(time.time()) + 7200},
    ],
)
def test_token_that_is_not_for_this_sign_in_is_refused(db, provider, claims):
    provider.lies = {"claims": claims}
    refused(*sign_in(), "unproven", "Keycloak")
    assert not User.objects.filter(username="pia").exists()


def test_token_signed_by_somebody_else_is_refused(db, provider):
    provider.signs_with = provider.other_key
    refused(*sign_in(), "unproven", "Keycloak")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_token_without_a_signature_of_a_key_pair_is_refused(db, provider, algorithm):
    provider.lies = {"header": {"alg": algorithm}}
    refused(*sign_in(), "unproven", "Keycloak")


@pytest.mark.parametrize(
    ("keys", "code"),
    [(odd, "no_answer") for odd in ([], 7, {}, {"keys": 7}, {"keys": [7]})]
    + [({"keys": [{}]}, "unproven"), ({"keys": [{"kid": "1"}]}, "unproven")]
    + [({"keys": [{"kid": "1", "kty": "oct", "k": "AAAA"}]}, "unproven")]
    + [({"keys": [{"kid": "1", "kty": "RSA", "n": "x", "e": "AQAB"}]}, "unproven")],
)
def test_odd_keys_end_in_a_sentence(db, provider, keys, code):
    provider.lies = {"keys": keys}
    refused(*sign_in(), code, "Keycloak")


@pytest.mark.parametrize(
    ("token", "code"),
    [(odd, "no_answer") for odd in ([], 7, "x", {}, {"access_token": None})]
    + [({"access_token": "a"}, "no_answer")]
    + [({"access_token": "a", "id_token": odd}, "unproven") for odd in (7, "a.b.c")]
    + [({"access_token": "a", "expires_in": "soon", "id_token": "x"}, "no_answer")],
)
def test_odd_answer_to_the_code_ends_in_a_sentence(db, provider, token, code):
    provider.lies = {"token": token}
    refused(*sign_in(), code, "Keycloak")


@pytest.mark.parametrize("says", [[], 7, {}, {"issuer": 7}, None])
def test_odd_discovery_ends_in_a_sentence(db, provider, says):
    provider.lies = {"says": says}
    response = Client().get(START, follow=True)
    assert response.status_code == 200
    assert b"Keycloak" in response.content


@pytest.mark.parametrize(
    "endpoint", ["token_endpoint", "jwks_uri", "userinfo_endpoint", "issuer"]
)
@pytest.mark.parametrize("value", [7, [], {}, "http://[", "https://127.0.0.1:9/"])
def test_odd_endpoints_end_in_a_sentence(db, provider, endpoint, value):
    provider.discovery = {endpoint: value}
    provider.only_in_userinfo = {"groups"}
    client = Client()
    response = client.get(START)
    if response.url.startswith(provider.url):
        response = back(client, response)
    assert response.url == LOGIN


@pytest.mark.parametrize(
    "query",
    ["", "?state=x", "?code=x", "?state=%00&code=%00", "?error=x", "?state[]=1"],
)
def test_answer_to_no_question_is_refused(db, query):
    client = Client()
    refused(client, client.get(f"{START}return/{query}"), "not_ours")


def test_answers_to_no_question_do_not_fill_the_audit_trail(db):
    for _ in range(20):
        Client().get(f"{START}return/")
    assert AuditEntry.objects.filter(action="refuse sign-in").count() == 1


def test_token_for_another_client_too_is_refused(db, provider):
    provider.lies = {"claims": {"aud": ["console", "other"], "azp": "other"}}
    refused(*sign_in(), "unproven", "(azp)")


def test_answer_with_another_state_is_refused(db, provider):
    provider.lies = {"answer": {"state": "another"}}
    refused(*sign_in(), "not_ours")


def test_answer_in_another_browser_is_refused(db):
    response = Client().get(START)
    other = Client()
    refused(other, back(other, response), "not_ours")


def test_answer_is_taken_once(db):
    client = Client()
    returned = urlsplit(visit(client.get(START).url))
    url = f"{returned.path}?{returned.query}"
    assert client.get(url).url == "/"
    other = Client()
    other.cookies = client.cookies
    assert other.get(url).url != "/"


def test_question_of_long_ago_is_not_answered(db, monkeypatch):
    monkeypatch.setattr(statekit, "STATE_TTL", -2)
    refused(*sign_in(), "not_ours")


def test_refusal_of_the_provider_is_shown(db, provider):
    provider.lies = {
        "answer": {"error": "access_denied", "error_description": "<b>Not today</b>"}
    }
    client, response = sign_in()
    refused(client, response, "provider_refused", "&lt;b&gt;Not today&lt;/b&gt;")


@pytest.mark.parametrize("odd", ["\ud800", "\0", "\u202e", "x" * 5000, 7, None, []])
def test_odd_refusal_ends_in_a_sentence(db, provider, odd):
    provider.lies = {"refusal": {"error": "x", "error_description": odd}}
    refused(*sign_in(), "provider_refused", "Keycloak")


def test_wrong_client_secret_is_refused_in_words(db, settings):
    change(settings, client_secret="wrong")
    refused(*sign_in(), "provider_refused", "invalid_grant")


def test_provider_that_is_down_is_said_and_passwords_work(viewer, provider, settings):
    change(settings, issuer="http://127.0.0.1:9")
    response = Client().get(START, follow=True)
    assert response.status_code == 200
    assert codes_in(response) == ["no_answer"]
    signed = Client().post(LOGIN, {"login": "vera", "password": PASSWORD})
    assert signed.url == "/"


def test_provider_that_stalls_does_not_hold_the_page(db, provider, monkeypatch):
    monkeypatch.setattr(web, "REQUEST_TIMEOUT", (0.3, 0.3))
    provider.stalls.set()
    response = Client().get(START, follow=True)
    assert codes_in(response) == ["no_answer"]


def test_provider_that_failed_is_left_alone_for_a_moment(db, provider, monkeypatch):
    sentence = []
    monkeypatch.setattr(provider, "says", lambda: sentence.append(1) or {})
    for _ in range(3):
        response = Client().get(START, follow=True)
        assert response.status_code == 200
    assert len(sentence) == 1


def test_provider_that_goes_down_in_between_is_said(db, provider, monkeypatch):
    client = Client()
    response = client.get(START)
    returned = urlsplit(visit(response.url))
    monkeypatch.setattr(provider, "token", lambda *args: 1 / 0)
    answer = client.get(f"{returned.path}?{returned.query}")
    refused(client, answer, "no_answer")


def test_provider_that_calls_itself_otherwise_is_refused(db, provider):
    provider.discovery = {"issuer": "https://other.example"}
    response = Client().get(START, follow=True)
    assert codes_in(response) == ["unfit_provider"]
    assert b"https://other.example" in response.content


def test_provider_that_leads_to_plain_http_elsewhere_is_refused(db, provider):
    provider.discovery = {"token_endpoint": "http://other.example/token"}
    response = Client().get(START, follow=True)
    assert codes_in(response) == ["unfit_provider"]
    assert b"token_endpoint" in response.content


def test_provider_that_says_too_much_is_refused(db, provider, monkeypatch):
    monkeypatch.setattr(web, "MOST_BYTES", 100)
    response = Client().get(START, follow=True)
    assert codes_in(response) == ["no_answer"]
