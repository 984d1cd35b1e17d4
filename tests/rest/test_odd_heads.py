"""Odd headers and odd paths to every route: an answer, and never a 5xx."""

from base64 import b64encode

import pytest
from django.test import Client

from accounts.models import ApiToken
from accounts.roles import Role
from tests.security.routes import NOBODY, routes

pytestmark = pytest.mark.long

ROUTES = [pytest.param(route, id=route.name) for route in routes()]
# As WSGI has them: bytes, each as one character.
ODD = ["a\0b", "\xed\xa0\x80\xff\x85\u00a0", "x" * 8_000]
NAMES = (
    *("USER_AGENT", "REFERER", "ACCEPT", "ACCEPT_LANGUAGE", "ACCEPT_ENCODING"),
    *("IF_MATCH", "IF_NONE_MATCH", "IF_MODIFIED_SINCE", "RANGE", "IDEMPOTENCY_KEY"),
    *("X_REQUEST_ID", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_FORWARDED_PROTO"),
    *("HX_REQUEST", "HX_CURRENT_URL", "HX_TARGET", "HX_TRIGGER", "HX_BOOSTED"),
    *("HX_POLL", "ORIGIN", "X_CSRFTOKEN"),
)
SEGMENTS = [
    "%00",
    "%ED%A0%80",
    "%FF",
    "..%2f..",
    "a%0d%0ab",
    "%F0%9F%98%80",
    "x" * 4_000,
]
CREDENTIALS = [
    *("Bearer", "Bearer \0", "Bearer \xed\xa0\x80", "Basic", "Basic ====", "Basic \0"),
    *("Negotiate x", "bearer " + "a" * 9_000, "Bearer a b c"),
    *(
        f"Basic {b64encode(pair).decode()}"
        for pair in (b"a\0:b", b"a:b\0", b"\xed\xa0\x80:x", b":", b"", b"\xff:\xff")
    ),
]


@pytest.fixture
def browser(administrator):
    client = Client(raise_request_exception=False)
    client.force_login(administrator)
    return client


@pytest.fixture
def headers(route, administrator):
    """The sign-in of a script, where the route takes one."""
    if not route.is_api:
        return {}
    _, token = ApiToken.issue(administrator, "t", Role.ADMINISTRATOR)
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def refused(response):
    """Whether it is an answer that a client can do something with."""
    return response.status_code < 500


@pytest.mark.parametrize("route", ROUTES)
def test_odd_headers(route, browser, headers):
    for odd in ODD:
        sent = {f"HTTP_{name}": odd for name in NAMES} | headers
        for method in ("get", "post"):
            answer = getattr(browser, method)(route.url, **sent)
            assert refused(answer), (method, odd)


@pytest.mark.parametrize("route", ROUTES)
def test_odd_paths(route, browser, headers):
    # A route without an id is asked as it is once, not for each segment.
    urls = {route.url.replace(str(NOBODY), segment) for segment in SEGMENTS}
    for url in urls | {f"{route.url}{segment}/" for segment in SEGMENTS}:
        assert refused(browser.get(url, **headers)), url


@pytest.mark.parametrize("given", CREDENTIALS, ids=lambda text: repr(text[:30]))
@pytest.mark.parametrize("path", ["/api/v1/me/", "/api/v1/tokens/", "/metrics"])
def test_odd_credentials(client, db, path, given):
    client.raise_request_exception = False
    for method in ("get", "post"):
        answer = getattr(client, method)(path, HTTP_AUTHORIZATION=given)
        assert 400 <= answer.status_code < 500
