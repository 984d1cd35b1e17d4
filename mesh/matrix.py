"""The mesh: every pair of clusters, and what is known of its peering."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from peers.models import Cluster, Outcome, Peer


class PeerStatus(NamedTuple):
    """What the matrix tells of a peer: of thousands, so they are no model instances."""

    pk: UUID
    outcome: str
    associated_users: int | None
    remote_users: int | None
    checked_at: datetime | None
    drifted: bool
    removed_there: bool


# Those of each home and remote cluster.
Peers = dict[tuple[UUID, UUID | None], PeerStatus]


@dataclass(frozen=True)
class Cell:
    """One direction: the peer on `home` that points to `remote`, if there is one."""

    home: Cluster
    remote: Cluster
    peer: PeerStatus | None
    one_sided: bool

    @property
    def outcome(self) -> str:
        return self.peer.outcome if self.peer else "missing"

    @property
    def diagonal(self) -> bool:
        return self.home.pk == self.remote.pk


@dataclass(frozen=True)
class Mesh:
    """All clusters, and a row of cells for each as home cluster."""

    clusters: list[Cluster]
    rows: list[tuple[Cluster, list[Cell]]]
    # Peers whose other side is out of sight of whoever asks.
    outward: int = 0

    @cached_property
    def cells(self) -> list[Cell]:
        return [cell for _, row in self.rows for cell in row if not cell.diagonal]

    @cached_property
    def missing(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.peer is None]

    @cached_property
    def one_sided(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.one_sided]

    @cached_property
    def drifted(self) -> list[Cell]:
        """Entries that were changed or removed on the clusters themselves."""
        peers = ((cell, cell.peer) for cell in self.cells)
        return [c for c, peer in peers if peer and (peer.drifted or peer.removed_there)]

    @cached_property
    def times(self) -> list[datetime]:
        """When each status was seen, of those that ever were."""
        found = (cell.peer.checked_at for cell in self.cells if cell.peer)
        return [at for at in found if at]

    @property
    def oldest(self) -> datetime | None:
        return min(self.times, default=None)

    @property
    def unseen(self) -> int:
        """Peers that were never checked."""
        return len(self.cells) - len(self.missing) - len(self.times)

    @cached_property
    def passed(self) -> int:
        return sum(cell.outcome == Outcome.PASSED for cell in self.cells)


def mesh() -> Mesh:
    """Return the mesh of all clusters, in two queries."""
    clusters = list(Cluster.objects.order_by("name"))
    managed = Peer.objects.exclude(remote_cluster=None).with_drift()
    rows = managed.order_by("-address").values_list(
        "cluster_id", "remote_cluster_id", *PeerStatus._fields
    )
    peers = {(home, remote): PeerStatus(*told) for home, remote, *told in rows}
    seen = {cluster.pk for cluster in clusters}
    outward = sum(remote not in seen for _, remote in peers)
    cells = [
        (home, [_cell(peers, home, remote) for remote in clusters]) for home in clusters
    ]
    return Mesh(clusters, cells, outward)


def _cell(peers: Peers, home: Cluster, remote: Cluster) -> Cell:
    peer = peers.get((home.pk, remote.pk))
    back = peers.get((remote.pk, home.pk))
    return Cell(home, remote, peer, one_sided=peer is not None and back is None)
