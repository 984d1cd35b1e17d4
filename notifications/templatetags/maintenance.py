"""Maintenance, for pages of rooms that know nothing of it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import template

from clusters.models import Cluster
from notifications.models import Maintenance, MaintenanceQuerySet

register = template.Library()

# More would push the list out of sight.
MOST_NAMED = 6


@register.simple_tag
def maintained_clusters() -> set[UUID]:
    """The clusters that are in maintenance now."""
    return set(Maintenance.objects.open().values_list("cluster", flat=True))


@register.inclusion_tag("notifications/_maintained.html")
def maintenance_of(*clusters: Cluster | None) -> dict[str, Any]:
    """A pill for each of these clusters that is in maintenance."""
    return {"windows": open_windows([one for one in clusters if one is not None])}


@register.inclusion_tag("notifications/_maintained.html")
def maintenance_of_all() -> dict[str, Any]:
    """The same for all clusters, above a list that names many of them."""
    return {"windows": with_names(Maintenance.objects.open())[:MOST_NAMED]}


@register.simple_tag
def open_windows(clusters: Iterable[Cluster]) -> list[Maintenance]:
    """The open maintenance windows of these clusters."""
    windows = Maintenance.objects.open().filter(cluster__in=list(clusters))
    return list(with_names(windows))


def with_names(windows: MaintenanceQuerySet) -> MaintenanceQuerySet:
    """With what a pill shows, and no more: these stand on most pages."""
    shown = windows.only("ends_at", "reason", "cluster", "cluster__name")
    return shown.select_related("cluster").order_by("cluster__name")
