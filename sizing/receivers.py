"""Keeping what collections read: users by day, and groups of nodes."""

from datetime import UTC
from typing import Any

from django.dispatch import receiver

from clusters.models import Cluster
from diagnostics.facts import ClusterFacts, Facts
from diagnostics.judge.topology import own_nodes
from diagnostics.signals import clusters_recorded
from sizing.models import GroupsSeen, UsersOnDay


@receiver(clusters_recorded)
def remember_groups(facts: Facts, **kwargs: Any) -> None:
    """Most collections do not ask for the groups; then there is nothing to keep."""
    read = {one.id: groups_of(one) for one in facts.clusters.values()}
    read = {pk: groups for pk, groups in read.items() if groups}
    if not read:
        return
    newer = GroupsSeen.objects.filter(read_at__gt=facts.at).values("pk")
    alive = Cluster.objects.filter(pk__in=read).exclude(pk__in=newer).order_by("pk")
    GroupsSeen.objects.bulk_create(
        [
            GroupsSeen(cluster_id=pk, groups=read[str(pk)], read_at=facts.at)
            for pk in alive.values_list("pk", flat=True)
        ],
        update_conflicts=True,
        unique_fields=["cluster"],
        update_fields=["groups", "read_at"],
    )


@receiver(clusters_recorded)
def remember_day(facts: Facts, **kwargs: Any) -> None:
    """The last count of a day stays; growth is seen over months."""
    own = ((one.id, one.own_users()) for one in facts.clusters.values())
    counted = {pk: users for pk, users in own if users is not None}
    day = facts.at.astimezone(UTC).date()
    alive = Cluster.objects.filter(pk__in=counted).order_by("pk")
    rows = [
        UsersOnDay(cluster_id=pk, day=day, users=counted[str(pk)])
        for pk in alive.values_list("pk", flat=True)
    ]
    UsersOnDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["cluster", "day"],
        update_fields=["users"],
    )
    UsersOnDay.objects.filter(day__lt=day - UsersOnDay.KEPT).delete()


def groups_of(here: ClusterFacts) -> list[dict[str, Any]]:
    """The groups with nodes of this cluster; empty where they were not read."""
    if here.subclusters.value is None or here.ha_nodes.value is None:
        return []
    nodes: dict[str, list[str]] = {}
    for node in own_nodes(here):
        nodes.setdefault(node.subcluster, []).append(node.name)
    return [
        {
            "name": group.name,
            "redundant": group.ha_enabled and len(nodes[group.id]) > 1,
            "nodes": nodes[group.id],
        }
        for group in here.subclusters.value
        if group.id in nodes
    ]
