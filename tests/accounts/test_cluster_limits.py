"""Limiting people and tokens to some clusters."""

import base64

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import cluster_limits, users
from accounts.models import ApiToken, AuditEntry
from accounts.roles import Role

CLUSTERS = "/administration/system/clusters/"
TOKENS = "/api/v1/tokens/"


def edit(client, user, *clusters, role="administrator"):
    url = reverse("accounts:edit_user", args=[user.pk])
    data = {"role": role, "is_active": "on", "clusters": [c.pk for c in clusters]}
    return client.post(url, data)


def test_administrator_limits_a_person(administrator, client_of, viewer, alpha, bravo):
    client = client_of(administrator)
    assert edit(client, viewer, alpha, role="viewer").status_code == 302
    assert users.limit_of(viewer) == [str(alpha.pk)]
    entry = AuditEntry.objects.get(action="edit user")
    assert entry.changes["clusters"] == ["all", "alpha"]
    assert b"1 only" in client.get(reverse("accounts:users")).content


def test_limit_works_at_once_in_an_open_session(
    administrator, client_of, viewer, alpha, bravo
):
    client = client_of(viewer)
    assert b"bravo" in client.get(CLUSTERS).content
    edit(client_of(administrator), viewer, alpha, role="viewer")
    content = client.get(CLUSTERS).content
    assert b"bravo" not in content
    assert b"limited to 1 cluster." in content
    edit(client_of(administrator), viewer, role="viewer")
    assert b"bravo" in client.get(CLUSTERS).content


def test_limit_works_at_once_on_tokens(api, viewer, alpha, bravo):
    client = api(viewer)
    url = reverse("api:clusters-detail", args=[bravo.pk])
    assert client.get(url).status_code == 200
    users.limit_user(viewer, [str(alpha.pk)])
    assert client.get(url).status_code == 404
    assert client.get("/api/v1/clusters/").json()["count"] == 1


def test_whose_last_cluster_is_deleted_sees_none(client_of, lima, alpha):
    alpha.delete()
    answer = client_of(lima).get(CLUSTERS)
    assert b"bravo" not in answer.content
    assert list(answer.context["clusters"]) == []


def test_deleted_cluster_stays_chosen_when_the_form_is_saved(
    administrator, client_of, lima, alpha
):
    pk = alpha.pk
    alpha.delete()
    client = client_of(administrator)
    page = client.get(reverse("accounts:edit_user", args=[lima.pk]))
    assert b"A deleted cluster" in page.content
    url = reverse("accounts:edit_user", args=[lima.pk])
    client.post(url, {"role": "viewer", "is_active": "on", "clusters": [pk]})
    assert users.limit_of(lima) == [str(pk)]


def test_unknown_cluster_cannot_be_chosen(administrator, client_of, viewer, alpha):
    url = reverse("accounts:edit_user", args=[viewer.pk])
    data = {"role": "viewer", "is_active": "on", "clusters": ["nonsense"]}
    response = client_of(administrator).post(url, data)
    assert response.status_code == 200
    assert response.context["form"].has_error("clusters", "invalid_choice")


def test_last_administrator_of_all_clusters_cannot_be_limited(
    administrator, client_of, lima, alpha
):
    response = edit(client_of(administrator), administrator, alpha)
    assert response.context["form"].has_error(NON_FIELD_ERRORS, "last_administrator")
    assert users.limit_of(administrator) == []


def test_person_without_a_limit_is_asked_nothing_more(client_of, viewer, lima, alpha):
    plain, limited = client_of(viewer), client_of(lima)
    counts = []
    for client in (plain, limited):
        client.get(CLUSTERS)
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(CLUSTERS)
        counts.append(len(found))
        requested = [q["sql"] for q in found if "clusterlimit" in q["sql"]]
        # The limit comes with the row of the session.
        assert len(requested) == 1
        assert "accounts_browsersession" in requested[0]
    assert counts[0] == counts[1]


