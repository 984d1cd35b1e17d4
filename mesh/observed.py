"""The entries that clusters themselves show, as they were last read.

Nobody but the clusters knows what was changed there by hand: a plan compares with this,
and entries that the console does not know can be taken over from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from clusters.inventory import machine_ownership, node_ownership
from clusters.models import Cluster
from clusters.ownership import Ownership
from peers.models import Peer
from peers.values import visible_values
from wire import PeerEntry, plain_host

if TYPE_CHECKING:
    from mesh.models import ObservedPeerTable


@dataclass(frozen=True)
class UnmanagedEntry:
    """An entry that is on a cluster and not in the console."""

    home: Cluster
    remote: Cluster | None
    entry: PeerEntry

    @property
    def values(self) -> dict[str, str]:
        """The values of the entry; a protocol whose code is not known is the usual."""
        values = visible_values(self.entry)
        return values | {"protocol": values["protocol"] or Peer.Protocol.TCP.value}

    @property
    def assumed(self) -> tuple[str, ...]:
        return () if self.entry.protocol else ("protocol",)

    @property
    def key(self) -> str:
        """Names the entry in addresses of pages, whatever the cluster calls it."""
        address = self.entry.address.encode(errors="surrogatepass")
        return hashlib.sha256(address).hexdigest()[:32]


def entry_for(
    table: ObservedPeerTable,
    remote: Cluster,
    peer: Peer | None,
    owners: Ownership[UUID],
    machines: Ownership[UUID],
) -> PeerEntry | None:
    """The entry for a remote cluster: by the address, otherwise by whose node it is."""
    if peer is not None:
        addresses = {plain_host(peer.address), plain_host(peer.applied_address)} - {""}
        same = [one for one in table.all if plain_host(one.address) in addresses]
        alike = (one for one in table.all if machines.same(one.address, peer.address))
        return same[0] if same else next(alike, None)
    for entry in table.all:
        if owners.of(entry.address) == remote.pk:
            return entry
    return None


def store_tables(
    tables: Mapping[str, Iterable[PeerEntry]], at: Any, pages: Collection[str] = ()
) -> None:
    """Keep what was read from clusters: {cluster id: entries of wire}.

    Args:
        pages: the ids of those whose own pages showed them.
    """
    from mesh.models import ObservedPeerTable

    newer = ObservedPeerTable.objects.filter(read_at__gt=at).values("pk")
    alive = Cluster.objects.filter(pk__in=tables).exclude(pk__in=newer)
    rows = [
        ObservedPeerTable(
            cluster_id=pk,
            entries=[list(visible_values(entry).values()) for entry in tables[str(pk)]],
            by_pages=str(pk) in pages,
            read_at=at,
        )
        for pk in alive.order_by("pk").values_list("pk", flat=True)
    ]
    ObservedPeerTable.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["cluster"],
        update_fields=["entries", "by_pages", "read_at"],
    )


def forget_entries(home: UUID, addresses: Iterable[str]) -> None:
    """Leave out of what a cluster showed the entries that were deleted there since."""
    from mesh.models import ObservedPeerTable

    gone = {plain_host(address) for address in addresses}
    for row in ObservedPeerTable.objects.filter(pk=home):
        row.entries = [one for one in row.entries if plain_host(one[0]) not in gone]
        row.save(update_fields=["entries"])


def unmanaged_entries() -> list[UnmanagedEntry]:
    """All entries on clusters that the console does not have, in four queries."""
    from mesh.models import ObservedPeerTable

    owners, nodes = node_ownership(), machine_ownership()
    clusters = Cluster.objects.in_bulk()
    known = {
        (home, nodes.of(text) or plain_host(text))
        for home, *addresses in Peer.objects.order_by().values_list(
            "cluster", "address", "applied_address"
        )
        for text in addresses
    }
    return [
        UnmanagedEntry(
            clusters[row.cluster_id], remote_of(entry, owners, clusters), entry
        )
        for row in ObservedPeerTable.objects.all()
        for entry in row.all
        if row.cluster_id in clusters
        and (row.cluster_id, nodes.of(entry.address) or plain_host(entry.address))
        not in known
    ]


def remote_of(
    entry: PeerEntry, owners: Ownership[UUID], clusters: Mapping[UUID, Cluster]
) -> Cluster | None:
    owner = owners.of(entry.address)
    return clusters.get(owner) if owner else None
