from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import BrowserSession
from clusters.models import Cluster

PASSWORD = "correct horse battery"


@pytest.fixture
def stale(administrator, client_of):
    """An administrator's browser whose last proof is too old."""
    client = client_of(administrator)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    return client


@pytest.fixture
def cluster(cluster_factory):
    return cluster_factory()


def pages(cluster):
    return [
        reverse("clusters:delete_cluster", args=[cluster.pk]),
        reverse("clusters:trust", args=[cluster.publisher.pk]),
        reverse("services:control"),
    ]


def test_dangerous_pages_ask_for_the_password(stale, cluster):
    for url in pages(cluster):
        response = stale.post(url, {"action": "stop"})
        assert b"Confirm your password" in response.content, url
    assert Cluster.objects.exists()


def test_confirmed_deletion_goes_through_with_the_proof(stale, cluster):
    stale.post(pages(cluster)[0], {"proof_password": PASSWORD, "name": cluster.name})
    assert not Cluster.objects.exists()


def test_rest_by_a_browser_wants_the_proof_too(stale, cluster):
    url = reverse("api:clusters-detail", args=[cluster.pk])
    response = stale.delete(url, headers={"If-Match": cluster.etag})
    assert response.status_code == 403
    assert "Confirm your password" in response.json()["detail"]
    trust = reverse("api:nodes-trust", args=[cluster.publisher.pk])
    assert stale.post(trust).status_code == 403
    assert stale.post(reverse("api:services-control")).status_code == 403


def test_tokens_need_no_other_proof(administrator, api, cluster):
    url = reverse("api:clusters-detail", args=[cluster.pk])
    response = api(administrator).delete(url, headers={"If-Match": cluster.etag})
    assert response.status_code == 204
