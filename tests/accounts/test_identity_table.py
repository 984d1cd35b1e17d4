"""Identities lie in django-allauth's table; what they meant before is kept."""

from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import Identity
from tests.accounts.oidc import pia, sign_in

BEGAN = datetime(2025, 1, 2, tzinfo=UTC)
USED = datetime(2026, 3, 4, tzinfo=UTC)


def moved(user, **fields):
    """Run the data migration over one identity of before."""
    row = {"issuer": "https://idp", "subject": "u-1", "groups": None, **fields}
    row |= {"user_id": user.pk, "created_at": BEGAN}
    rows = SimpleNamespace(iterator=lambda: [SimpleNamespace(**row)])
    models = {"Identity": SimpleNamespace(objects=rows), "SocialAccount": SocialAccount}
    apps = SimpleNamespace(get_model=lambda app, name: models[name])
    import_module("accounts.migrations.0010_identities_of_allauth").move(apps, None)
    return Identity.objects.get(user=user)


def test_identity_of_a_provider_is_moved_with_its_times(viewer):
    identity = moved(viewer, provider="oidc", used_at=USED, groups=["staff"])
    assert (identity.provider, identity.uid) == ("oidc:https://idp", "u-1")
    assert (identity.date_joined, identity.last_login) == (BEGAN, USED)
    assert identity.groups == ["staff"]


def test_identity_of_a_directory_is_moved(viewer):
    identity = moved(viewer, provider="ldap", issuer="ldap", used_at=None)
    assert (identity.provider, identity.last_login) == ("ldap", BEGAN)
    assert identity.kind == Identity.Provider.LDAP
    assert identity.groups is None


@pytest.mark.usefixtures("keycloak")
def test_moved_identity_signs_in_to_the_same_account(viewer, provider):
    moved(viewer, provider="oidc", issuer=provider.url, used_at=None)
    client, _ = sign_in()
    assert client.get("/").wsgi_request.user == viewer
    assert Identity.objects.count() == 1


@pytest.mark.usefixtures("keycloak")
def test_subject_beyond_the_column_is_known_again(provider):
    provider.person["sub"] = "s" * 5000
    sign_in()
    sign_in()
    identity = Identity.objects.get()
    assert identity.user == pia()
    assert identity.uid.startswith("sha256:")
    provider.person["sub"] = "s" * 4999
    assert sign_in(Client())[1].url != "/"


@pytest.mark.usefixtures("keycloak")
def test_same_subject_of_another_issuer_is_somebody_else(viewer, provider):
    moved(viewer, provider="oidc", issuer="https://other.example", used_at=None)
    sign_in()
    assert Identity.objects.get(user=pia()).provider == f"oidc:{provider.url}"
    assert Identity.objects.count() == 2