def test_token_may_be_limited_further(administrator, client_of, alpha, bravo):
    client = client_of(administrator)
    data = {"name": "t", "role": "administrator", "clusters": [str(alpha.pk)]}
    page = client.post(reverse("accounts:tokens"), data)
    script = APIClient()
    script.credentials(HTTP_AUTHORIZATION=f"Bearer {page.context['text']}")
    assert [c["name"] for c in script.get("/api/v1/clusters/").json()["results"]] == [
        "alpha"
    ]
    assert script.post("/api/v1/clusters/", {}, format="json").status_code == 403
    assert ApiToken.objects.get(name="t").clusters == [str(alpha.pk)]


def test_token_is_never_worth_more_than_its_owner(lima, alpha, bravo):
    both = [str(alpha.pk), str(bravo.pk)]
    token, _ = ApiToken.issue(lima, "t", Role.VIEWER, clusters=both)
    assert token.limit.clusters == {alpha.pk}
    users.limit_user(lima, [str(bravo.pk)])
    assert ApiToken.objects.get(pk=token.pk).limit.clusters == {bravo.pk}


def test_limited_person_cannot_make_a_token_for_another_cluster(
    client_of, lima, api, bravo
):
    data = {"name": "t", "role": "viewer", "clusters": [str(bravo.pk)]}
    page = client_of(lima).post(reverse("accounts:tokens"), data)
    assert page.context["form"].has_error("clusters", "invalid_choice")
    response = api(lima).post(TOKENS, data, format="json")
    assert response.status_code == 400
    (error,) = response.data["errors"]["clusters"]
    assert error.code == "unknown" and str(bravo.pk) in error


def test_token_made_with_a_limited_token_is_limited_too(administrator, alpha, bravo):
    chosen = [str(alpha.pk)]
    text = ApiToken.issue(administrator, "t", Role.VIEWER, clusters=chosen)[1]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    made = client.post(TOKENS, {"name": "u"}, format="json").json()
    assert made["clusters"] == chosen
    ids = {"name": "v", "clusters": [str(bravo.pk)]}
    assert client.post(TOKENS, ids, format="json").status_code == 400


def test_first_token_by_password_is_within_the_limit(lima, alpha, bravo):
    client = APIClient()
    basic = base64.b64encode(b"lima:correct horse battery").decode()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {basic}")
    ids = {"name": "v", "clusters": [str(bravo.pk)]}
    assert client.post(TOKENS, ids, format="json").status_code == 400
    assert client.post(TOKENS, {"name": "v"}, format="json").status_code == 201


def test_commands_have_no_limit(lima, alpha, bravo, tmp_path):
    call_command("mesh", "export", str(tmp_path / "mesh.yaml"))
    assert "bravo" in (tmp_path / "mesh.yaml").read_text()


def test_command_limits_a_new_user(alpha, monkeypatch):
    monkeypatch.setenv("CUPADMIN_PASSWORD", "a long enough phrase")
    call_command("create_user", "nora", cluster=["alpha"])
    assert users.limit_of(User.objects.get(username="nora")) == [str(alpha.pk)]
    with pytest.raises(CommandError, match="no cluster 'nonsense'"):
        call_command("create_user", "olaf", cluster=["nonsense"])
    assert not User.objects.filter(username="olaf").exists()


def test_answer_to_one_token_is_not_repeated_to_another(administrator, alpha, bravo):
    answers = []
    for chosen in ([], [str(alpha.pk)]):
        text = ApiToken.issue(administrator, "t", Role.OPERATOR, clusters=chosen)[1]
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        url = "/api/v1/troubleshooter-runs/"
        answers.append(
            client.post(url, {}, format="json", headers={"Idempotency-Key": "same"})
        )
    assert [answer.status_code for answer in answers] == [202, 409]
    assert "job" not in answers[1].json()


def test_without_a_limit_the_database_is_asked_the_same_as_ever():
    for model in apps.get_models():
        if issubclass(model, cluster_limits.HangsOnClusters):
            plain = model._base_manager.order_by(*model._meta.ordering)
            assert str(model.objects.all().query) == str(plain.query)
