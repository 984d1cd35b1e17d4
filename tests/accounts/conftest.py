"""People limited to some clusters, and an identity provider on a real socket."""

import pytest

from accounts import users
from accounts.roles import Role
from cupadmin.identity import Admission, Oidc
from tests.accounts.provider import Provider
from tests.conftest import person

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


@pytest.fixture
def alpha(cluster_factory):
    return cluster_factory("alpha")


@pytest.fixture
def bravo(cluster_factory):
    return cluster_factory("bravo")


@pytest.fixture
def lima(alpha, bravo):
    user = person("lima", Role.ADMINISTRATOR)
    users.limit(user, [str(alpha.pk)])
    return user
