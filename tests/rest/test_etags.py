"""The ETag of a row stands with the row only."""

import pytest


@pytest.mark.parametrize("part", ["pages/", "peer-table/"])
def test_part_of_a_cluster_has_not_the_etag_of_the_cluster(
    viewer, api, cluster_factory, part
):
    url = f"/api/v1/clusters/{cluster_factory().pk}/"
    assert "ETag" in api(viewer).get(url)
    assert "ETag" not in api(viewer).get(f"{url}{part}")


def test_job_has_not_the_etag_of_its_cluster(administrator, api, cluster_factory):
    url = f"/api/v1/clusters/{cluster_factory().pk}/test/"
    answer = api(administrator).post(url)
    assert answer.status_code == 202 and "ETag" not in answer
