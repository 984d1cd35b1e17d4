"""HEAD is GET without the body."""

import pytest

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "path",
    ["clusters/", "me/", "version/", "mesh/", "sizing/", "directory/duplicates/"],
)
def test_head_is_answered_as_get_without_the_body(viewer, api, path):
    client = api(viewer)
    got, head = (getattr(client, name)(f"/api/v1/{path}") for name in ("get", "head"))
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head["Content-Type"] == got["Content-Type"]


@pytest.mark.parametrize("path", ["processes/", f"jobs/{NOWHERE}/cancel/"])
def test_head_needs_the_role_of_get(viewer, api, path):
    client = api(viewer)
    url = f"/api/v1/{path}"
    assert client.head(url).status_code == client.get(url).status_code != 200
