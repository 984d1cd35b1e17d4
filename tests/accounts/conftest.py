"""People limited to some clusters, and an identity provider on a real socket."""

import shutil
from importlib.util import find_spec

import pytest
from django.test import Client
from django.urls import reverse

from accounts import users
from accounts.identity_settings import Admission, Oidc, Saml
from accounts.roles import Role
from tests.accounts.provider import Provider
from tests.conftest import missing, person

ROLES = {"cup-admins": "administrator", "cup-operators": "operator"}


@pytest.fixture
def provider():
    with Provider() as running:
        yield running


@pytest.fixture
def keycloak(provider, settings, administrator):
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


@pytest.fixture(scope="session")
def idp_folder(tmp_path_factory):
    for package in ("onelogin", "saml2"):
        if find_spec(package) is None:
            missing("saml", f"{package} is not installed (requirements-saml.txt)")
    if shutil.which("xmlsec1") is None:
        missing("saml", "there is no xmlsec1 on this machine")
    return tmp_path_factory.mktemp("idp")


@pytest.fixture
def idp(idp_folder):
    from tests.accounts.saml_idp import Idp

    with Idp(idp_folder) as running:
        yield running


@pytest.fixture
def adfs(idp, settings, administrator):
    settings.SAML = Saml(
        metadata_url=idp.entity_id, name="AD FS", admission=Admission(roles=ROLES)
    )
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "accounts.backends.SamlBackend",
    ]
    page = Client().get(reverse("accounts:saml_metadata"))
    idp.console_metadata = page.content.decode()


@pytest.fixture
def alpha(cluster_factory):
    return cluster_factory("alpha")


@pytest.fixture
def bravo(cluster_factory):
    return cluster_factory("bravo")


@pytest.fixture
def lima(alpha, bravo):
    user = person("lima", Role.ADMINISTRATOR)
    users.limit_user(user, [str(alpha.pk)])
    return user
