"""Signing in at an identity provider: accounts, roles, names, signing out."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Attempts, AuditEntry, BrowserSession, Identity
from accounts.roles import Role, role_of
from tests.accounts.oidc import LOGIN, START, change, pia, refused, sign_in
from tests.elements import codes_in

pytestmark = pytest.mark.usefixtures("keycloak")


def test_button_is_there_only_where_a_provider_is_configured(db, settings):
    assert reverse("accounts:provider").encode() in Client().get(LOGIN).content
    settings.OIDC = None
    assert b"Keycloak" not in Client().get(LOGIN).content
    response = Client().get(START, follow=True)
    assert codes_in(response) == ["no_provider"]


def test_question_has_state_nonce_and_pkce(db, provider):
    response = Client().get(START)
    requested = parse_qs(urlsplit(response.url).query)
    assert response.url.startswith(f"{provider.url}/authorize?")
    assert requested["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(requested)
    assert requested["redirect_uri"] == [f"http://testserver{START}return/"]


def test_sign_in_at_the_provider_takes_back_no_wrong_passwords(db):
    for _ in range(3):
        Client().post(LOGIN, {"login": "pia", "password": "wrong"})
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
    assert Identity.objects.get(user=user).uid == "u-1"
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


def test_known_name_is_no_proof_of_an_account(viewer, provider):
    provider.person |= {"preferred_username": "VERA", "email": viewer.email or "v@x.y"}
    client, response = sign_in()
    refused(client, response, "name_taken", "VERA")
    assert not Identity.objects.exists()


@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "\0", "DOM\\pia"])
def test_unfit_name_is_refused(db, provider, name):
    provider.person["preferred_username"] = name
    refused(*sign_in(), "unfit_name")


@pytest.mark.parametrize(
    "odd", [None, 7, ["x"], ["\ud800"], "\ud800", "\0", "y" * 5000]
)
@pytest.mark.parametrize("name", ["given_name", "email", "groups", "sub"])
def test_odd_claims_end_in_a_sentence_or_an_account(db, provider, settings, name, odd):
    change(settings, default_role="viewer")
    provider.person[name] = odd
    assert sign_in()[1].status_code == 302


def test_person_without_a_mapped_group_is_refused(db, provider):
    provider.person["groups"] = ["others"]
    refused(*sign_in(), "no_group")


def test_required_group_is_required(db, provider, settings):
    change(settings, required_group="staff")
    refused(*sign_in(), "required_group")


def test_no_account_is_made_where_that_is_switched_off(db, settings):
    change(settings, create_accounts=False)
    refused(*sign_in(), "no_account")


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
    assert codes_in(client.get(LOGIN)) == ["deactivated"]


def test_last_administrator_is_not_demoted_by_groups(provider, administrator):
    provider.person["groups"] = ["cup-admins"]
    sign_in()
    administrator.delete()
    provider.person["groups"] = ["cup-operators"]
    client, _ = sign_in()
    assert codes_in(client.get(LOGIN)) == ["last_administrator"]
    assert role_of(pia()) == Role.ADMINISTRATOR


def test_groups_may_come_from_the_user_information(db, provider):
    provider.only_in_userinfo = {"groups", "preferred_username"}
    sign_in()
    assert role_of(pia()) == Role.OPERATOR


def test_user_information_about_somebody_else_is_refused(db, provider):
    provider.only_in_userinfo = {"groups"}
    provider.lies = {"userinfo": {"sub": "u-2"}}
    refused(*sign_in(), "unproven", "Keycloak")


def test_groups_may_lie_within_another_claim(db, provider, settings):
    change(settings, groups_claim="realm_access.roles")
    provider.person["realm_access"] = {"roles": ["cup-admins"]}
    sign_in()
    assert role_of(pia()) == Role.ADMINISTRATOR


def test_password_pages_are_not_offered(db, administrator, client_of):
    client, _ = sign_in()
    change_password = reverse("account_change_password")
    assert change_password.encode() not in client.get("/").content
    page = client.get(change_password)
    assert page.templates[0].name == "accounts/password_elsewhere.html"
    url = reverse("accounts:set_password", args=[pia().pk])
    fields = {
        "new_password1": "a fine pass phrase",
        "new_password2": "a fine pass phrase",
    }
    client_of(administrator).post(url, fields)
    assert not pia().has_usable_password()


def test_signed_out_here_one_may_sign_out_there(db, provider):
    client, _ = sign_in()
    response = client.post(reverse("account_logout"), follow=True)
    sign_out = reverse("accounts:provider_sign_out")
    assert sign_out.encode() in response.content
    url = client.get(sign_out).url
    assert url.startswith(f"{provider.url}/end?")
    assert "client_id=console" in url
    assert AuditEntry.objects.filter(action="sign out").exists()


def test_provider_without_a_page_for_signing_out_is_said(db, provider):
    provider.discovery = {"end_session_endpoint": ""}
    response = Client().get(reverse("accounts:provider_sign_out"), follow=True)
    (said,) = response.context["messages"]
    assert said.level_tag == "info" and "Keycloak" in str(said)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"client_secret": ""}, "E011.* CUPADMIN_OIDC_CLIENT_SECRET "),
        ({"issuer": ""}, "E011.* CUPADMIN_OIDC_ISSUER "),
        ({"issuer": "http://idp.example.com"}, "E012"),
        ({"issuer": f"https://{'x' * 190}"}, "E017"),
        ({"scopes": "profile"}, "E013"),
        ({"ca_file": "/nowhere"}, "E014"),
        ({"roles": {"a": "root"}}, "E015.* CUPADMIN_OIDC_ROLES "),
        ({"default_role": "god"}, "E015.* CUPADMIN_OIDC_DEFAULT_ROLE "),
    ],
)
def test_half_a_configuration_is_refused(settings, fields, code):
    change(settings, **fields)
    with pytest.raises(Exception, match=f"accounts.{code}"):
        call_command("check")


def test_whole_configuration_passes(settings):
    call_command("check")
