import pytest
from django.utils import timezone

from clusters.models import Cluster


@pytest.fixture
def vienna(settings):
    settings.TIME_ZONE = "Europe/Vienna"


def test_times_are_in_utc_whatever_zone_the_pages_show(
    vienna, viewer, api, cluster_factory
):
    cluster = cluster_factory()
    Cluster.objects.update(checked_at=timezone.now())
    reported = api(viewer).get(f"/api/v1/clusters/{cluster.pk}/").json()["checked_at"]
    assert reported.endswith("Z")


def test_a_time_without_a_zone_is_read_as_utc(vienna, administrator, api):
    body = {"name": "script", "expires_at": "2999-07-01T00:00:00"}
    made = api(administrator).post("/api/v1/tokens/", body).json()
    assert made["expires_at"] == "2999-07-01T00:00:00Z"


def test_pages_keep_their_own_zone(vienna, viewer, client_of, cluster_factory):
    Cluster.objects.filter(pk=cluster_factory().pk).update(checked_at=timezone.now())
    content = client_of(viewer).get("/administration/system/clusters/").content
    assert b"CET" in content or b"CEST" in content
