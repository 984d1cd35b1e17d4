"""The way through a SAML provider, as a browser goes it."""

import urllib.request
from dataclasses import replace
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client

from tests.accounts.saml_idp import form_of

START = "/administration/system/sign-in/saml/"
LOGIN = "/administration/system/sign-in/"
RULES = ("roles", "default_role", "required_group", "create_accounts")


def change(settings, **fields):
    rules = {name: fields.pop(name) for name in list(fields) if name in RULES}
    admission = replace(settings.SAML.admission, **rules)
    settings.SAML = replace(settings.SAML, admission=admission, **fields)


def ask_idp(url):
    """Open the provider's page; return where its form leads, and the answer."""
    with urllib.request.urlopen(url, timeout=30) as page:
        return form_of(page.read().decode())


def post(client, place, encoded):
    """Send the form as another site does: without the cookies of ours."""
    other = Client()
    response = other.post(urlsplit(place).path, {"SAMLResponse": encoded})
    client.cookies.update(other.cookies)
    return response


def back(client, response):
    """Go to the provider and come back with its answer."""
    sent = post(client, *ask_idp(response.url))
    return client.get(sent.url) if sent.status_code == 302 else sent


def sign_in(client=None, url=START):
    client = client or Client()
    return client, back(client, client.get(url))


def sam():
    return User.objects.get(username="sam")
