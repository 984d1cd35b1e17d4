"""REST twins of System > Users."""

import pytest
from django.contrib.auth.models import User

from accounts import second_factor, users
from accounts.models import ApiToken, AuditEntry, BrowserSession, Identity
from accounts.roles import Role, role_of

API = "/api/v1/users/"
PHRASE = "a much better pass phrase"


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


def body(**changes):
    return {
        "username": "newcomer",
        "role": "operator",
        "password": PHRASE,
        **changes,
    }


def patch(client, user, values):
    url = f"{API}{user.pk}/"
    etag = client.get(url)["ETag"]
    return client.patch(url, values, headers={"If-Match": etag})


def test_list_shows_role_limit_and_state(ada, viewer, cluster_factory):
    cluster = cluster_factory()
    users.limit_user(viewer, [str(cluster.pk)])
    found = ada.get(API, {"username": "vera"}).json()
    assert found["count"] == 1
    (row,) = found["results"]
    assert row["role"] == "viewer"
    assert row["clusters"] == [str(cluster.pk)]
    assert (row["is_active"], row["groups"], row["tokens"]) == (True, None, 0)
    assert "password" not in row


def test_a_list_asks_the_database_no_more_for_more_users(
    ada, django_assert_max_num_queries
):
    for number in range(20):
        User.objects.create_user(f"user{number}")
    with django_assert_max_num_queries(12):
        assert ada.get(API).json()["count"] == 21


def test_user_is_added_with_the_entry_of_the_page(ada, cluster_factory):
    cluster = cluster_factory("oslo")
    answer = ada.post(API, body(clusters=[str(cluster.pk)]))
    assert answer.status_code == 201, answer.content
    user = User.objects.get(username="newcomer")
    assert role_of(user) == Role.OPERATOR
    assert user.check_password(PHRASE)
    assert users.limit_of(user) == [str(cluster.pk)]
    entry = AuditEntry.objects.get(action="add user")
    assert entry.changes["role"] == [None, "operator"]
    assert entry.changes["clusters"] == [None, "oslo"]
    assert PHRASE not in answer.content.decode()
    assert answer["Location"].endswith(f"{API}{user.pk}/")
    assert ada.get(answer["Location"])["ETag"] == answer["ETag"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ada"),
        ("username", "a b"),
        ("username", ""),
        ("password", "short"),
        ("password", "newcomer"),
        ("role", "root"),
        ("email", "no address"),
        ("clusters", []),
        ("clusters", ["00000000-0000-4000-8000-000000000000"]),
        ("first_name", "x" * 151),
    ],
)
def test_what_the_page_refuses_is_refused(ada, field, value):
    answer = ada.post(API, body(**{field: value}))
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert User.objects.count() == 1


def test_same_key_adds_one_user(ada):
    for _ in range(2):
        headers = {"Idempotency-Key": "once"}
        assert ada.post(API, body(), headers=headers).status_code == 201
    assert User.objects.count() == 2


def test_role_and_limit_are_changed(ada, viewer, cluster_factory):
    cluster = cluster_factory()
    change = {"role": "operator", "clusters": [str(cluster.pk)]}
    answer = patch(ada, viewer, change)
    assert answer.status_code == 200, answer.content
    assert answer.json()["role"] == "operator"
    assert users.limit_of(viewer) == [str(cluster.pk)]
    assert patch(ada, viewer, {"last_name": "V"}).json()["clusters"] is not None
    assert patch(ada, viewer, {"clusters": None}).json()["clusters"] is None


def test_deactivated_user_loses_sessions_and_gets_the_role_back(ada, viewer, client_of):
    client_of(viewer)
    token = ApiToken.issue(viewer, "t", Role.VIEWER)[0]
    answer = patch(ada, viewer, {"is_active": False})
    assert (answer.json()["is_active"], answer.json()["role"]) == (False, "viewer")
    assert not BrowserSession.objects.exists()
    assert not ApiToken.objects.get(pk=token.pk).usable
    patch(ada, viewer, {"is_active": True})
    assert role_of(User.objects.get(pk=viewer.pk)) == Role.VIEWER


def test_last_administrator_stays(ada, administrator):
    answer = patch(ada, administrator, {"role": "viewer"})
    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert role_of(User.objects.get(pk=administrator.pk)) == Role.ADMINISTRATOR


