"""Which clusters shall be peers of each other, and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from uuid import UUID

from django.db.models import Q

from peers.models import Cluster, Peer
from wire import Secret

Pair = tuple[Cluster, Cluster]


@dataclass(frozen=True)
class Credentials:
    """The application user of a cluster, with which its peers sign in there."""

    username: str
    password: Secret = field(repr=False)


@dataclass(frozen=True)
class Wanted:
    """Which clusters shall be peers, and how.

    Args:
        pairs: each pair once; both sides are meant.
        protocols: by the ids of a pair, where it is not the common one.
        masks: by id of the home cluster; a cluster that is not in it keeps its own.
        side_masks: by ids of home and remote cluster, before `masks`.
        credentials: by id of the remote cluster; else its own AXL user.
    """

    pairs: tuple[Pair, ...]
    protocol: str = Peer.Protocol.TCP
    protocols: Mapping[frozenset[UUID], str] = field(default_factory=dict)
    masks: Mapping[UUID, str] = field(default_factory=dict)
    side_masks: Mapping[tuple[UUID, UUID], str] = field(default_factory=dict)
    credentials: Mapping[UUID, Credentials] = field(default_factory=dict)

    @classmethod
    def whole_mesh(cls, clusters: Iterable[Cluster], **how: Any) -> "Wanted":
        return cls(tuple(combinations(clusters, 2)), **how)

    @property
    def clusters(self) -> set[Cluster]:
        return {cluster for pair in self.pairs for cluster in pair}

    @property
    def sides(self) -> list[Pair]:
        """Home and remote cluster of every side, both sides of a pair together."""
        return [side for one, two in self.pairs for side in ((one, two), (two, one))]

    def protocol_of(self, home: Cluster, remote: Cluster) -> str:
        return str(self.protocols.get(frozenset({home.pk, remote.pk}), self.protocol))

    def mask_of(self, home: Cluster, remote: Cluster) -> str | None:
        """The mask of a side; None where nobody asked for one."""
        return self.side_masks.get((home.pk, remote.pk), self.masks.get(home.pk))


def standing_protocols(clusters: Iterable[Cluster]) -> dict[frozenset[UUID], str]:
    """The protocol of each pair with an entry already, unless its sides differ."""
    never = Q(provisioning_state=Peer.ProvisioningState.ABSENT, applied_address="")
    rows = Peer.objects.filter(cluster__in=clusters, remote_cluster__in=clusters)
    found: dict[frozenset[UUID], set[str]] = {}
    for *pair, protocol in (
        rows.exclude(never)
        .order_by()
        .values_list("cluster", "remote_cluster", "protocol")
    ):
        found.setdefault(frozenset(pair), set()).add(protocol)
    return {pair: told.pop() for pair, told in found.items() if len(told) == 1}
