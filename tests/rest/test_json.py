import json

import pytest

CLUSTERS = "/api/v1/clusters/"


@pytest.fixture
def post(administrator, api):
    client = api(administrator)

    def send(body):
        return client.post(CLUSTERS, body, content_type="application/json")

    return send


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"{'name': 'x'}",
        b'{"name": "a", "name": "b"}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": -Infinity}',
        b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
        b'{"peer_table": {"table": "\\udfff"}}',
        b'{"peer_table": {"a\\u0000": 1}}',
        b'{"name": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"name": 1' + b"0" * 5_000 + b"}",
        b'{"name": 1e999}',
        b'{"name": -1e999}',
    ],
    ids=repr,
)
def test_body_that_can_be_read_in_two_ways_is_refused(post, body):
    response = post(body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "value", [None, 1, 1e308, -1, True, [], {}, "", " ", "x" * 10_000, "\u202e", "\x1f"]
)
@pytest.mark.parametrize(
    "field", ["name", "domain", "site", "peer_table", "legacy_tls"]
)
def test_odd_values_are_refused_or_stored_but_never_fail(post, field, value):
    body = {
        "name": "lab",
        "domain": "example.com",
        "axl_username": "axl",
        "axl_password": "open sesame",
        field: value,
    }
    assert post(json.dumps(body)).status_code in (201, 400)


def test_brackets_within_text_are_no_depth(post):
    response = post(json.dumps({"description": "[" * 200, "name": "x"}))
    assert "depth" not in response.content.decode()
    assert "nested" not in response.content.decode()


def test_body_beyond_the_limit_is_refused(post):
    response = post(b'{"name": "' + b"x" * 3_000_000 + b'"}')
    assert response.status_code == response.json()["status"] == 413
    assert response["Content-Type"] == "application/problem+json"
