"""Which clusters shall be peers of each other, and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from uuid import UUID

from django.db.models import Q

from clusters.models import Cluster
from peers.models import Peer
from wire import Secret

Pair = tuple[Cluster, Cluster]


@dataclass(frozen=True)
class Credentials:
    """The application user of a cluster, with which its peers sign in there."""

    username: str
    password: Secret = field(repr=False)


def peering_user(cluster: Cluster) -> Credentials:
    """The user with which peers sign in to a cluster: its own for that, else AXL's."""
    if cluster.peering_username:
        return Credentials(cluster.peering_username, cluster.unseal("peering_password"))
    return Credentials(cluster.axl_username, cluster.unseal("axl_password"))


@dataclass(frozen=True)
class MeshIntent:
    """Which clusters shall be peers, and how.

    Args:
        pairs: each pair once; both entries are meant.
        protocols: by the ids of a pair, where it is not the common one.
        masks: by id of the home cluster; a cluster that is not in it keeps its own.
        entry_masks: by ids of home and remote cluster, before `masks`.
        credentials: by id of the remote cluster; else its own AXL user.
    """

    pairs: tuple[Pair, ...]
    protocol: str = Peer.Protocol.TCP
    protocols: Mapping[frozenset[UUID], str] = field(default_factory=dict)
    masks: Mapping[UUID, str] = field(default_factory=dict)
    entry_masks: Mapping[tuple[UUID, UUID], str] = field(default_factory=dict)
    credentials: Mapping[UUID, Credentials] = field(default_factory=dict)

    @classmethod
    def whole_mesh(cls, clusters: Iterable[Cluster], **how: Any) -> "MeshIntent":
        return cls(tuple(combinations(clusters, 2)), **how)

    @property
    def clusters(self) -> set[Cluster]:
        return {cluster for pair in self.pairs for cluster in pair}

    @property
    def directions(self) -> list[Pair]:
        """Home and remote cluster of every entry, both of a pair together."""
        return [way for one, two in self.pairs for way in ((one, two), (two, one))]

    def protocol_of(self, home: Cluster, remote: Cluster) -> str:
        return str(self.protocols.get(frozenset({home.pk, remote.pk}), self.protocol))

    def mask_of(self, home: Cluster, remote: Cluster) -> str | None:
        """The mask of an entry; None where nobody asked for one."""
        return self.entry_masks.get((home.pk, remote.pk), self.masks.get(home.pk))


def rotation_intent(cluster: Cluster, password: Secret) -> MeshIntent:
    """A new password of its intercluster user, in every entry that signs in with it."""
    entries = Peer.objects.filter(
        remote_cluster=cluster, username=cluster.peering_username, removing=False
    ).select_related("cluster")
    homes = [entry.cluster for entry in entries.order_by("cluster__name")]
    return MeshIntent(
        pairs=tuple((home, cluster) for home in homes),
        protocols=existing_protocols([cluster, *homes]),
        credentials={cluster.pk: Credentials(cluster.peering_username, password)},
    )


def existing_protocols(clusters: Iterable[Cluster]) -> dict[frozenset[UUID], str]:
    """The protocol of each pair with an entry already, unless its entries differ."""
    never = Q(provisioning_state=Peer.ProvisioningState.ABSENT, applied_address="")
    rows = Peer.objects.filter(cluster__in=clusters, remote_cluster__in=clusters)
    found: dict[frozenset[UUID], set[str]] = {}
    for *pair, protocol in (
        rows.exclude(never)
        .order_by()
        .values_list("cluster", "remote_cluster", "protocol")
    ):
        found.setdefault(frozenset(pair), set()).add(protocol)
    return {
        pair: protocols.pop()
        for pair, protocols in found.items()
        if len(protocols) == 1
    }
