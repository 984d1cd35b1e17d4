"""REST twins of the page Sessions."""

import pytest

from accounts import users
from accounts.models import AuditEntry, BrowserSession

API = "/api/v1/sessions/"


@pytest.fixture
def browsers(viewer, operator, client_of):
    """Two browsers of vera, one of otto."""
    return client_of(viewer), client_of(viewer), client_of(operator)


def test_people_see_their_own(browsers, viewer, api):
    found = api(viewer).get(API).json()
    assert found["count"] == 2
    assert {row["username"] for row in found["results"]} == {"vera"}
    assert not any(row["current"] for row in found["results"])


def test_browser_knows_its_own_session(browsers):
    rows = browsers[0].get(API).json()["results"]
    assert sorted(row["current"] for row in rows) == [False, True]


def test_administrators_see_all_unless_they_are_limited(
    browsers, administrator, viewer, api, cluster_factory
):
    client = api(administrator)
    assert client.get(API).json()["count"] == 3
    assert client.get(API, {"user": viewer.pk}).json()["count"] == 2
    users.limit_user(administrator, [str(cluster_factory().pk)])
    assert client.get(API).json()["count"] == 0


def test_session_is_ended(browsers, viewer, api):
    row = viewer.sessions.first()
    assert api(viewer).delete(f"{API}{row.pk}/").status_code == 204
    assert viewer.sessions.count() == 1
    assert AuditEntry.objects.get(action="end session").object_id == str(row.pk)


def test_session_of_somebody_else_is_not_there(browsers, viewer, operator, api):
    row = operator.sessions.get()
    assert api(viewer).get(f"{API}{row.pk}/").status_code == 404
    assert api(viewer).delete(f"{API}{row.pk}/").status_code == 404
    assert BrowserSession.objects.count() == 3


def test_administrator_ends_a_session_of_somebody_else(
    browsers, operator, administrator, api
):
    row = operator.sessions.get()
    assert api(administrator).delete(f"{API}{row.pk}/").status_code == 204
    assert browsers[2].get("/").status_code == 302


def test_all_others_are_ended(browsers, viewer):
    answer = browsers[0].post(f"{API}end-others/")
    assert answer.json() == {"ended": 1}
    assert browsers[0].get("/").status_code == 200
    assert browsers[1].get("/").status_code == 302
    assert AuditEntry.objects.filter(action="end sessions").count() == 1
    assert browsers[0].post(f"{API}end-others/").json() == {"ended": 0}


def test_a_token_ends_all_sessions_of_its_owner(browsers, viewer, api):
    assert api(viewer).post(f"{API}end-others/").json() == {"ended": 2}
    assert BrowserSession.objects.count() == 1
