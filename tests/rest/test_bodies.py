"""Hostile JSON to every REST route that takes a body, found by walking the routes."""

import json
import os
import re

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import ApiToken
from accounts.roles import Role
from tests.security.matrix import SAMPLES
from tests.security.routes import NOBODY, routes
from tests.security.world import make_world

pytestmark = pytest.mark.long

# `make fuzz` tries every value in every field, the tests a quarter of them.
THOROUGH = int(os.environ.get("CUPADMIN_FUZZ_EXAMPLES", "1")) > 1
NO_OBJECTS = ["[]", '"x"', "null", "true", "1", "[[]]", "[null]", "0.5", '""']
BROKEN = [
    "{",
    "[" * 5_000,
    '{"a":' * 500 + "1" + "}" * 500,
    '{"a": 1' + "0" * 5_000 + "}",
    '{"a": 1e999}',
    '{"a": NaN}',
    '{"a": "\\u0000"}',
    '{"a\\u0000": 1}',
    '{"a": "\\ud800"}',
    '{"a": 1, "a": 2}',
]
WITH_BODY = {"POST", "PUT", "PATCH"}
# Values that are strict JSON, and that no field expects.
ODD = [
    None,
    True,
    -1,
    2**31,
    2**63,
    2**64,
    10**400,
    -(10**18),
    1e308,
    "",
    " ",
    "\x7f\x1f",
    "x" * 100_000,
    "\u202e",
    "00000000-0000-4000-8000-000000000000",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "10.0.0.0/24",
    "../..",
    [],
    [[]],
    [None],
    [{}],
    ["x"] * 3_000,
    {},
    {"a": {"a": {"a": [1]}}},
]


def operations():
    """Every (route, method) of REST that takes a body."""
    for route in routes():
        if not route.is_api or route.name in ("schema", "docs"):
            continue
        actions = getattr(route.view, "actions", None)
        methods = actions or {
            name: name
            for name in ("post", "put", "patch")
            if name in route.declarations
        }
        for method in methods:
            if method.upper() in WITH_BODY:
                yield route, method


OPERATIONS = [
    pytest.param(route, method, id=f"{method} {route.name}")
    for route, method in operations()
]


@pytest.fixture
def rest(administrator, settings):
    settings.API_RATE = 0
    client = APIClient(raise_request_exception=False)
    _, text = ApiToken.issue(administrator, "test", Role.ADMINISTRATOR)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


@pytest.fixture
def things(cluster_factory):
    """Something behind every id, so that requests get beyond 404."""
    return make_world("alpha", cluster_factory("alpha")).ids


def reached(route, things):
    """The route's address with an id that exists, where one does."""
    pk = things.get(SAMPLES.get(route.name, ""), NOBODY)
    return route.url.replace(str(NOBODY), str(pk))


def send(rest, method, url, body):
    headers = {"If-Match": "*"}
    return rest.generic(method.upper(), url, body, "application/json", headers=headers)


@pytest.mark.parametrize(("route", "method"), OPERATIONS)
def test_body_that_is_no_object_is_refused_or_not_read(route, method, rest, things):
    url = reached(route, things)
    takes_fields = method in ("put", "patch") or route.name.endswith("-list")
    for body in NO_OBJECTS + BROKEN:
        answer = send(rest, method, url, body)
        assert answer.status_code < 500, (body[:20], answer.content)
        if takes_fields:
            assert answer.status_code in (400, 404), (body[:20], answer.content)
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["detail"]


@pytest.mark.parametrize(("route", "method"), OPERATIONS)
def test_odd_value_in_any_field_never_fails(route, method, rest, things):
    url = reached(route, things)
    names = fields_of(route, method)
    for value in ODD:
        answer = send(rest, method, url, json.dumps(dict.fromkeys(names, value)))
        assert answer.status_code < 500, (str(value)[:30], answer.content)
    for number, name in enumerate(names):
        for value in ODD if THOROUGH else ODD[number % 4 :: 4]:
            answer = send(rest, method, url, json.dumps({name: value}))
            assert answer.status_code < 500, (name, str(value)[:30], answer.content)


SCHEMA = {}


def fields_of(route, method):
    """The fields that the description gives the body of an operation."""
    if not SCHEMA:
        SCHEMA.update(SchemaGenerator().get_schema(public=True))
    for path, operations in SCHEMA["paths"].items():
        if re.fullmatch(re.sub(r"\{.*?\}", "[^/]+", path), route.url):
            body = operations.get(method, {}).get("requestBody", {})
            reference = next(iter(body.get("content", {}).values()), {}).get("schema")
            name = (reference or {}).get("$ref", "").rpartition("/")[2]
            component = SCHEMA["components"]["schemas"].get(name, {})
            return ["unknown", *component.get("properties", {})]
    return ["unknown"]
