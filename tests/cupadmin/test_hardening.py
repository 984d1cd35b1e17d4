import os
import subprocess
import sys

import pytest
from django.conf import settings as configured
from django.test import Client

from accounts.models import AuditEntry

SIGN_IN = "/administration/system/sign-in/"


@pytest.fixture
def client(administrator, client_of):
    return client_of(administrator)


@pytest.mark.parametrize("url", ["/", "/search/?q=x", "/api/v1/docs/", "/nothing/"])
def test_pages_allow_only_their_own_scripts_and_styles(client, url):
    policy = client.get(url)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("url", ["/", SIGN_IN, "/api/v1/clusters/", "/nothing/"])
def test_answers_cannot_be_framed_or_sniffed(client, url):
    response = client.get(url)
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


def test_pages_hold_no_inline_script_or_style(client):
    for url in ("/", "/administration/system/users/", "/administration/system/audit/"):
        content = client.get(url).content.decode()
        assert "<style" not in content
        assert " style=" not in content
        assert "<script>" not in content
        assert " onclick=" not in content


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b", ""])
def test_other_host_names_are_refused(db, host):
    response = Client().get(SIGN_IN, headers={"host": host or ","})
    assert response.status_code == 400


def test_host_of_a_proxy_is_not_believed(db):
    headers = {"X-Forwarded-Host": "evil.example"}
    response = Client().get("/", headers=headers)
    assert "evil" not in response["Location"]


@pytest.mark.parametrize(
    ("proxies", "reported", "address"),
    [
        (0, "192.0.2.1", "127.0.0.1"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.9, 192.0.2.1", "192.0.2.1"),
        (2, "198.51.100.9, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
        (2, "192.0.2.1", None),
        (1, "nonsense", None),
        (1, "", None),
    ],
)
def test_only_our_proxies_say_where_a_request_comes_from(
    viewer, settings, proxies, reported, address
):
    settings.PROXIES = proxies
    fields = {"login": "vera", "password": "correct horse battery"}
    Client().post(SIGN_IN, fields, headers={"X-Forwarded-For": reported})
    assert AuditEntry.objects.get(action="sign in").address == address


@pytest.mark.parametrize("url", ["/nothing/", "/administration/system/users/abc/"])
def test_unknown_page_says_so(client, url):
    response = client.get(url)
    assert response.status_code == 404
    assert response.templates[0].name == "error.html"


def test_refused_page_says_why(viewer, client_of):
    response = client_of(viewer).get("/administration/system/users/")
    assert response.status_code == 403
    assert "administrator" in response.context["sentence"]


def test_unexpected_error_shows_nothing_of_its_cause(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("cupadmin.views.render", lambda *args: 1 / 0)
    response = client.get("/search/")
    assert response.status_code == 500
    assert b"Unexpected error" in response.content
    assert b"zero" not in response.content


@pytest.mark.parametrize("term", ["", " ", "\0", "%", "'\"<b>", "x" * 10_000, "𝓤"])
def test_search_takes_any_text(client, term):
    response = client.get("/search/", {"q": term})
    assert response.status_code == 200
    assert b"<b>" not in response.content


def test_search_finds_clusters_and_peers(client, cluster_factory, peer_factory):
    home, remote = cluster_factory("vienna"), cluster_factory("berlin")
    peer_factory(home, remote)
    content = client.get("/search/", {"q": "vienna"}).content.decode()
    assert home.get_absolute_url() in content
    assert remote.get_absolute_url() not in content


@pytest.mark.servers
def test_settings_for_tls_pass_the_deployment_check(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=os.environ
        | {
            "CUPADMIN_HTTPS": "true",
            "CUPADMIN_DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        },
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
