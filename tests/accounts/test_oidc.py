import http.client
import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import oidc_client
from accounts.models import (
    Attempts,
    AuditEntry,
    BrowserSession,
    Identity,
    SecondFactor,
)
from accounts.roles import Role, role_of
from cupadmin.identity import Admission, Oidc
from tests.accounts.provider import Provider

START = "/administration/system/sign-in/provider/"
LOGIN = "/administration/system/sign-in/"
PASSWORD = "correct horse battery"
ROLES = {"cup-admins": "administrator", "cup-operators": "operator"}


@pytest.fixture
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(autouse=True)
def configured(provider, settings, administrator):
    settings.OIDC = Oidc(
        issuer=provider.url,
        client_id="console",
        client_secret="the client secret",
        name="Keycloak",
        admission=Admission(roles=ROLES),
    )
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "accounts.backends.ProviderBackend",
    ]


def change(settings, **fields):
    rules = {name: fields.pop(name) for name in list(fields) if name in RULES}
    admission = replace(settings.OIDC.admission, **rules)
    settings.OIDC = replace(settings.OIDC, admission=admission, **fields)


RULES = ("roles", "default_role", "required_group", "create_accounts")


def visit(url):
    """Open a page of the provider, as the browser does; return where it leads."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers["Location"]


def back(client, response):
    """Go to the provider and come back with its answer."""
    returned = urlsplit(visit(response.url))
    return client.get(f"{returned.path}?{returned.query}")


def sign_in(client=None, url=START):
    client = client or Client()
    return client, back(client, client.get(url))


def pia():
    return User.objects.get(username="pia")


def notices(client):
    return client.get(LOGIN).content.decode()


def test_button_is_there_only_where_a_provider_is_configured(db, settings):
    assert b"Sign in with Keycloak" in Client().get(LOGIN).content
    settings.OIDC = None
    assert b"Keycloak" not in Client().get(LOGIN).content
    response = Client().get(START, follow=True)
    assert b"No identity provider is set up" in response.content


def test_question_has_state_nonce_and_pkce(db, provider):
    response = Client().get(START)
    asked = parse_qs(urlsplit(response.url).query)
    assert response.url.startswith(f"{provider.url}/authorize?")
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["redirect_uri"] == [f"http://testserver{START}return/"]


def test_sign_in_at_the_provider_takes_back_no_wrong_passwords(db):
    for _ in range(3):
        Client().post(LOGIN, {"username": "pia", "password": "wrong"})
    sign_in()
    assert set(Attempts.objects.values_list("count", flat=True)) == {3}


def test_first_sign_in_makes_an_account_with_the_role_of_its_groups(db):
    client, response = sign_in()
    assert response.url == "/"
    assert client.get("/").status_code == 200
    user = pia()
    assert (user.first_name, user.email) == ("Pia", "pia@example.com")
    assert role_of(user) == Role.OPERATOR
    assert not user.has_usable_password()
    assert user.identities.get().subject == "u-1"
    assert AuditEntry.objects.get(action="add user").actor == "Keycloak"
    entry = AuditEntry.objects.get(action="sign in")
    assert entry.actor == "pia"
    assert entry.changes == {"with": [None, "identity provider"]}


def test_sign_in_leads_on_to_the_page_that_was_asked_for(db):
    response = sign_in(url=f"{START}?next=/search/%3Fq%3Dx")[1]
    assert response.url == "/search/?q=x"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "x:1"])
def test_sign_in_never_leads_to_another_host(db, target):
    assert sign_in(url=f"{START}?next={target}")[1].url == "/"


def test_second_sign_in_finds_the_account_whatever_it_is_named_now(db, provider):
    sign_in()
    provider.person |= {"preferred_username": "pia.new", "groups": ["cup-admins"]}
    sign_in()
    user = pia()
    assert user.username == "pia"
    assert role_of(user) == Role.ADMINISTRATOR
    assert AuditEntry.objects.filter(action="edit user").count() == 1


def test_sign_in_keeps_the_session_rules(db, settings):
    client, _ = sign_in()
    BrowserSession.objects.update(seen_at=timezone.now() - timedelta(minutes=31))
    assert client.get("/").status_code == 302


def test_sessions_are_over_when_the_provider_is_taken_away(db, settings):
    client, _ = sign_in()
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[:-1]
    assert client.get("/").status_code == 302


def refused(client, response, sentence):
    assert response.status_code == 302
    assert response.url == LOGIN
    assert sentence in notices(client)
    assert not BrowserSession.objects.exists()
    assert AuditEntry.objects.filter(action="refuse sign-in").count() == 1


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
    refused(*sign_in(), "The answer of Keycloak is not valid")
    assert not User.objects.filter(username="pia").exists()


def test_token_signed_by_somebody_else_is_refused(db, provider):
    provider.signs_with = provider.other_key
    refused(*sign_in(), "The answer of Keycloak is not valid")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_token_without_a_signature_of_a_key_pair_is_refused(db, provider, algorithm):
    provider.lies = {"header": {"alg": algorithm}}
    refused(*sign_in(), "The answer of Keycloak is not valid")


def test_answer_with_another_state_is_refused(db, provider):
    provider.lies = {"answer": {"state": "another"}}
    refused(*sign_in(), "did not begin in this browser")


def test_answer_in_another_browser_is_refused(db):
    response = Client().get(START)
    other = Client()
    refused(other, back(other, response), "did not begin in this browser")


def test_answer_is_taken_once(db):
    client = Client()
    returned = urlsplit(visit(client.get(START).url))
    url = f"{returned.path}?{returned.query}"
    assert client.get(url).url == "/"
    other = Client()
    other.cookies = client.cookies
    assert other.get(url).url != "/"


def test_question_of_long_ago_is_not_answered(db, monkeypatch):
    monkeypatch.setattr("accounts.oidc.SECONDS", -2)
    refused(*sign_in(), "took too long")


def test_refusal_of_the_provider_is_shown(db, provider):
    provider.lies = {
        "answer": {"error": "access_denied", "error_description": "<b>Not today</b>"}
    }
    client, response = sign_in()
    refused(client, response, "Keycloak refused: &lt;b&gt;Not today&lt;/b&gt;")


def test_wrong_client_secret_is_refused_in_words(db, settings):
    change(settings, client_secret="wrong")
    refused(*sign_in(), "Keycloak refused: ")


def test_provider_that_is_down_is_said_and_passwords_work(viewer, provider, settings):
    change(settings, issuer="http://127.0.0.1:9")
    response = Client().get(START, follow=True)
    assert response.status_code == 200
    assert b"Keycloak gives no usable answer now" in response.content
    signed = Client().post(LOGIN, {"username": "vera", "password": PASSWORD})
    assert signed.url == "/"


def test_provider_that_stalls_does_not_hold_the_page(db, provider, monkeypatch):
    monkeypatch.setattr(oidc_client, "TIMEOUT", (0.3, 0.3))
    provider.stalls.set()
    response = Client().get(START, follow=True)
    assert b"gives no usable answer" in response.content


def test_provider_that_failed_is_left_alone_for_a_moment(db, provider, monkeypatch):
    said = []
    monkeypatch.setattr(provider, "says", lambda: said.append(1) or {})
    for _ in range(3):
        response = Client().get(START, follow=True)
        assert response.status_code == 200
    assert len(said) == 1


def test_provider_that_goes_down_in_between_is_said(db, provider, monkeypatch):
    client = Client()
    response = client.get(START)
    returned = urlsplit(visit(response.url))
    monkeypatch.setattr(provider, "token", lambda *args: 1 / 0)
    answer = client.get(f"{returned.path}?{returned.query}")
    refused(client, answer, "gives no usable answer")


def test_provider_that_calls_itself_otherwise_is_refused(db, provider):
    provider.discovery = {"issuer": "https://other.example"}
    response = Client().get(START, follow=True)
    assert b"It calls itself https://other.example" in response.content


def test_provider_that_leads_to_plain_http_elsewhere_is_refused(db, provider):
    provider.discovery = {"token_endpoint": "http://other.example/token"}
    response = Client().get(START, follow=True)
    assert b"Its token_endpoint is no https:// address" in response.content


def test_provider_that_says_too_much_is_refused(db, provider, monkeypatch):
    monkeypatch.setattr(oidc_client, "MOST", 100)
    response = Client().get(START, follow=True)
    assert b"gives no usable answer" in response.content


def test_known_name_is_no_proof_of_an_account(viewer, provider):
    provider.person |= {"preferred_username": "VERA", "email": viewer.email or "v@x.y"}
    client, response = sign_in()
    refused(client, response, "Another account here is named VERA")
    assert not Identity.objects.exists()


@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "\0", "DOM\\pia"])
def test_unfit_name_is_refused(db, provider, name):
    provider.person["preferred_username"] = name
    refused(*sign_in(), "does not fit")


@pytest.mark.parametrize("odd", [None, 7, ["x"], {"a": 1}, "\0", "y" * 5000])
@pytest.mark.parametrize("name", ["given_name", "email", "groups", "sub"])
def test_odd_claims_end_in_a_sentence_or_an_account(db, provider, settings, name, odd):
    change(settings, default_role="viewer")
    provider.person[name] = odd
    assert sign_in()[1].status_code == 302


def test_person_without_a_mapped_group_is_refused(db, provider):
    provider.person["groups"] = ["others"]
    refused(*sign_in(), "None of your groups has a role")


def test_required_group_is_required(db, provider, settings):
    change(settings, required_group="staff")
    refused(*sign_in(), "not in the group that may use this console")


def test_no_account_is_made_where_that_is_switched_off(db, settings):
    change(settings, create_accounts=False)
    refused(*sign_in(), "You have no account on this console")


def test_default_role_is_given_without_a_map(db, settings):
    change(settings, roles={}, default_role="viewer")
    sign_in()
    user = pia()
    assert role_of(user) == Role.VIEWER
    user.groups.set([user.groups.model.objects.get_or_create(name="operator")[0]])
    sign_in()
    assert role_of(pia()) == Role.OPERATOR


def test_deactivated_account_is_refused(db):
    sign_in()
    User.objects.update(is_active=False)
    client, response = sign_in()
    assert "is deactivated" in notices(client)


def test_last_administrator_is_not_demoted_by_groups(provider, administrator):
    provider.person["groups"] = ["cup-admins"]
    sign_in()
    administrator.delete()
    provider.person["groups"] = ["cup-operators"]
    client, _ = sign_in()
    assert "nobody would be administrator" in notices(client)
    assert role_of(pia()) == Role.ADMINISTRATOR


def test_groups_may_come_from_the_user_information(db, provider):
    provider.only_in_userinfo = {"groups", "preferred_username"}
    sign_in()
    assert role_of(pia()) == Role.OPERATOR


def test_user_information_about_somebody_else_is_refused(db, provider):
    provider.only_in_userinfo = {"groups"}
    provider.lies = {"userinfo": {"sub": "u-2"}}
    refused(*sign_in(), "gives no usable answer")


def test_groups_may_lie_within_another_claim(db, provider, settings):
    change(settings, groups_claim="realm_access.roles")
    provider.person["realm_access"] = {"roles": ["cup-admins"]}
    sign_in()
    assert role_of(pia()) == Role.ADMINISTRATOR


def test_password_pages_are_not_offered(db, administrator, client_of):
    client, _ = sign_in()
    assert b"Change password" not in client.get("/").content
    page = client.get(reverse("accounts:change_password")).content
    assert b"Your password is kept by the identity provider" in page
    url = reverse("accounts:set_password", args=[pia().pk])
    fields = {
        "new_password1": "a fine pass phrase",
        "new_password2": "a fine pass phrase",
    }
    client_of(administrator).post(url, fields)
    assert not pia().has_usable_password()


def test_signed_out_here_one_may_sign_out_there(db, provider):
    client, _ = sign_in()
    response = client.post(reverse("accounts:logout"), follow=True)
    assert b"Sign out at Keycloak" in response.content
    url = client.get(reverse("accounts:provider_sign_out")).url
    assert url.startswith(f"{provider.url}/end?")
    assert "client_id=console" in url
    assert AuditEntry.objects.filter(action="sign out").exists()


def test_provider_without_a_page_for_signing_out_is_said(db, provider):
    provider.discovery = {"end_session_endpoint": ""}
    response = Client().get(reverse("accounts:provider_sign_out"), follow=True)
    assert b"has no page for signing out" in response.content


@pytest.fixture
def stale(db, provider):
    """An administrator of the provider whose sign-in was long ago."""
    provider.person["groups"] = ["cup-admins"]
    client, _ = sign_in()
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    return client


ADD = "/administration/system/users/add/"


def proof_url(response):
    text = response.content.decode()
    begin = text.index("/administration/system/proof/provider/")
    return text[begin : text.index('"', begin)]


def test_proof_is_a_fresh_sign_in_at_the_provider(stale, provider):
    asked = stale.get(ADD)
    assert b"Confirm at Keycloak" in asked.content
    assert b'type="password"' not in asked.content
    response = back(stale, stale.get(proof_url(asked)))
    assert provider.asked[-1]["prompt"] == "login"
    assert provider.asked[-1]["max_age"] == "0"
    assert response.url == ADD
    assert b"Add user" in stale.get(ADD).content
    assert AuditEntry.objects.filter(action="prove identity").exists()


def test_what_was_posted_goes_on_after_the_proof_at_the_provider(stale, viewer):
    url = reverse("accounts:edit_user", args=[viewer.pk])
    asked = stale.post(url, {"first_name": "Vera", "role": "viewer", "is_active": "on"})
    response = back(stale, stale.get(proof_url(asked)))
    page = stale.get(response.url).content.decode()
    assert f'action="{url}"' in page
    assert 'name="first_name" value="Vera"' in page
    assert stale.get(response.url).url == "/"  # once


@pytest.mark.parametrize("claims", [{"auth_time": 1_600_000_000}, {"auth_time": None}])
def test_provider_that_did_not_ask_again_proves_nothing(stale, provider, claims):
    provider.lies = {"claims": claims}
    back(stale, stale.get(proof_url(stale.get(ADD))))
    assert b"Confirm that it is you" in stale.get(ADD).content


def test_somebody_else_at_the_provider_proves_nothing(stale, provider):
    asked = stale.get(proof_url(stale.get(ADD)))
    provider.person["sub"] = "u-2"
    back(stale, asked)
    assert b"Confirm that it is you" in stale.get(ADD).content
    assert not Identity.objects.filter(subject="u-2").exists()


def test_code_of_the_second_factor_is_a_proof_too(stale):
    from tests.accounts.test_second_factor import code_of, set_up

    BrowserSession.objects.update(proved_at=timezone.now())
    factor, _ = set_up(stale)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    wrong = stale.post(ADD, {"proof_code": "000000", "proof_opened": "1"})
    assert b"The code is wrong" in wrong.content
    right = {"proof_code": code_of(factor), "proof_opened": "1"}
    assert stale.post(ADD, right).url == ADD
    actions = AuditEntry.objects.filter(action__startswith="prove")
    assert [entry.action for entry in actions] == ["prove second factor"]


def test_code_alone_is_no_proof_beside_a_password(administrator, client_of):
    from tests.accounts.test_second_factor import code_of, set_up

    client = client_of(administrator)
    factor, _ = set_up(client)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    response = client.post(ADD, {"proof_code": code_of(factor), "proof_opened": "1"})
    assert b"Prove it with your password" in response.content


def test_person_connects_an_account_that_is_here_already(viewer, client_of, provider):
    client = client_of(viewer)
    page = client.get(reverse("accounts:second_factor")).content
    assert reverse("accounts:connect").encode() in page
    back(client, client.get(reverse("accounts:connect")))
    assert viewer.identities.get().subject == "u-1"
    assert AuditEntry.objects.filter(action="connect account").exists()
    provider.person["groups"] = ["cup-operators"]
    sign_in()
    assert not User.objects.filter(username="pia").exists()


def test_connecting_with_an_old_proof_asks_for_the_password_and_goes_on(
    viewer, client_of
):
    client = client_of(viewer)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    asked = client.get(reverse("accounts:connect"), follow=True)
    assert b"Confirm your password" in asked.content
    url = asked.redirect_chain[-1][0]
    typed = {"proof_password": PASSWORD, "proof_opened": "1"}
    page = client.post(url, typed, follow=True)
    assert page.redirect_chain[-1][0] == reverse("accounts:second_factor")
    assert b"It is confirmed that it is you. Choose Connect now." in page.content
    back(client, client.get(reverse("accounts:connect")))
    assert viewer.identities.get().subject == "u-1"


def test_nobody_connects_what_is_connected(viewer, client_of):
    sign_in()
    client = client_of(viewer)
    response = back(client, client.get(reverse("accounts:connect")))
    assert "connected with an account" in client.get(response.url).content.decode()
    assert not viewer.identities.exists()


def test_connected_account_is_disconnected_while_it_has_a_password(viewer, client_of):
    client = client_of(viewer)
    back(client, client.get(reverse("accounts:connect")))
    client.post(reverse("accounts:disconnect"))
    assert not Identity.objects.exists()


def test_account_without_a_password_stays_connected(db):
    client, _ = sign_in()
    response = client.post(reverse("accounts:disconnect"), follow=True)
    assert b"There is no password to sign in with instead" in response.content
    assert Identity.objects.exists()


def test_second_factor_of_the_console_is_asked_for_after_the_provider(db):
    from tests.accounts.test_second_factor import set_up

    client, _ = sign_in()
    set_up(client)
    fresh, response = sign_in()
    assert response.url == reverse("accounts:second_step")
    assert fresh.get("/").status_code == 302


def test_second_factor_of_the_provider_is_enough_where_it_is_trusted(db, settings):
    from tests.accounts.test_second_factor import set_up

    settings.REQUIRE_SECOND_FACTOR = ["operator"]
    client, _ = sign_in()
    assert client.get("/").url == reverse("accounts:second_factor")
    set_up(client)
    change(settings, second_factor=True)
    trusted, response = sign_in()
    assert response.url == "/"
    SecondFactor.objects.all().delete()
    assert trusted.get("/").status_code == 200
    assert trusted.get("/api/v1/jobs/").status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"client_secret": ""}, "CUPADMIN_OIDC_CLIENT_SECRET is missing"),
        ({"issuer": ""}, "CUPADMIN_OIDC_ISSUER is missing"),
        ({"issuer": "http://idp.example.com"}, "must begin with https://"),
        ({"scopes": "profile"}, "must name openid"),
        ({"ca_file": "/nowhere"}, "which is no file"),
        ({"roles": {"a": "root"}}, "names 'root', which is no role"),
        ({"roles": {}}, "nothing gives them a role"),
        ({"default_role": "god"}, "CUPADMIN_OIDC_DEFAULT_ROLE names 'god'"),
    ],
)
def test_half_a_configuration_is_refused(settings, fields, sentence):
    change(settings, **fields)
    with pytest.raises(Exception, match=sentence):
        call_command("check")


def test_whole_configuration_passes(settings):
    call_command("check")
