"""REST twins of System > Users > Groups."""

import pytest

from accounts import users
from accounts.models import AuditEntry, GroupMapping
from accounts.roles import Role, role_of
from tests.accounts.oidc import change, pia, refused, sign_in

API = "/api/v1/group-mappings/"
NOBODY = "00000000-0000-4000-8000-000000000000"

pytestmark = pytest.mark.usefixtures("keycloak")


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


def body(**changes):
    return {"provider": "oidc", "group": "cup-emea", "role": "operator", **changes}


def edit(client, pk, values):
    url = f"{API}{pk}/"
    return client.patch(url, values, headers={"If-Match": client.get(url)["ETag"]})


def test_mapping_is_added_and_gives_role_and_clusters(ada, provider, alpha):
    answer = ada.post(API, body(clusters=[str(alpha.pk)]))
    assert answer.status_code == 201, answer.content
    assert answer.json()["accounts_changed"] == 0
    assert AuditEntry.objects.filter(action="add group mapping").count() == 1
    provider.person["groups"] = ["cup-emea"]
    sign_in()
    assert role_of(pia()) == Role.OPERATOR
    assert users.limit_of(pia()) == [str(alpha.pk)]


def test_change_acts_on_accounts_at_once(ada, provider, alpha, bravo):
    pk = ada.post(API, body(clusters=[str(alpha.pk)])).json()["id"]
    provider.person["groups"] = ["cup-emea"]
    sign_in()
    answer = edit(ada, pk, {"role": "viewer", "clusters": [str(bravo.pk)]})
    assert answer.json()["accounts_changed"] == 1
    assert (role_of(pia()), users.limit_of(pia())) == (Role.VIEWER, [str(bravo.pk)])
    assert edit(ada, pk, {"clusters": None}).json()["clusters"] is None
    assert users.limit_of(pia()) == []


def test_deletion_ends_the_access(ada, provider):
    pk = ada.post(API, body()).json()["id"]
    provider.person["groups"] = ["cup-emea"]
    sign_in()
    url = f"{API}{pk}/"
    assert ada.delete(url).status_code == 428
    etag = ada.get(url)["ETag"]
    assert ada.delete(url, headers={"If-Match": etag}).status_code == 204
    assert not GroupMapping.objects.exists()
    assert role_of(pia()) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", "saml"),  # not set up here
        ("provider", "kerberos"),
        ("group", ""),
        ("group", "x" * 256),
        ("role", "root"),
        ("clusters", []),
        ("clusters", [NOBODY]),
    ],
)
def test_what_cannot_be_mapped_is_refused(ada, field, value):
    answer = ada.post(API, body(**{field: value}))
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not GroupMapping.objects.exists()


def test_group_is_mapped_once(ada):
    assert ada.post(API, body()).status_code == 201
    assert ada.post(API, body(role="viewer")).status_code == 400
    assert GroupMapping.objects.count() == 1


def test_providers_show_what_an_unmapped_group_gets(ada, settings, provider):
    (row,) = ada.get("/api/v1/identity-providers/").json()
    assert (row["provider"], row["default_role"]) == ("oidc", None)
    provider.person["groups"] = ["nobody-knows-it"]
    ada.post(API, body())
    refused(*sign_in(), "no_group")
    change(settings, default_role="viewer")
    (row,) = ada.get("/api/v1/identity-providers/").json()
    assert row["default_role"] == "viewer"
    sign_in()
    assert role_of(pia()) == Role.VIEWER


def test_others_map_no_groups(viewer, operator, api):
    for user in (viewer, operator):
        assert api(user).get(API).status_code == 403
        assert api(user).post(API, body()).status_code == 403
        assert api(user).get("/api/v1/identity-providers/").status_code == 403
