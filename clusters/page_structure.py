"""The structure of the product's own pages, as the last visit found it."""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from clusters.models import Cluster


def structure_data(cluster: Cluster) -> dict[str, Any]:
    """What the last visit found, in the words of the REST contract."""
    never: dict[str, Any] = {"state": "never", "seen_at": None, "problem": ""}
    return {**never, "description": None, **cluster.pages_seen}


def seen_at(cluster: Cluster) -> datetime | None:
    """When the pages were visited last; None where they never were."""
    return parse_datetime(str(cluster.pages_seen.get("seen_at") or ""))
