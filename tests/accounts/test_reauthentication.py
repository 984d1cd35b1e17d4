from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, BrowserSession

PASSWORD = "correct horse battery"


@pytest.fixture
def stale(administrator, client_of):
    """An administrator whose password was typed long ago."""
    client = client_of(administrator)
    long_ago = timezone.now() - timedelta(minutes=6)
    BrowserSession.objects.update(proved_at=long_ago)
    return client


def test_fresh_sign_in_is_a_proof(administrator, client_of):
    response = client_of(administrator).get(reverse("accounts:add_user"))
    assert b'name="proof_password"' not in response.content


def test_stale_proof_is_asked_for_before_the_page_opens(stale):
    response = stale.get(reverse("accounts:add_user"))
    assert b'name="proof_password"' in response.content


def test_right_password_opens_the_page(stale):
    url = reverse("accounts:add_user")
    response = stale.post(url, {"proof_password": PASSWORD, "proof_opened": "1"})
    assert (response.status_code, response.url) == (302, url)
    assert b"Add user" in stale.get(url).content
    assert AuditEntry.objects.filter(action="prove password").exists()


def test_what_was_posted_goes_on_after_the_proof(stale, viewer):
    url = reverse("accounts:edit_user", args=[viewer.pk])
    fields = {"role": "operator", "is_active": "on", "first_name": "Vera"}
    requested = stale.post(url, fields)
    assert b'name="first_name" value="Vera"' in requested.content
    viewer.refresh_from_db()
    assert viewer.first_name == ""
    stale.post(url, fields | {"proof_password": PASSWORD})
    viewer.refresh_from_db()
    assert viewer.first_name == "Vera"


def test_wrong_password_changes_nothing(stale, viewer):
    url = reverse("accounts:edit_user", args=[viewer.pk])
    response = stale.post(url, {"role": "operator", "proof_password": "wrong"})
    assert b"password is wrong" in response.content
    assert viewer.groups.get().name == "viewer"


def test_passwords_are_not_carried_in_the_form_that_asks(stale, viewer):
    secret = "planted pass phrase"
    fields = {"new_password1": secret, "new_password2": secret}
    response = stale.post(reverse("accounts:set_password", args=[viewer.pk]), fields)
    assert secret.encode() not in response.content


def test_wrong_proofs_are_limited_like_sign_ins(stale):
    url = reverse("accounts:add_user")
    for _ in range(10):
        stale.post(url, {"proof_password": "wrong"})
    response = stale.post(url, {"proof_password": PASSWORD})
    assert b"Too many attempts" in response.content


def test_htmx_gets_the_question_as_a_whole_page(stale):
    response = stale.get(reverse("accounts:add_user"), headers={"HX-Request": "true"})
    assert response["HX-Retarget"] == "body"


def test_without_the_role_there_is_no_question(viewer, client_of):
    client = client_of(viewer)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(hours=1))
    assert client.get(reverse("accounts:add_user")).status_code == 403


@pytest.fixture
def cluster(cluster_factory):
    return cluster_factory("Madrid")


def test_the_page_of_a_deletion_is_read_before_the_proof(stale, cluster):
    url = reverse("clusters:delete_cluster", args=[cluster.pk])
    assert stale.get(url).context["consequences"]


def test_the_proof_says_what_it_is_for(stale, cluster):
    url = reverse("clusters:delete_cluster", args=[cluster.pk])
    asked = stale.post(url)
    assert "Madrid" in asked.context["purpose"] and asked.context["ways"].password
    assert asked.context["purpose"].encode() in asked.content
    cluster.refresh_from_db()


def test_the_proof_names_nothing_that_is_not_there(stale, cluster):
    url = reverse("clusters:delete_cluster", args=[cluster.pk])
    cluster.delete()
    assert stale.post(url).status_code == 404
