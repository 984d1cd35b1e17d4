"""What an Idempotency-Key keeps, and to whom the first answer is given again."""

import hashlib

import pytest
from django.db import IntegrityError
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts import users
from accounts.models import ApiToken
from accounts.roles import Role
from clusters.models import Cluster
from rest.models import IdempotentAnswer

CLUSTERS = "/api/v1/clusters/"
NEW = {"name": "vienna", "axl_username": "axl", "axl_password": "hunter2"}
HEADERS = {"Idempotency-Key": "order-1"}


@pytest.fixture
def post(administrator):
    """Send with one and the same token of an administrator."""
    token, text = ApiToken.issue(administrator, "script", Role.ADMINISTRATOR)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")

    def send(url, body=None):
        return client.post(url, body or {}, format="json", headers=HEADERS)

    send.token = token
    return send


@pytest.fixture
def discover(cluster_factory):
    home = cluster_factory("home")
    cluster_factory("remote")
    return f"{CLUSTERS}{home.pk}/discover/", home


def limit(user, *clusters):
    users.limit_user(user, [str(cluster.pk) for cluster in clusters])


def role(user, name):
    user.groups.set([user.groups.model.objects.get_or_create(name=name)[0]])


def test_kept_hash_of_a_body_needs_the_secret_key(post, settings):
    assert post(CLUSTERS, NEW).status_code == 201
    saved = IdempotentAnswer.objects.get().request_hash
    body = '{"name":"vienna","axl_username":"axl","axl_password":"hunter2"}'
    for word in ("guess", "hunter2"):
        tried = f"{post.token.pk} {CLUSTERS}\n{body.replace('hunter2', word)}"
        assert hashlib.sha256(tried.encode()).hexdigest() != saved
    settings.SECRET_KEY = "b" * 60
    assert post(CLUSTERS, NEW).status_code == 409


def test_key_holds_over_a_change_of_the_secret_key(post, settings):
    first = post(CLUSTERS, NEW)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "b" * 60
    assert post(CLUSTERS, NEW).json() == first.json()


def test_answer_is_not_repeated_beyond_a_newer_limit(post, discover, administrator):
    url, home = discover
    assert post(url).status_code == 202
    limit(administrator, Cluster.objects.get(name="remote"))
    answer = post(url)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_visible_now")
    assert home.name not in answer.content.decode()


def test_answer_is_not_repeated_to_a_token_that_lost_clusters(post, discover):
    url, _ = discover
    assert post(url).status_code == 202
    remote = Cluster.objects.get(name="remote")
    ApiToken.objects.update(clusters=[str(remote.pk)])
    assert post(url).json()["code"] == "not_visible_now"


def test_answer_is_repeated_within_the_same_limit(post, discover, administrator):
    url, home = discover
    limit(administrator, home)
    first = post(url)
    assert first.status_code == 202
    assert post(url).json() == first.json()
    limit(administrator)
    assert post(url).json() == first.json()


def test_answer_is_not_repeated_when_its_object_is_out_of_sight(
    post, discover, administrator
):
    url, home = discover
    body = {"name": "sub.example.com", "address": "192.0.2.9", "role": "subscriber"}
    body["cluster"] = str(home.pk)
    limit(administrator, home)
    assert post("/api/v1/nodes/", body).status_code == 201
    remote = Cluster.objects.get(name="remote")
    home.nodes.filter(address="192.0.2.9").update(cluster=remote)
    assert post("/api/v1/nodes/", body).json()["code"] == "not_visible_now"


def test_answer_is_not_repeated_to_a_lower_role(post, cluster_factory, administrator):
    url = f"{CLUSTERS}{cluster_factory().pk}/test/"
    assert post(url).status_code == 202
    role(administrator, "operator")
    assert post(url).json()["code"] == "not_visible_now"
    role(administrator, "viewer")
    assert post(url).status_code == 403


def test_cancelled_job_is_cancelled_once(post, cluster_factory):
    job = post(f"{CLUSTERS}{cluster_factory().pk}/test/").json()["id"]
    IdempotentAnswer.objects.all().delete()
    first = post(f"/api/v1/jobs/{job}/cancel/")
    again = post(f"/api/v1/jobs/{job}/cancel/")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]


def test_each_post_takes_a_key_unless_its_answer_holds_a_secret():
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    without = [
        path.removeprefix("/api/v1/")
        for path, methods in paths.items()
        if "post" in methods
        and "Idempotency-Key"
        not in {one["name"] for one in methods["post"].get("parameters", ())}
    ]
    assert without == ["tokens/", "webhooks/"]


def test_answer_with_a_secret_is_not_kept(post):
    body = {"name": "hook", "url": "https://chat.example.com/", "topics": ["job"]}
    assert post("/api/v1/webhooks/", body).status_code == 201
    assert not IdempotentAnswer.objects.exists()


def test_key_of_a_request_that_broke_is_free_again(post, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr("clusters.editing.save_cluster", fail)
        with pytest.raises(ZeroDivisionError):
            post(CLUSTERS, NEW)
    assert post(CLUSTERS, NEW).status_code == 201


def test_first_request_that_fails_beside_the_second_is_a_conflict(post, monkeypatch):
    def lose(**values):
        raise IntegrityError

    monkeypatch.setattr(IdempotentAnswer.objects, "create", lose)
    assert post(CLUSTERS, NEW).status_code == 409


def test_typed_names_are_counted_under_keyed_hashes(db):
    from accounts.lockout import key_of

    bare = hashlib.sha256(b"name\0hunter2").hexdigest()
    assert key_of("name", "hunter2") != bare
