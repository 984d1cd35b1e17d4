"""Clusters whose users were counted."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from clusters.models import Cluster
from mesh.models import UsersSeen


def count(cluster: Cluster, users: dict[str, int], own: tuple[str, ...] = ()) -> None:
    values = {"users": users, "own_nodes": list(own), "read_at": timezone.now()}
    UsersSeen.objects.update_or_create(cluster=cluster, defaults=values)


@pytest.fixture
def counted(cluster_factory: Callable[..., Cluster]) -> Callable[..., Cluster]:
    """A cluster with as many users on its publisher."""

    def make(name: str, users: int | None, version: str = "8.6.4", **fields: object):  # type: ignore[no-untyped-def]
        cluster = cluster_factory(name, version=version, **fields)
        if users is not None:
            count(cluster, {cluster.publisher.name: users})
        return cluster

    return make
