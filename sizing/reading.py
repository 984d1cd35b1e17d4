"""The deployment as the console knows it: what clusters showed, what people stated."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.utils import timezone

from clusters.inventory import node_ownership
from clusters.models import Cluster
from clusters.ownership import Ownership
from mesh.models import UsersSeen
from sizing.deployment import ClusterSize, Deployment, RedundancyGroup
from sizing.limits import PLATFORMS, release_of
from sizing.load import ASSUMED
from sizing.models import ClusterPlatform, GroupsSeen, StatedProfile, UsersOnDay
from wire import plain_host

# Growth is seen over so long, and over no less.
GROWTH_OVER, GROWTH_LEAST = timedelta(days=90), timedelta(days=14)


def read_deployment() -> Deployment:
    """All clusters that the current user may see."""
    stated = StatedProfile.objects.first()
    profile, link = ASSUMED, None
    if stated is not None:
        profile, link = replace(ASSUMED, **stated.values), stated.link_kbit_per_second
    return Deployment(tuple(cluster_sizes(managed_clusters())), profile, link)


def managed_clusters() -> Iterable[Cluster]:
    """The clusters with the number of their entries and of the users these show."""
    # Entries that lead out of sight are not compared with clusters in sight.
    remote = Q(peers__remote_cluster__in=Cluster.objects.order_by().values("pk"))
    return (
        Cluster.objects.order_by("name")
        .prefetch_related("nodes")
        .annotate(
            entry_count=Count("peers", filter=remote),
            unread=Count("peers", filter=remote & Q(peers__associated_users=None)),
            associated=Sum("peers__associated_users", filter=remote),
        )
    )


def cluster_sizes(clusters: Iterable[Cluster]) -> Iterable[ClusterSize]:
    owners = node_ownership()
    seen = UsersSeen.objects.in_bulk()
    stated = ClusterPlatform.objects.in_bulk()
    groups = GroupsSeen.objects.in_bulk()
    grown = user_growth()
    for cluster in clusters:
        found = cluster_size(
            cluster, seen.get(cluster.pk), stated.get(cluster.pk), owners
        )
        found = replace(found, growth=grown.get(cluster.pk))
        yield with_groups(found, groups.get(cluster.pk))


def user_growth() -> dict[UUID, float]:
    """Users in 30 days of each cluster that was counted long enough."""
    since = timezone.now().date() - GROWTH_OVER
    found: dict[UUID, float] = {}
    days: dict[UUID, list[UsersOnDay]] = {}
    for one in UsersOnDay.objects.filter(day__gte=since).order_by("day"):
        days.setdefault(one.cluster_id, []).append(one)
    for pk, (first, *_, last) in ((k, v) for k, v in days.items() if len(v) > 1):
        length = (last.day - first.day).days
        if length >= GROWTH_LEAST.days:
            found[pk] = (last.users - first.users) * 30 / length
    return found


def with_groups(one: ClusterSize, seen: GroupsSeen | None) -> ClusterSize:
    """Add the groups that it shows; what a person stated of them goes first."""
    if seen is None:
        return one
    users = {plain_host(name): n for name, n in one.node_users.items()}
    groups = tuple(
        RedundancyGroup(
            group["name"],
            len(group["nodes"]),
            group["redundant"],
            sum(users.get(plain_host(name), 0) for name in group["nodes"])
            if one.users is not None
            else None,
        )
        for group in seen.groups
    )
    redundant = one.redundant
    if redundant is None and len({group.redundant for group in groups}) == 1:
        redundant = groups[0].redundant
    return replace(one, groups=groups, redundant=redundant)


def cluster_size(
    cluster: Cluster,
    seen: UsersSeen | None,
    stated: ClusterPlatform | None,
    owners: Ownership[UUID],
) -> ClusterSize:
    users = own_users(cluster, seen, owners) if seen else None
    nodes = {plain_host(name) for name in seen.own_nodes} if seen else set()
    platform = PLATFORMS.get(stated.platform) if stated else None
    redundant = {"yes": True, "no": False}.get(stated.redundant) if stated else None
    is_counted = cluster.entry_count and not cluster.unread  # type: ignore[attr-defined]
    return ClusterSize(
        str(cluster.pk),
        cluster.name,
        release_of(cluster.version, cluster.generation),
        users=None if users is None else sum(users.values()),
        platform=platform,
        redundant=redundant,
        nodes=len(nodes) or len(cluster.nodes.all()),
        node_users=users or {},
        entries=cluster.entry_count,  # type: ignore[attr-defined]
        associated=cluster.associated if is_counted else None,  # type: ignore[attr-defined]
        sip=cluster.profile.peering_transport == "sip",
        seen_at=seen.read_at if seen else None,
        row=cluster,
    )


def own_users(
    cluster: Cluster, seen: UsersSeen, owners: Ownership[UUID]
) -> dict[str, int]:
    """The users of each of the cluster's own nodes."""
    own = {plain_host(name) for name in seen.own_nodes}
    return {
        name: count
        for name, count in seen.users.items()
        if name and (plain_host(name) in own or owners.of(name) == cluster.pk)
    }
