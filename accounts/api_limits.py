"""REST: the clusters that a user, a group or a token is limited to."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts import cluster_limits

MOST_CLUSTERS = 1000


def known_ids(ids: Iterable[UUID]) -> list[str]:
    """Return them as they are stored; refuse one that is no cluster."""
    known = cluster_limits.cluster_names()
    unknown = [pk for pk in ids if pk not in known]
    if unknown:
        raise serializers.ValidationError(
            f"There is no cluster {unknown[0]}.", "unknown"
        )
    return sorted({str(pk) for pk in ids})


class LimitField(serializers.ListField):
    """The ids of some clusters, or null for all; stored as no ids at all."""

    child = serializers.UUIDField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            allow_null=True, min_length=1, max_length=MOST_CLUSTERS, **kwargs
        )

    def to_internal_value(self, data: Any) -> list[str]:
        return known_ids(super().to_internal_value(data))

    def to_representation(self, data: Any) -> Any:
        return super().to_representation(data) or None
