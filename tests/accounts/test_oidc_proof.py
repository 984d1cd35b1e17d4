"""An identity provider as proof, accounts connected with it, and second factors."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from accounts.adapters import MfaAdapter
from accounts.models import AuditEntry, BrowserSession, Identity
from tests.accounts.oidc import back, change, sign_in
from tests.elements import codes_in

pytestmark = pytest.mark.usefixtures("keycloak")

PASSWORD = "correct horse battery"


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
    requested = stale.get(ADD)
    assert b"Confirm at Keycloak" in requested.content
    assert b'type="password"' not in requested.content
    response = back(stale, stale.get(proof_url(requested)))
    assert provider.requests[-1]["prompt"] == "login"
    assert provider.requests[-1]["max_age"] == "0"
    assert response.url == ADD
    assert b"Add user" in stale.get(ADD).content
    assert AuditEntry.objects.filter(action="prove identity").exists()


def test_what_was_posted_goes_on_after_the_proof_at_the_provider(stale, viewer):
    url = reverse("accounts:edit_user", args=[viewer.pk])
    requested = stale.post(
        url, {"first_name": "Vera", "role": "viewer", "is_active": "on"}
    )
    response = back(stale, stale.get(proof_url(requested)))
    page = stale.get(response.url).content.decode()
    assert f'action="{url}"' in page
    assert 'name="first_name" value="Vera"' in page
    assert stale.get(response.url).url == "/"  # once


@pytest.mark.parametrize("claims", [{"auth_time": 1_600_000_000}, {"auth_time": None}])
def test_provider_that_did_not_ask_again_proves_nothing(stale, provider, claims):
    provider.lies = {"claims": claims}
    back(stale, stale.get(proof_url(stale.get(ADD))))
    assert proof_url(stale.get(ADD))


def test_somebody_else_at_the_provider_proves_nothing(stale, provider):
    requested = stale.get(proof_url(stale.get(ADD)))
    provider.person["sub"] = "u-2"
    back(stale, requested)
    assert proof_url(stale.get(ADD))
    assert not Identity.objects.filter(uid="u-2").exists()


def test_code_of_the_second_factor_is_a_proof_too(stale):
    from tests.accounts.test_second_factor import code_of, set_up

    BrowserSession.objects.update(proved_at=timezone.now())
    set_up(stale)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    wrong = stale.post(ADD, {"proof_code": "000000", "proof_opened": "1"})
    assert wrong.context["error"] == MfaAdapter.error_messages["incorrect_code"]
    right = {"proof_code": code_of(User.objects.latest("pk")), "proof_opened": "1"}
    assert stale.post(ADD, right).url == ADD
    actions = AuditEntry.objects.filter(action__startswith="prove")
    assert [entry.action for entry in actions] == ["prove second factor"]


def test_code_alone_is_no_proof_beside_a_password(administrator, client_of):
    from tests.accounts.test_second_factor import code_of, set_up

    client = client_of(administrator)
    set_up(client)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    response = client.post(
        ADD, {"proof_code": code_of(administrator), "proof_opened": "1"}
    )
    assert response.context["error"] and response.context["ways"].password


def test_person_connects_an_account_that_is_here_already(viewer, client_of, provider):
    client = client_of(viewer)
    page = client.get(reverse("mfa_index")).content
    assert reverse("accounts:connect").encode() in page
    back(client, client.get(reverse("accounts:connect")))
    assert Identity.objects.get(user=viewer).uid == "u-1"
    assert AuditEntry.objects.filter(action="connect account").exists()
    provider.person["groups"] = ["cup-operators"]
    sign_in()
    assert not User.objects.filter(username="pia").exists()


def test_connecting_with_an_old_proof_asks_for_the_password_and_goes_on(
    viewer, client_of
):
    client = client_of(viewer)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    requested = client.get(reverse("accounts:connect"), follow=True)
    assert b'name="proof_password"' in requested.content
    url = requested.redirect_chain[-1][0]
    typed = {"proof_password": PASSWORD, "proof_opened": "1"}
    page = client.post(url, typed, follow=True)
    assert page.redirect_chain[-1][0] == reverse("mfa_index")
    assert [one.level_tag for one in page.context["messages"]] == ["success"]
    back(client, client.get(reverse("accounts:connect")))
    assert Identity.objects.get(user=viewer).uid == "u-1"


def test_nobody_connects_what_is_connected(viewer, client_of):
    sign_in()
    client = client_of(viewer)
    response = back(client, client.get(reverse("accounts:connect")))
    assert codes_in(client.get(response.url)) == ["connected"]
    assert not Identity.objects.filter(user=viewer).exists()


def test_connected_account_is_disconnected_while_it_has_a_password(viewer, client_of):
    client = client_of(viewer)
    back(client, client.get(reverse("accounts:connect")))
    client.post(reverse("accounts:disconnect"))
    assert not Identity.objects.exists()


def test_account_without_a_password_stays_connected(db):
    client, _ = sign_in()
    response = client.post(reverse("accounts:disconnect"), follow=True)
    assert [one.level_tag for one in response.context["messages"]] == ["error"]
    assert Identity.objects.exists()


def test_second_factor_of_the_console_is_asked_for_after_the_provider(db):
    from tests.accounts.test_second_factor import code_of, set_up

    client, _ = sign_in()
    set_up(client)
    fresh, response = sign_in()
    assert response.url == reverse("mfa_authenticate")
    assert fresh.get("/").status_code == 302
    fresh.post(response.url, {"code": code_of(User.objects.latest("pk"))})
    assert fresh.get("/").status_code == 200
    entry = AuditEntry.objects.filter(action="sign in").first()
    assert entry.changes == {"with": [None, "identity provider, second factor"]}


def test_second_factor_of_the_provider_is_enough_where_it_is_trusted(db, settings):
    from tests.accounts.test_second_factor import set_up

    settings.REQUIRE_SECOND_FACTOR = ["operator"]
    client, _ = sign_in()
    assert client.get("/").url == reverse("mfa_index")
    set_up(client)
    change(settings, second_factor=True)
    trusted, response = sign_in()
    assert response.url == "/"
    Authenticator.objects.all().delete()
    assert trusted.get("/").status_code == 200
    assert trusted.get("/api/v1/jobs/").status_code == 200
