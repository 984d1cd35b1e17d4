"""What is compressed, what is not, and how small a large mesh is on the wire."""

import gzip

import pytest
from django.urls import reverse

from clusters.models import Cluster
from tests.scenes import scene

GZIP = {"Accept-Encoding": "gzip"}


def encoding(response):
    return response.get("Content-Encoding")


@pytest.fixture
def large(db):
    scene(60)


@pytest.mark.long
@pytest.mark.parametrize("name", ["home", "overview:live", "mesh:matrix"])
def test_sixty_clusters_are_small_on_the_wire(client_of, administrator, large, name):
    response = client_of(administrator).get(reverse(name), headers=GZIP)
    assert encoding(response) == "gzip"
    assert len(response.content) < 60_000
    assert gzip.decompress(response.content).count(b"<td") >= 3600


def test_a_client_that_takes_no_gzip_gets_none(client_of, viewer):
    assert encoding(client_of(viewer).get(reverse("home"))) is None


def test_two_answers_to_the_same_request_differ_in_length(client_of, viewer):
    client = client_of(viewer)
    sizes = {len(client.get(reverse("home"), headers=GZIP).content) for _ in range(20)}
    assert len(sizes) > 1


def test_a_new_token_is_not_compressed(client_of, viewer):
    values = {"name": "script", "role": "viewer", "expires": "30"}
    url = reverse("accounts:tokens")
    response = client_of(viewer).post(url, values, headers=GZIP)
    assert encoding(response) is None


@pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_generate_recovery_codes"])
def test_pages_with_secrets_are_not_compressed(client_of, viewer, name):
    response = client_of(viewer).get(reverse(name), headers=GZIP)
    assert encoding(response) is None


def test_an_etag_stays_strong(api, viewer, cluster_factory):
    cluster: Cluster = cluster_factory()
    url = reverse("api:clusters-detail", args=[cluster.pk])
    response = api(viewer).get(url, headers=GZIP)
    assert not response["ETag"].startswith("W/")
