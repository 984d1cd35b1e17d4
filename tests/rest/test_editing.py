from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import ApiToken, Attempts, AuditEntry
from accounts.roles import Role
from clusters.api.base import EditableViewSet
from clusters.models import Cluster
from rest.models import IdempotentAnswer

CLUSTERS = "/api/v1/clusters/"
NEW = {
    "name": "berlin",
    "domain": "example.com",
    "axl_username": "axl",
    "axl_password": "open sesame",
}


@pytest.fixture
def client(administrator, api):
    return api(administrator)


@pytest.fixture
def cluster(cluster_factory):
    return cluster_factory("vienna")


def url_of(cluster):
    return f"{CLUSTERS}{cluster.pk}/"


def test_read_gives_the_etag_that_an_edit_sends_back(client, cluster):
    etag = client.get(url_of(cluster))["ETag"]
    response = client.patch(
        url_of(cluster), {"description": "x"}, headers={"If-Match": etag}
    )
    assert response.status_code == 200
    assert response["ETag"] not in ("", etag)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_edit_without_if_match_is_a_428(client, cluster, method):
    response = getattr(client, method)(url_of(cluster), {})
    assert response.status_code == 428
    assert Cluster.objects.filter(pk=cluster.pk).exists()


@pytest.mark.parametrize("etag", ['"x"', '"0"', "x", "", '"' + "x" * 5000 + '"'])
def test_edit_with_another_etag_is_refused(client, cluster, etag):
    response = client.patch(
        url_of(cluster), {"description": "x"}, headers={"If-Match": etag}
    )
    assert response.status_code in (412, 428)
    cluster.refresh_from_db()
    assert cluster.description == ""


@pytest.mark.parametrize("write", ["W/{}", '"other", {}', "*", " {} "])
def test_other_ways_to_write_the_etag_are_understood(client, cluster, write):
    etag = write.format(cluster.etag)
    response = client.patch(
        url_of(cluster), {"description": "x"}, headers={"If-Match": etag}
    )
    assert response.status_code == 200


def test_same_key_and_body_give_the_first_answer_again(client):
    headers = {"Idempotency-Key": "order-1"}
    first = client.post(CLUSTERS, NEW, headers=headers)
    again = client.post(CLUSTERS, NEW, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert Cluster.objects.count() == 1


def test_same_key_with_another_body_is_a_409(client):
    headers = {"Idempotency-Key": "order-1"}
    client.post(CLUSTERS, NEW, headers=headers)
    response = client.post(CLUSTERS, NEW | {"name": "x"}, headers=headers)
    assert response.status_code == 409


def test_refused_request_may_be_sent_again_with_its_key(client):
    headers = {"Idempotency-Key": "order-1"}
    assert client.post(CLUSTERS, {}, headers=headers).status_code == 400
    assert client.post(CLUSTERS, NEW, headers=headers).status_code == 201


def test_key_of_one_user_is_nothing_to_another(client, django_user_model, api):
    headers = {"Idempotency-Key": "order-1"}
    client.post(CLUSTERS, NEW, headers=headers)
    other = django_user_model.objects.create_superuser("root")
    _, text = ApiToken.issue(other, "x", Role.ADMINISTRATOR)
    stranger = APIClient()
    stranger.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    response = stranger.post(CLUSTERS, NEW | {"name": "x"}, headers=headers)
    assert response.status_code == 201


def test_remembered_answer_holds_no_secret(client):
    client.post(CLUSTERS, NEW, headers={"Idempotency-Key": "order-1"})
    assert "open sesame" not in str(IdempotentAnswer.objects.values())


@pytest.mark.parametrize("key", ["x" * 201, "a\tb", "\u202ex"])
def test_odd_keys_are_refused(client, key):
    response = client.post(CLUSTERS, NEW, headers={"Idempotency-Key": key})
    assert response.status_code == 400


def in_parallel(n, work):
    """Do the work n times in eight threads and return what each gave."""

    def one(number):
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(n)))


@pytest.fixture
def script(transactional_db, administrator):
    """Sends requests as a script with a token does, from any thread."""
    _, text = ApiToken.issue(administrator, "script", Role.ADMINISTRATOR)

    def send(method, url, body, **headers):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return getattr(client, method)(url, body, headers=headers)

    return send


def test_one_of_a_hundred_edits_with_one_etag_wins(script, cluster):
    def edit(number):
        body = {"description": f"edit {number}"}
        headers = {"If-Match": cluster.etag}
        return script("patch", url_of(cluster), body, **headers).status_code

    statuses = in_parallel(100, edit)
    assert sorted(statuses) == [200] + [412] * 99
    assert AuditEntry.objects.filter(action="edit cluster").count() == 1


def test_one_of_many_posts_with_one_key_does_the_work(script):
    def post(number):
        headers = {"Idempotency-Key": "order-1"}
        return script("post", CLUSTERS, NEW, **headers).status_code

    statuses = in_parallel(20, post)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert Cluster.objects.count() == 1


def test_ten_of_two_hundred_wrong_sign_ins_are_evaluated(
    transactional_db, operator, monkeypatch
):
    looked_at = []
    monkeypatch.setattr(
        "django.contrib.auth.backends.ModelBackend.authenticate",
        lambda self, request, **credentials: looked_at.append(credentials),
    )

    def guess(number):
        client = APIClient()
        fields = {"login": "otto", "password": f"guess {number}"}
        url = "/administration/system/sign-in/"
        return client.post(url, fields, format="multipart").status_code

    assert set(in_parallel(200, guess)) == {200}
    assert len(looked_at) == 10
    assert Attempts.objects.order_by("count").first().count == 10
    assert AuditEntry.objects.filter(action="lock sign-in").count() == 1


@pytest.mark.parametrize("resource", ["clusters", "nodes", "peers"])
def test_row_that_is_edited_while_it_is_deleted_stays(
    client, cluster, cluster_factory, peer_factory, monkeypatch, resource
):
    peer = peer_factory(cluster, cluster_factory("berlin"))
    row = {"clusters": cluster, "nodes": cluster.publisher, "peers": peer}[resource]
    url = f"/api/v1/{resource}/{row.pk}/"
    etag = client.get(url)["ETag"]

    def edit_after_check(request, etag):
        type(row).objects.filter(pk=row.pk).update(revision=row.revision + 1)

    monkeypatch.setattr("rest.etags.check_if_match", edit_after_check)
    answer = client.delete(url, headers={"If-Match": etag})
    assert answer.status_code == 412
    assert answer.json()["etag"] == client.get(url)["ETag"] != etag


def test_one_of_two_deletions_is_audited(client, cluster, monkeypatch):
    etag = client.get(url_of(cluster))["ETag"]

    def delete_after_check(request, etag):
        Cluster.objects.filter(pk=cluster.pk).delete()

    monkeypatch.setattr("rest.etags.check_if_match", delete_after_check)
    answer = client.delete(url_of(cluster), headers={"If-Match": etag})
    assert answer.status_code == 412
    assert not AuditEntry.objects.filter(action="delete cluster").exists()


def test_loser_of_two_that_add_the_same_learns_its_id(
    client, cluster_factory, monkeypatch
):
    attempt = EditableViewSet.attempt

    def lose(view, change):
        cluster_factory(NEW["name"])
        return attempt(view, change)

    monkeypatch.setattr(EditableViewSet, "attempt", lose)
    answer = client.post(CLUSTERS, NEW)
    winner = Cluster.objects.get(name=NEW["name"])
    assert (answer.status_code, answer.json()["existing"]) == (409, str(winner.pk))
