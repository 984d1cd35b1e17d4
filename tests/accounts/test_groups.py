"""Groups of a provider or directory give a role and clusters."""

import pytest
from django.urls import reverse

from accounts import audit, grants, tasks, users
from accounts.models import (
    ApiToken,
    AuditEntry,
    BrowserSession,
    ClusterLimit,
    GroupMapping,
    Identity,
)
from accounts.roles import Role, role_of
from tests.accounts.oidc import change, pia, refused, sign_in

pytestmark = pytest.mark.usefixtures("keycloak")

CLUSTERS = "/administration/system/clusters/"
GROUPS = "/administration/system/users/groups/"


def mapping(group, role, *clusters, provider="oidc"):
    ids = sorted(str(cluster.pk) for cluster in clusters)
    row = GroupMapping(provider=provider, group=group, role=role, clusters=ids)
    return grants.save_mapping(row, audit.CONSOLE), row


def edit(client, user, *clusters, role="viewer"):
    fields = {"role": role, "is_active": "on", "clusters": [c.pk for c in clusters]}
    return client.post(reverse("accounts:edit_user", args=[user.pk]), fields)


@pytest.fixture
def emea(provider, alpha, bravo):
    provider.person["groups"] = ["cup-emea"]
    return mapping("cup-emea", "operator", alpha)[1]


def test_groups_give_a_role_and_clusters_at_sign_in(emea, alpha):
    client, _ = sign_in()
    assert role_of(pia()) == Role.OPERATOR
    assert users.limit_of(pia()) == [str(alpha.pk)]
    assert b"bravo" not in client.get(CLUSTERS).content
    entry = AuditEntry.objects.get(action="add user")
    assert entry.changes["clusters"] == [None, "alpha"]


def test_change_of_groups_moves_the_limit_at_the_next_sign_in(
    emea, provider, alpha, bravo
):
    sign_in()
    mapping("cup-apac", "viewer", bravo)
    provider.person["groups"] = ["cup-apac"]
    sign_in()
    assert role_of(pia()) == Role.VIEWER
    assert users.limit_of(pia()) == [str(bravo.pk)]
    assert AuditEntry.objects.get(action="edit user").actor == "Keycloak"


def test_change_of_the_mapping_acts_on_live_sessions_and_tokens(emea, alpha, bravo):
    client, _ = sign_in()
    token = ApiToken.issue(pia(), "t", Role.OPERATOR)[0]
    emea.role, emea.clusters = "viewer", [str(bravo.pk)]
    assert grants.save_mapping(emea, audit.CONSOLE) == 1
    page = client.get(CLUSTERS).content
    assert b"alpha" not in page
    assert b"bravo" in page
    token = ApiToken.objects.get(pk=token.pk)
    assert (token.effective_role, token.limit.clusters) == (Role.VIEWER, {bravo.pk})


def test_deleted_mapping_ends_the_access_it_gave(emea):
    client, _ = sign_in()
    token = ApiToken.issue(pia(), "t", Role.OPERATOR)[0]
    assert grants.delete_mapping(emea, audit.CONSOLE) == 1
    assert client.get("/").status_code == 302
    assert ApiToken.objects.get(pk=token.pk).effective_role is None
    assert not BrowserSession.objects.exists()
    assert AuditEntry.objects.filter(action="withdraw role").count() == 1
    assert grants.apply_to_all(audit.CONSOLE) == 0


def test_changed_setting_acts_without_a_sign_in(emea, settings, provider):
    provider.person["groups"] = ["cup-operators"]
    sign_in()
    change(settings, roles={"cup-operators": "viewer"})
    tasks.clean_accounts()
    assert role_of(pia()) == Role.VIEWER


def test_roles_of_groups_do_not_reach_clusters_of_other_groups(
    emea, provider, alpha, bravo
):
    mapping("cup-readers", "viewer", bravo)
    provider.person["groups"] = ["cup-readers", "cup-emea"]
    sign_in()
    assert role_of(pia()) == Role.OPERATOR
    assert users.limit_of(pia()) == [str(alpha.pk)]


def test_groups_of_the_same_role_add_their_clusters(emea, provider, alpha, bravo):
    mapping("cup-apac", "operator", bravo)
    provider.person["groups"] = ["cup-apac", "cup-emea"]
    sign_in()
    assert users.limit_of(pia()) == sorted([str(alpha.pk), str(bravo.pk)])
    mapping("cup-all", "operator")
    provider.person["groups"].append("cup-all")
    sign_in()
    assert not ClusterLimit.objects.filter(user=pia()).exists()


def test_mapping_of_the_page_comes_before_the_setting(provider, alpha, bravo):
    mapping("cup-operators", "viewer", alpha)
    sign_in()
    assert role_of(pia()) == Role.VIEWER
    assert users.limit_of(pia()) == [str(alpha.pk)]


def test_unmapped_group_gets_nothing(emea, provider):
    provider.person["groups"] = ["others"]
    refused(*sign_in(), "no_group")


def test_unmapped_group_gets_the_default_role_where_one_is_set(
    emea, provider, settings
):
    change(settings, default_role="viewer")
    provider.person["groups"] = ["others"]
    sign_in()
    assert role_of(pia()) == Role.VIEWER
    assert users.limit_of(pia()) == []


def test_default_role_adds_nothing_to_a_mapped_group(emea, settings, alpha):
    change(settings, default_role="administrator")
    sign_in()
    assert role_of(pia()) == Role.OPERATOR
    assert users.limit_of(pia()) == [str(alpha.pk)]


def test_limit_set_manually_stays_where_groups_give_all_clusters(alpha, bravo):
    sign_in()
    users.limit_user(pia(), [str(alpha.pk)])
    sign_in()
    assert grants.apply_to_all(audit.CONSOLE) == 0
    assert users.limit_of(pia()) == [str(alpha.pk)]


