"""What `errors` of a 400 holds: for each field a list of messages."""

import pytest

from accounts.roles import Role
from tests.conftest import person

CLUSTERS = "/api/v1/clusters/"
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(db, api):
    return api(person("ada", Role.ADMINISTRATOR))


def errors_in(response):
    assert response.status_code == 400
    errors = response.json()["errors"]
    for messages in errors.values():
        assert messages
        assert all(isinstance(message, str) for message in messages)
    return errors


@pytest.mark.parametrize("body", ["{", '{"name": "\\u0000"}', "[]", '{"a":1,"a":2}'])
def test_body_that_cannot_be_read_has_errors_too(client, body):
    response = client.generic("POST", CLUSTERS, body, content_type="application/json")
    assert [*errors_in(response)] == ["non_field_errors"]


def test_request_that_no_view_answers_has_errors_too(client):
    response = client.get(CLUSTERS, headers={"Host": "not allowed"})
    assert [*errors_in(response)] == ["non_field_errors"]


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "place"),
    [
        ("post", "tokens/", {"name": "x", "clusters": ["x"]}, "clusters", "0: "),
        ("post", "mesh/adopt/", {"clusters": [NOWHERE, "x"]}, "clusters", "1: "),
        (
            "post",
            "mesh/adopt/",
            {"clusters": "all", "credentials": {"x": {"username": "u"}}},
            "credentials",
            "x.password: ",
        ),
        (
            "post",
            "mesh/adopt/",
            {"clusters": "all", "credentials": {"x": 1}},
            "credentials",
            "x: ",
        ),
        (
            "patch",
            "sizing/",
            {"profile": {"contacts_per_user": -1}},
            "profile",
            "contacts_per_user: ",
        ),
        ("post", "imports/", {"document": {"peers": [{"a": []}]}}, "document", "peers"),
    ],
)
def test_message_about_a_part_of_a_field_names_the_part(
    client, method, path, body, field, place
):
    errors = errors_in(getattr(client, method)(f"/api/v1/{path}", body))
    assert errors[field][0].startswith(place)
