"""A deployment as numbers: its clusters, its mesh and the load between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from math import ceil
from typing import Any

from sizing import capacity
from sizing.limits import Figure, Platform, PublishedLimits, ReleaseLimits, limits_of
from sizing.load import ASSUMED, Load, LoadProfile, load_between, share_of


@dataclass(frozen=True)
class RedundancyGroup:
    """A presence redundancy group, or subcluster, as the cluster shows it.

    Args:
        redundant: it has two nodes and high availability.
        users: of its nodes together; None where they were not counted.
    """

    name: str
    nodes: int
    redundant: bool
    users: int | None = None


@dataclass(frozen=True)
class ClusterSize:
    """One cluster; what is not known of it is None.

    Args:
        users: homed on its own nodes.
        node_users: those of each node.
        nodes: how many nodes it has.
        growth: users in 30 days, as counted over the last months.
        redundant: whether its groups have high availability.
        associated: the users of other clusters that its peer entries show together.
        sip: whether it exchanges presence with other clusters by SIP.
        row: the row of the console; None for one that is only planned.
    """

    key: str
    name: str
    release: ReleaseLimits
    users: int | None = None
    platform: Platform | None = None
    redundant: bool | None = None
    nodes: int = 0
    node_users: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[RedundancyGroup, ...] = ()
    growth: float | None = None
    entries: int = 0
    associated: int | None = None
    sip: bool = False
    seen_at: datetime | None = None
    row: Any = None

    @cached_property
    def limits(self) -> PublishedLimits:
        return limits_of(self.release, self.platform)

    @property
    def limit(self) -> Figure | None:
        return self.limits.per_cluster

    @property
    def used_percent(self) -> float | None:
        if self.users is None or self.limit is None:
            return None
        return round(100 * self.users / self.limit.value, 1)

    @property
    def months_left(self) -> float | None:
        """Until its growth reaches the limit; None where it does not, or not known."""
        if not self.growth or self.growth < 0 or self.users is None or not self.limit:
            return None
        return max(self.limit.value - self.users, 0) / self.growth

    @property
    def carried(self) -> int | None:
        """The users that the nodes carry which it has; None where that is not known."""
        per_node = self.limits.per_node
        if per_node is None or self.redundant is None or not self.nodes:
            return None
        return capacity.carried_by(self.nodes, per_node.value, redundant=self.redundant)

    @property
    def needed(self) -> capacity.NodePlan | None:
        """The nodes that its users need."""
        per_node, most = self.limits.per_node, self.limits.nodes
        if per_node is None or most is None:
            return None
        if self.users is None or self.redundant is None:
            return None
        return capacity.nodes_for(
            self.users, per_node.value, redundant=self.redundant, most=most.value
        )


@dataclass(frozen=True)
class Direction:
    """What one cluster sends to another."""

    sender: ClusterSize
    receiver: ClusterSize
    load: Load | None
    link: float | None = None

    @property
    def link_percent(self) -> float | None:
        """How much of the link it takes; None without a link."""
        if self.load is None or self.link is None:
            return None
        return self.load.total / 10 / self.link

    @property
    def kbit_per_second(self) -> float | None:
        return self.load.kbit_per_second if self.load else None


@dataclass(frozen=True)
class Deployment:
    """All clusters in sight, taken as one full mesh.

    Args:
        link: what the link between two clusters carries, in kbit/s; None: not entered.
    """

    clusters: tuple[ClusterSize, ...]
    profile: LoadProfile = ASSUMED
    link: float | None = None

    @cached_property
    def counted(self) -> tuple[ClusterSize, ...]:
        """The clusters whose users are known."""
        return tuple(one for one in self.clusters if one.users is not None)

    @cached_property
    def known_users(self) -> int:
        return sum(one.users or 0 for one in self.counted)

    @property
    def users(self) -> int | None:
        """None while the users of a cluster are not known."""
        complete = len(self.counted) == len(self.clusters)
        return self.known_users if complete else None

    @property
    def entries(self) -> int:
        return capacity.entry_count(len(self.clusters))

    @property
    def entries_each(self) -> int:
        return max(len(self.clusters) - 1, 0)

    @property
    def links(self) -> int:
        return capacity.link_count(len(self.clusters))

    @property
    def entries_found(self) -> int:
        return sum(one.entries for one in self.clusters)

    @property
    def associated_users(self) -> int | None:
        """What the entries of all clusters together must show."""
        parts = [self.expected(one) for one in self.clusters]
        return None if None in parts else sum(part or 0 for part in parts)

    @property
    def associated_found(self) -> int | None:
        parts = [one.associated for one in self.clusters]
        return None if None in parts else sum(part or 0 for part in parts)

    def expected(self, one: ClusterSize) -> int | None:
        """The users that the entries of one cluster must show together."""
        if self.users is None or one.users is None:
            return None
        return capacity.associated_users(self.users, one.users)

    @property
    def rows(self) -> list[tuple[ClusterSize, int | None]]:
        """Each cluster, and the users that its entries must show together."""
        return [(one, self.expected(one)) for one in self.clusters]

    @property
    def limit(self) -> Figure | None:
        """Published only for some releases; the lowest of those that are here."""
        found = [one.release.mesh_clusters for one in self.clusters]
        return min((f for f in found if f), key=lambda f: f.value, default=None)

    @cached_property
    def directions(self) -> list[Direction]:
        """Each pair both ways, the heaviest first, those that are not known last."""
        found = [
            Direction(one, other, self.load_of(one, other), self.link)
            for one in self.clusters
            for other in self.clusters
            if one.key != other.key
        ]
        return sorted(found, key=lambda d: -d.load.total if d.load else 1.0)

    @property
    def total_load(self) -> float | None:
        """All directions together in kbit/s; None while one is not known."""
        loads = [one.load for one in self.directions]
        if None in loads:
            return None
        return round(sum(one.total for one in loads if one) / 1000, 1)

    def load_of(self, sender: ClusterSize, receiver: ClusterSize) -> Load | None:
        if sender.users is None or receiver.users is None:
            return None
        total = self.known_users
        return load_between(
            self.profile,
            sender.users,
            receiver.users,
            sip=sender.sip or receiver.sip,
            watched=share_of(self.profile, sender.users, total - receiver.users),
            contacted=share_of(self.profile, receiver.users, total - sender.users),
        )

    def with_cluster(self, users: int, release: ReleaseLimits) -> "Deployment":
        """The same with one more cluster."""
        added = ClusterSize("planned", "One more cluster", release, users)
        return replace(self, clusters=(*self.clusters, added))

    def grown(self, more: int) -> "Deployment":
        """The same with more users, on each cluster in proportion to those it has."""
        clusters = [self._grown(one, more) for one in self.clusters]
        return replace(self, clusters=tuple(clusters))

    def _grown(self, one: ClusterSize, more: int) -> ClusterSize:
        if one.users is None or not self.known_users:
            return one
        factor = 1 + more / self.known_users
        nodes = {name: ceil(n * factor) for name, n in one.node_users.items()}
        groups = [
            replace(g, users=None if g.users is None else ceil(g.users * factor))
            for g in one.groups
        ]
        users = round(one.users * factor)
        return replace(one, users=users, node_users=nodes, groups=tuple(groups))

    @property
    def average(self) -> int:
        """The users of a cluster of average size."""
        return round(self.known_users / len(self.counted)) if self.counted else 0
