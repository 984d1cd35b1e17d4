"""Calls to a provider: over verified TLS, to no other place, and nothing kept of it."""

import ssl

import pytest
from allauth.socialaccount.models import SocialApp, SocialToken
from django.test import Client

from tests.accounts.oidc import START, change, sign_in
from tests.accounts.slapd import write_certificates
from tests.elements import codes_in

pytestmark = pytest.mark.usefixtures("keycloak")


@pytest.fixture
def over_tls(provider, settings, tmp_path):
    """The provider behind a certificate of a private CA; returns the CA's file."""
    write_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    listening = provider.server.socket
    provider.server.socket = context.wrap_socket(listening, server_side=True)
    provider.url = provider.url.replace("http://", "https://")
    change(settings, issuer=provider.url)
    return str(tmp_path / "ca.pem")


def test_unknown_certificate_is_refused(db, provider, over_tls):
    assert codes_in(Client().get(START, follow=True)) == ["no_answer"]
    assert provider.requests == []


def test_certificate_of_the_set_ca_is_taken(db, provider, over_tls, settings):
    change(settings, ca_file=over_tls)
    assert Client().get(START).url.startswith(f"{provider.url}/authorize?")


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_environment_does_not_say_whom_to_trust(db, over_tls, monkeypatch, name):
    monkeypatch.setenv(name, over_tls)
    assert codes_in(Client().get(START, follow=True)) == ["no_answer"]


def test_environment_sends_nothing_through_a_proxy(db, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert sign_in()[1].url == "/"


def test_redirect_of_the_provider_is_not_followed(db, provider):
    provider.moved = f"{provider.url}/elsewhere"
    assert codes_in(Client().get(START, follow=True)) == ["no_answer"]


def test_no_secret_and_no_token_is_stored(db):
    sign_in()
    assert not SocialApp.objects.exists()
    assert not SocialToken.objects.exists()
