"""The entries that clusters themselves show, as they were last read.

Nobody but the clusters knows what was changed there by hand: a plan compares with this,
and entries that the console does not know can be taken over from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from peers.changes import values_of
from peers.models import Cluster, Node, Peer
from wire import PeerEntry

if TYPE_CHECKING:
    from mesh.models import Shown


@dataclass(frozen=True)
class Stranger:
    """An entry that is on a cluster and not in the console."""

    home: Cluster
    remote: Cluster | None
    entry: PeerEntry

    @property
    def values(self) -> dict[str, str]:
        return values_of(self.entry)


Owners = Mapping[str, set[UUID]]


def node_names() -> dict[str, set[UUID]]:
    """The clusters that have a node of each name or address."""
    owners: dict[str, set[UUID]] = {}
    for name, address, cluster in Node.objects.order_by().values_list(
        "name", "address", "cluster"
    ):
        for text in (name, address):
            owners.setdefault(text.casefold(), set()).add(cluster)
    return owners


def entry_for(
    shown: Shown, remote: Cluster, peer: Peer | None, owners: Owners
) -> PeerEntry | None:
    """The entry of a side: by the peer's address, else by whose node it names."""
    wanted = {peer.address.casefold(), peer.applied_address.casefold()} if peer else ()
    for entry in shown.all:
        if entry.address.casefold() in wanted:
            return entry
    if peer is not None:
        return None
    for entry in shown.all:
        if owners.get(entry.address.casefold()) == {remote.pk}:
            return entry
    return None


def remember(tables: Mapping[str, Iterable[PeerEntry]], at: Any) -> None:
    """Keep what was read from clusters: {cluster id: entries of wire}."""
    from mesh.models import Shown

    newer = Shown.objects.filter(read_at__gt=at).values("pk")
    alive = Cluster.objects.filter(pk__in=tables).exclude(pk__in=newer)
    rows = [
        Shown(
            cluster_id=pk,
            entries=[list(values_of(entry).values()) for entry in tables[str(pk)]],
            read_at=at,
        )
        for pk in alive.order_by("pk").values_list("pk", flat=True)
    ]
    Shown.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["cluster"],
        update_fields=["entries", "read_at"],
    )


def forget(home: UUID, addresses: Iterable[str]) -> None:
    """Leave out of what a cluster showed the entries that were deleted there since."""
    from mesh.models import Shown

    gone = {address.casefold() for address in addresses}
    for row in Shown.objects.filter(pk=home):
        row.entries = [one for one in row.entries if one[0].casefold() not in gone]
        row.save(update_fields=["entries"])


def strangers() -> list[Stranger]:
    """All entries on clusters that the console does not have, in three queries."""
    from mesh.models import Shown

    owners = node_names()
    clusters = Cluster.objects.in_bulk()
    known = {
        (home, text.casefold())
        for home, *addresses in Peer.objects.order_by().values_list(
            "cluster", "address", "applied_address"
        )
        for text in addresses
    }
    return [
        Stranger(clusters[row.cluster_id], remote_of(entry, owners, clusters), entry)
        for row in Shown.objects.all()
        for entry in row.all
        if row.cluster_id in clusters
        and (row.cluster_id, entry.address.casefold()) not in known
    ]


def remote_of(
    entry: PeerEntry, owners: Owners, clusters: Mapping[UUID, Cluster]
) -> Cluster | None:
    found = owners.get(entry.address.casefold(), set())
    return clusters.get(next(iter(found))) if len(found) == 1 else None