def test_limit_of_a_group_goes_with_the_group(emea, provider):
    sign_in()
    provider.person["groups"] = ["cup-operators"]
    sign_in()
    assert users.limit_of(pia()) == []


def test_deleted_cluster_of_a_group_does_not_open_the_others(emea, alpha, bravo):
    alpha.delete()
    client, _ = sign_in()
    assert b"bravo" not in client.get(CLUSTERS).content


def test_account_with_a_password_keeps_what_an_administrator_gave(
    emea, viewer, provider
):
    key, known = f"oidc:{provider.url}", {"groups": ["x"]}
    Identity.objects.create(user=viewer, provider=key, uid="v", extra_data=known)
    assert grants.apply_to_all(audit.CONSOLE) == 0
    assert role_of(viewer) == Role.VIEWER


def test_groups_that_nobody_knows_change_nothing(emea):
    sign_in()
    Identity.objects.update(extra_data={})
    grants.delete_mapping(emea, audit.CONSOLE)
    assert role_of(pia()) == Role.OPERATOR


def test_last_administrator_is_not_unmapped(provider, administrator):
    provider.person["groups"] = ["cup-chiefs"]
    _, row = mapping("cup-chiefs", "administrator")
    sign_in()
    administrator.delete()
    with pytest.raises(users.LastAdministrator):
        grants.delete_mapping(row, audit.CONSOLE)
    assert GroupMapping.objects.exists()
    assert role_of(pia()) == Role.ADMINISTRATOR


def test_page_adds_a_mapping_and_says_what_it_changed(
    administrator, client_of, alpha, provider
):
    sign_in()
    client = client_of(administrator)
    fields = {"provider": "oidc", "group": "cup-operators", "role": "viewer"}
    page = client.post(GROUPS, {**fields, "clusters": [alpha.pk]}, follow=True)
    (said,) = map(str, page.context["messages"])
    assert "cup-operators" in said and "1 account " in said
    assert users.limit_of(pia()) == [str(alpha.pk)]
    entry = AuditEntry.objects.get(action="add group mapping")
    assert entry.actor == "ada"
    assert entry.changes["clusters"] == [None, "alpha"]


def test_page_edits_and_deletes_a_mapping(emea, administrator, client_of, alpha):
    client = client_of(administrator)
    url = reverse("accounts:edit_group", args=[emea.pk])
    fields = {"provider": "oidc", "group": "cup-emea", "role": "viewer"}
    client.post(url, fields)
    emea.refresh_from_db()
    assert (emea.role, emea.clusters) == ("viewer", [])
    assert AuditEntry.objects.get(action="edit group mapping").changes == {
        "role": ["operator", "viewer"],
        "clusters": ["alpha", "all"],
    }
    client.post(reverse("accounts:delete_group", args=[emea.pk]))
    assert not GroupMapping.objects.exists()
    assert AuditEntry.objects.filter(action="delete group mapping").exists()


def test_page_refuses_what_would_leave_no_administrator(
    provider, administrator, client_of
):
    provider.person["groups"] = ["cup-chiefs"]
    _, row = mapping("cup-chiefs", "administrator")
    client, _ = sign_in()
    administrator.delete()
    url = reverse("accounts:edit_group", args=[row.pk])
    fields = {"provider": "oidc", "group": "cup-chiefs", "role": "viewer"}
    assert b"last administrator" in client.post(url, fields).content
    deleted = client.post(reverse("accounts:delete_group", args=[row.pk]), follow=True)
    assert b"last administrator" in deleted.content
    assert GroupMapping.objects.get().role == "administrator"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"group": "cup-emea"}, "__all__"),
        ({"group": ""}, "group"),
        ({"group": "x" * 256}, "group"),
        ({"group": "a\0b"}, "group"),
        ({"role": "root"}, "role"),
        ({"provider": "ldap"}, "provider"),
        ({"clusters": ["nonsense"]}, "clusters"),
    ],
)
def test_bad_mapping_is_refused_with_a_sentence(
    emea, administrator, client_of, fields, name
):
    good = {"provider": "oidc", "group": "new", "role": "viewer"}
    page = client_of(administrator).post(GROUPS, good | fields)
    assert page.status_code == 200
    assert name in page.context["form"].errors
    assert GroupMapping.objects.count() == 1


def test_page_shows_the_mappings_of_the_settings_too(administrator, client_of, emea):
    page = client_of(administrator).get(GROUPS)
    rows = page.context["rows"]
    found = {row["mapping"].group: row.get("by_setting", False) for row in rows}
    assert found == {"cup-emea": False, "cup-admins": True, "cup-operators": True}


def test_page_of_a_user_says_where_role_and_clusters_come_from(
    emea, administrator, client_of
):
    sign_in()
    url = reverse("accounts:edit_user", args=[pia().pk])
    page = client_of(administrator).get(url)
    assert b" cup-emea (OpenID Connect)" in page.content
    fields = page.context["form"].fields
    assert fields["role"].disabled
    assert fields["clusters"].disabled


def test_what_groups_decide_is_not_changed_on_the_page_of_a_user(
    emea, administrator, client_of, alpha, bravo
):
    sign_in()
    edit(client_of(administrator), pia(), bravo, role="administrator")
    assert role_of(pia()) == Role.OPERATOR
    assert users.limit_of(pia()) == [str(alpha.pk)]
    assert ClusterLimit.objects.get(user=pia()).by_groups


def test_limited_administrator_does_not_map_groups(lima, client_of):
    assert client_of(lima).get(GROUPS).status_code == 403
