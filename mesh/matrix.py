"""The mesh: every pair of clusters, and what is known of its peering."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from clusters.models import Cluster
from peers.models import Peer, PeerOutcome


class PeerCell(NamedTuple):
    """What the matrix tells of a peer: of thousands, so they are no model instances."""

    pk: UUID
    outcome: str
    associated_users: int | None
    remote_users: int | None
    checked_at: datetime | None
    drifted: bool
    removed_there: bool


# Above so many clusters a cell has no room for its counts, and there are filters.
ROOMY = 10

# Those of each home and remote cluster.
Peers = dict[tuple[UUID, UUID | None], PeerCell]


@dataclass(frozen=True)
class Cell:
    """One direction: the peer on `home` that points to `remote`, if there is one."""

    home: Cluster
    remote: Cluster
    peer: PeerCell | None
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
    # Peers whose matching entry the current user may not see.
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
        return sum(cell.outcome == PeerOutcome.PASSED for cell in self.cells)


def read_mesh() -> Mesh:
    """Return the mesh of all clusters, in two queries."""
    clusters = list(Cluster.objects.order_by("name"))
    managed = Peer.objects.exclude(remote_cluster=None).with_drift()
    rows = managed.order_by("-address").values_list(
        "cluster_id", "remote_cluster_id", *PeerCell._fields
    )
    peers = {(home, remote): PeerCell(*values) for home, remote, *values in rows}
    seen = {cluster.pk for cluster in clusters}
    outward = sum(remote not in seen for _, remote in peers)
    cells = [
        (home, [_cell_of(peers, home, remote) for remote in clusters])
        for home in clusters
    ]
    return Mesh(clusters, cells, outward)


def _cell_of(peers: Peers, home: Cluster, remote: Cluster) -> Cell:
    peer = peers.get((home.pk, remote.pk))
    back = peers.get((remote.pk, home.pk))
    return Cell(home, remote, peer, one_sided=peer is not None and back is None)


def short_id(cluster: Cluster) -> str:
    """Enough of an id for the address of a cell: a matrix has thousands."""
    return cluster.pk.hex[:8]


def cluster_by_short_id(text: str) -> Cluster | None:
    """The cluster that a short id is of; None where there is none, or several."""
    text = text.replace("-", "")
    if len(text) < 8:
        return None
    keys = Cluster.objects.order_by().values_list("pk", flat=True)
    found = [pk for pk in keys if pk.hex.startswith(text)]
    return Cluster.objects.get(pk=found[0]) if len(found) == 1 else None


@dataclass(frozen=True)
class MatrixFilter:
    """What of a large mesh is shown, and in which order.

    Args:
        name: a part of a cluster's name.
        problems: only clusters that are not well, or have a peering that is not.
        sort: `name`, `site` or `problems`, the most first.
    """

    site: str = ""
    name: str = ""
    problems: bool = False
    sort: str = "name"

    def __bool__(self) -> bool:
        return bool(self.site or self.name or self.problems)

    def apply(self, whole: Mesh) -> Mesh:
        """The part of a mesh between the clusters that match."""
        trouble = trouble_of(whole)
        matching = [one for one in whole.clusters if self.matches(one, trouble)]
        if self.sort == "site":
            matching.sort(key=lambda one: (one.site.casefold(), one.name.casefold()))
        elif self.sort == "problems":
            matching.sort(key=lambda one: (-trouble[one.pk], one.name.casefold()))
        cells = {(c.home.pk, c.remote.pk): c for _, row in whole.rows for c in row}
        rows = [
            (home, [cells[home.pk, remote.pk] for remote in matching])
            for home in matching
        ]
        return Mesh(matching, rows, whole.outward)

    def matches(self, cluster: Cluster, trouble: dict[UUID, int]) -> bool:
        if self.site and cluster.site != self.site:
            return False
        if self.problems and not trouble[cluster.pk]:
            return False
        return self.name.casefold() in cluster.name.casefold()


def trouble_of(found: Mesh) -> dict[UUID, int]:
    """How many peerings of each cluster are not well; its own health counts too."""
    counts = {one.pk: int(one.health != Cluster.Health.OK) for one in found.clusters}
    for cell in found.cells:
        if cell.outcome != PeerOutcome.PASSED:
            counts[cell.home.pk] += 1
            counts[cell.remote.pk] += 1
    return counts
