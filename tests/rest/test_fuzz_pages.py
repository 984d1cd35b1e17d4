"""Odd query strings, forms, files and cookies to every page, by several people.

A short seed of them belongs to the tests; `make fuzz` sends thousands.
"""

import os
import re
from urllib.parse import quote_from_bytes

import pytest
from django.conf import settings as configured
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.roles import Role
from tests.conftest import person
from tests.rest import sent
from tests.security.matrix import MATRIX, SAMPLES
from tests.security.routes import NOBODY, routes
from tests.security.world import make_world

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("CUPADMIN_FUZZ_EXAMPLES", "1"))
MARK = "<b id=fuzz>"
VALUES = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    MARK.encode(),
    b"'\"><script>alert(1)</script>" + MARK.encode(),
    b"%",
    b"_%\\",
    b"[",
    b"(?:a+)+$",
    b"{{ 7|add:7 }}{% load x %}",
    b"-1",
    b"0",
    b"1" * 400,
    b"9223372036854775808",
    b"1e999",
    b"NaN",
    "\u202e\u0000\u2028".encode(),
    "𝓤١٢".encode(),
    b"00000000-0000-4000-8000-000000000000",
    b"10.0.0.0/24",
    b"fe80::1%eth0",
    b"../../etc/passwd",
    b"//evil.example/",
    b"javascript:alert(1)",
    b"0001-01-01T00:00",
    b"9999-12-31T23:59",
    b"2026-13-45",
    b"[]",
    b'{"a":' * 200,
    b"x" * 20_000,
    b"on",
    b"=HYPERLINK(1)",
    b"a\r\nSet-Cookie: x=y",
]
# Names that pages read besides those of their forms.
NAMES = ["q", "page", "sort", "next", "go", "at", "confirm", "a\0", "a[]", "__proto__"]
COOKIES = [
    b'"aaaaaaaa\\000aaaaaaaa"',
    b"a" * 32,
    b"A" * 5_000,
    b'"\\377\\376\\355\\240\\200"',
    b"\xff\xfe",
    b"a;b=c",
    b'"',
    b"",
    b"eyJ0Ijoi:1:aaaa",
    b'[["__json_message",0,25,"x"]]:1:x',
]
COOKIE_NAMES = ["cupadmin-sid", "cupadmin-csrf", "messages", "sessionid", "a\tb", ""]
SIGNED_IN = {
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "administrator": Role.ADMINISTRATOR,
}

PAGES = [
    pytest.param(route, id=route.name)
    for route in routes()
    if not route.is_api and route.name != "schema"
]

values = st.one_of(st.sampled_from(VALUES), st.binary(max_size=40))
cookies = st.dictionaries(
    st.sampled_from(COOKIE_NAMES),
    st.one_of(st.sampled_from(COOKIES), st.binary(max_size=40)),
    max_size=3,
)


@pytest.fixture
def world(cluster_factory):
    return make_world("alpha", cluster_factory("alpha")).ids


@pytest.fixture
def people(db):
    return {name: person(f"fuzz-{name}", role) for name, role in SIGNED_IN.items()}


def encoded(pairs):
    """Write pairs of bytes as a query string or form, whatever is in them."""
    return "&".join(
        f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}"
        for name, value in pairs
    )


def multipart(pairs):
    """The same as files and fields of an upload; what breaks its syntax may do so."""
    parts = [
        b'--fuzz\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s'
        % (name.encode(), value[:30].replace(b"\n", b""), value)
        for name, value in pairs
    ]
    return b"\r\n".join([*parts, b"--fuzz--\r\n"])


def names_on(html):
    """The names of the fields and of the query strings that a page itself uses."""
    return sorted(
        {*re.findall(r'name="([^"]+)"', html), *re.findall(r"[?;]([\w-]+)=", html)}
    )


def cookie_header(client, found):
    """The client's own cookies, behind and below the odd ones."""
    session = client.cookies.get(configured.SESSION_COOKIE_NAME)
    own = {configured.SESSION_COOKIE_NAME: session.value.encode()} if session else {}
    both = own | found
    joined = b"; ".join(name.encode() + b"=" + value for name, value in both.items())
    return joined.decode("latin-1")


@pytest.mark.parametrize("route", PAGES)
def test_odd_requests_get_a_page(route, world, people, monkeypatch):
    pk = world.get(SAMPLES.get(route.name, ""), NOBODY)
    url = route.url.replace(str(NOBODY), str(pk))
    methods = sorted(MATRIX.get(route.name, {"GET": None, "POST": None}))
    names = NAMES + names_on(seen(url, people["administrator"]))
    hammer(url, methods, names, people)


def seen(url, user):
    client = Client()
    client.force_login(user)
    answer = client.get(url)
    return "" if answer.streaming else answer.content.decode(errors="replace")


def hammer(url, methods, names, people):
    @given(
        method=st.sampled_from(methods),
        who=st.sampled_from([None, *people]),
        pairs=st.lists(st.tuples(st.sampled_from(names), values), max_size=8),
        found=st.one_of(st.just({}), cookies),
        upload=st.sampled_from([False, False, False, True]),
        partial=st.booleans(),
    )
    @settings(
        max_examples=4 * EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 10,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(method, who, pairs, found, upload, partial):
        sent.total += 1
        with transaction.atomic():
            client = Client()
            if who is not None:
                client.force_login(people[who])
            headers = {"HTTP_HX_REQUEST": "true"} if partial else {}
            headers["HTTP_COOKIE"] = cookie_header(client, found)
            client.cookies.clear()
            answer = ask_page(client, method, url, pairs, upload, headers)
            check(answer)
            transaction.set_rollback(True)

    send()


def ask_page(client, method, url, pairs, upload, headers):
    if method == "GET":
        return client.generic("GET", f"{url}?{encoded(pairs)}", **headers)
    kind, body = "application/x-www-form-urlencoded", encoded(pairs).encode()
    if upload:
        kind, body = "multipart/form-data; boundary=fuzz", multipart(pairs)
    return client.generic("POST", url, body, kind, **headers)


def check(answer):
    """No 5xx, no value of ours as markup, no header of ours."""
    assert answer.status_code < 500
    assert "x" not in answer.cookies
    if answer["Content-Type"].startswith("text/html") and not answer.streaming:
        content = answer.content.decode()
        assert MARK not in content
        assert "<script>alert(1)" not in content
        assert "Traceback" not in content
