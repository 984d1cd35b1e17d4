"""The way through an identity provider, as a browser goes it."""

import http.client
from dataclasses import replace
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client

from accounts.models import AuditEntry, BrowserSession
from tests.elements import codes_in

START = "/administration/system/sign-in/provider/"
LOGIN = "/administration/system/sign-in/"
RULES = ("roles", "default_role", "required_group", "create_accounts")


def change(settings, **fields):
    rules = {name: fields.pop(name) for name in list(fields) if name in RULES}
    admission = replace(settings.OIDC.admission, **rules)
    settings.OIDC = replace(settings.OIDC, admission=admission, **fields)


def visit(url):
    """Open a page of the provider, as the browser does; return where it leads."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
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


def refused(client, response, code, *named):
    assert response.status_code == 302
    assert response.url == LOGIN
    page = client.get(LOGIN)
    assert codes_in(page) == [code]
    assert all(name in page.content.decode() for name in named)
    assert not BrowserSession.objects.exists()
    assert AuditEntry.objects.filter(action="refuse sign-in").count() == 1
