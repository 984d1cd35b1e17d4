"""Why accounts.providers.oidc checks more than django-allauth does.

Each test shows the library alone failing a promise that the console makes. When one of
them fails, the library holds that promise and our code for it may go.
"""

import pytest
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
)
from allauth.socialaccount.providers.openid_connect.views import (
    OpenIDConnectOAuth2Adapter,
)

from accounts.providers.oidc import OidcAdapter, OidcProvider
from tests.accounts.oidc import START, sign_in
from tests.accounts.oidc import pia as account

pytestmark = pytest.mark.usefixtures("keycloak")


@pytest.fixture
def alone(monkeypatch):
    """The library's own reading of an ID token, without ours."""
    own = OpenIDConnectOAuth2Adapter._decode_id_token
    monkeypatch.setattr(OidcAdapter, "_decode_id_token", own)


def test_library_sends_no_nonce(client, monkeypatch):
    def redirect(self, request, process, next_url=None, data=None, *, again=False):
        return OpenIDConnectProvider.redirect(self, request, process, next_url, data)

    monkeypatch.setattr(OidcProvider, "redirect", redirect)
    assert "nonce=" not in client.get(START).url


@pytest.mark.parametrize(
    "lies",
    [
        {"claims": {"nonce": "of another sign-in"}},
        {"header": {"alg": "none"}},
        {"claims": {"exp": None}},
        {"claims": {"azp": "another client"}},
    ],
)
def test_library_takes_a_token_that_proves_nothing(alone, provider, lies):
    provider.lies = lies
    sign_in()
    assert account().is_active


def test_library_takes_a_token_signed_by_somebody_else(alone, provider):
    provider.signs_with = provider.other_key
    sign_in()
    assert account().is_active