def test_change_needs_what_was_read(ada, viewer):
    url = f"{API}{viewer.pk}/"
    assert ada.patch(url, {"role": "operator"}).status_code == 428
    etag = ada.get(url)["ETag"]
    patch(ada, viewer, {"last_name": "V"})
    late = ada.patch(url, {"last_name": "W"}, headers={"If-Match": etag})
    assert late.status_code == 412
    assert late.json()["differences"] == {"last_name": {"current": "V", "yours": "W"}}


def test_user_without_a_role_needs_one(ada):
    nina = User.objects.create_user("nina")
    assert patch(ada, nina, {"last_name": "N"}).status_code == 400
    assert patch(ada, nina, {"role": "viewer"}).status_code == 200


def test_what_groups_decide_is_not_changed(ada, viewer, monkeypatch):
    from accounts import grants

    grant = grants.Grant(Role.VIEWER, (), ["readers"])
    Identity.objects.create(user=viewer, provider="oidc:x", uid="1")
    monkeypatch.setattr(grants, "by_groups_of", lambda user: (None, grant))
    assert ada.get(f"{API}{viewer.pk}/").json()["groups"] == ["readers"]
    answer = patch(ada, viewer, {"role": "administrator"})
    assert answer.status_code == 400
    assert "role" in answer.json()["errors"]
    assert patch(ada, viewer, {"role": "viewer"}).status_code == 200


def test_password_is_set_and_sessions_end(ada, viewer, client_of):
    client_of(viewer)
    url = f"{API}{viewer.pk}/password/"
    assert ada.post(url, {"password": "vera"}).status_code == 400
    assert ada.post(url, {"password": PHRASE}).status_code == 204
    viewer.refresh_from_db()
    assert viewer.check_password(PHRASE)
    assert not BrowserSession.objects.exists()
    assert AuditEntry.objects.get(action="set password").object_id == str(viewer.pk)


def test_user_of_a_provider_gets_no_password(ada, viewer):
    Identity.objects.create(user=viewer, provider="oidc:x", uid="1")
    viewer.set_unusable_password()
    viewer.save()
    answer = ada.post(f"{API}{viewer.pk}/password/", {"password": PHRASE})
    assert (answer.status_code, answer.json()["code"]) == (409, "password_elsewhere")


def test_tokens_are_revoked(ada, viewer):
    ApiToken.issue(viewer, "t", Role.VIEWER)
    answer = ada.post(f"{API}{viewer.pk}/revoke-tokens/")
    assert answer.json() == {"revoked": 1}
    assert not viewer.tokens.exists()
    assert AuditEntry.objects.filter(action="revoke tokens").count() == 1


def test_second_factor_is_reset(ada, viewer):
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=viewer, type="totp", data={})
    assert ada.get(f"{API}{viewer.pk}/").json()["second_factor"] is True
    answer = ada.post(f"{API}{viewer.pk}/reset-second-factor/")
    assert answer.status_code == 204
    assert not second_factor.is_set_up(viewer)
    assert AuditEntry.objects.filter(action="reset second factor").exists()


def test_nobody_else_administers_users(viewer, operator, api, administrator):
    for user in (viewer, operator):
        client = api(user)
        assert client.get(API).status_code == 403
        assert client.post(API, body()).status_code == 403
        url = f"{API}{administrator.pk}/"
        assert client.patch(url, {"is_active": False}).status_code == 403


def test_token_for_some_clusters_administers_no_users(
    administrator, api, cluster_factory
):
    client = api(administrator)
    administrator.tokens.update(clusters=[str(cluster_factory().pk)])
    assert client.get(API).status_code == 403
    assert client.post(API, body()).status_code == 403


def test_browser_proves_itself_first(administrator, client_of):
    client = client_of(administrator)
    BrowserSession.objects.update(proved_at="2020-01-01T00:00:00Z")
    answer = client.post(API, body(), content_type="application/json")
    assert answer.status_code == 403
    assert User.objects.count() == 1


def test_there_is_no_deletion(ada, viewer):
    # The trail and jobs name users; they are deactivated, as on the page.
    assert ada.delete(f"{API}{viewer.pk}/").status_code == 405
