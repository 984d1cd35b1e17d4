import pytest
from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS
from django.urls import reverse

from accounts.models import ApiToken, AuditEntry
from accounts.roles import Role, role_of

USERS = "/administration/system/users/"
PHRASE = "a much better pass phrase"


@pytest.fixture
def client(administrator, client_of):
    return client_of(administrator)


def edit_url(user):
    return reverse("accounts:edit_user", args=[user.pk])


def fields(**changes):
    return {
        "username": "newcomer",
        "role": "operator",
        "password1": PHRASE,
        "password2": PHRASE,
        **changes,
    }


def test_list_shows_everybody_with_role_and_state(client, viewer):
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    content = client.get(USERS).content
    assert b"vera" in content
    assert b"Deactivated" in content
    assert b"Administrator" in content


def test_list_finds_by_name(client, viewer, operator):
    content = client.get(USERS, {"q": "otto"}).content
    assert b"otto" in content
    assert b">vera<" not in content


@pytest.mark.parametrize("name", ["viewer", "operator"])
def test_others_see_no_users(request, client_of, name):
    client = client_of(request.getfixturevalue(name))
    assert client.get(USERS).status_code == 403
    assert b"accounts:users" not in client.get("/").content


def test_administrator_adds_a_user(client):
    response = client.post(reverse("accounts:add_user"), fields())
    assert response.status_code == 302
    user = User.objects.get(username="newcomer")
    assert role_of(user) == Role.OPERATOR
    assert user.check_password(PHRASE)
    entry = AuditEntry.objects.get(action="add user")
    assert entry.changes["role"] == [None, "operator"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"password2": "another"},
        {"password1": "short", "password2": "short"},
        {"role": ""},
        {"role": "root"},
        {"username": "ada"},
        {"username": ""},
    ],
)
def test_bad_input_adds_nobody(client, wrong):
    response = client.post(reverse("accounts:add_user"), fields(**wrong))
    assert response.status_code == 200
    assert b"Nothing was saved" in response.content
    assert User.objects.count() == 1
    assert PHRASE.encode() not in response.content


def test_role_changes_at_once(client, viewer, client_of):
    theirs = client_of(viewer)
    client.post(edit_url(viewer), {"role": "administrator", "is_active": "on"})
    assert theirs.get(USERS).status_code == 200
    entry = AuditEntry.objects.get(action="edit user")
    assert entry.changes == {"role": ["viewer", "administrator"]}


def test_deactivated_user_loses_session_and_token(client, operator, client_of, api):
    theirs, script = client_of(operator), api(operator)
    client.post(edit_url(operator), {"role": "operator"})
    assert theirs.get("/").status_code == 302
    assert script.get("/api/v1/jobs/").status_code == 401


def test_token_is_worth_no_more_than_its_owner(client, operator, api):
    script = api(operator)
    client.post(edit_url(operator), {"role": "viewer", "is_active": "on"})
    assert script.get("/api/v1/jobs/").status_code == 200
    assert script.post("/api/v1/services/control/", {}).status_code == 403


@pytest.mark.parametrize(
    "change", [{"role": "viewer", "is_active": "on"}, {"role": "administrator"}]
)
def test_last_administrator_stays(client, administrator, change):
    response = client.post(edit_url(administrator), change)
    assert response.context["form"].has_error(NON_FIELD_ERRORS, "last_administrator")
    administrator.refresh_from_db()
    assert administrator.is_active
    assert administrator.groups.get().name == "administrator"


def test_superuser_can_be_demoted_while_another_administrator_stays(client, viewer):
    User.objects.filter(pk=viewer.pk).update(is_superuser=True)
    client.post(edit_url(viewer), {"role": "viewer", "is_active": "on"})
    viewer.refresh_from_db()
    assert not viewer.is_superuser


def test_new_password_ends_the_sessions_of_the_user(client, viewer, client_of):
    theirs = client_of(viewer)
    url = reverse("accounts:set_password", args=[viewer.pk])
    client.post(url, {"new_password1": PHRASE, "new_password2": PHRASE})
    assert theirs.get("/").status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password(PHRASE)
    assert PHRASE not in str(AuditEntry.objects.values())


def test_tokens_of_a_user_are_revoked_together(client, viewer, api):
    script = api(viewer)
    client.post(reverse("accounts:revoke_user_tokens", args=[viewer.pk]))
    assert script.get("/api/v1/jobs/").status_code == 401
    assert not ApiToken.objects.filter(user=viewer).exists()


def test_unknown_user_is_not_found(client):
    assert client.get(f"{USERS}99999999999999999999/").status_code == 404
