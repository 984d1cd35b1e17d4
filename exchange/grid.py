"""The table of the mesh: a row for each node, a column for each remote cluster."""

from collections import Counter
from dataclasses import dataclass

from exchange.judge import TrustNode, TrustOutcome, TrustState
from exchange.pairs import TrustCell, TrustCluster, TrustData

# Above so many columns a cell has no room for its days.
ROOMY = 10
ATTENTION = "attention"


@dataclass(frozen=True)
class TrustFilter:
    """What of the table is shown.

    Args:
        home: a part of the name of the cluster that trusts.
        remote: a part of the name of the cluster that is trusted.
        state: an outcome, a state, or `attention` for all that is not well.
    """

    home: str = ""
    remote: str = ""
    state: str = ""

    def matches(self, cell: TrustCell) -> bool:
        if not self.state:
            return True
        if self.state == ATTENTION:
            return cell.outcome in (TrustOutcome.FAILED, TrustOutcome.WARNING)
        return self.state in (cell.outcome, cell.state)


@dataclass(frozen=True)
class Row:
    """A node, and a cell for each remote cluster that its cluster has as a peer."""

    cluster: TrustCluster
    node: TrustNode
    cells: dict[str, TrustCell]


@dataclass(frozen=True)
class Grid:
    """The rows and columns that a filter leaves."""

    found: TrustData
    rows: list[Row]
    columns: list[TrustCluster]
    counts: Counter[str]

    @property
    def dense(self) -> bool:
        return len(self.columns) > ROOMY

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def grid(found: TrustData, chosen: TrustFilter) -> Grid:
    """Judge every pair of a node and a remote cluster; count all, keep what matches."""
    remotes: dict[str, list[TrustCluster]] = {}
    for home, remote in sorted(
        found.pairs(), key=lambda pair: found.clusters[pair[1]].name
    ):
        remotes.setdefault(home, []).append(found.clusters[remote])
    counts: Counter[str] = Counter()
    rows: list[Row] = []
    used: set[str] = set()
    for pk, cluster in found.clusters.items():
        for node in cluster.nodes if pk in remotes else ():
            cells = {one.id: found.cell(node, one) for one in remotes[pk]}
            counts.update(word_for(cell) for cell in cells.values())
            kept = matching_clusters(cells, found, chosen)
            if kept and is_in_name(chosen.home, cluster):
                rows.append(Row(cluster, node, cells))
                used |= kept
    columns = [one for pk, one in found.clusters.items() if pk in used]
    return Grid(found, rows, columns, counts)


def matching_clusters(
    cells: dict[str, TrustCell], found: TrustData, chosen: TrustFilter
) -> set[str]:
    return {
        pk
        for pk, cell in cells.items()
        if chosen.matches(cell) and is_in_name(chosen.remote, found.clusters[pk])
    }


def is_in_name(part: str, cluster: TrustCluster) -> bool:
    return part.casefold() in cluster.name.casefold()


def word_for(cell: TrustCell) -> str:
    """The word by which a cell is counted: what is wrong, otherwise its outcome."""
    if cell.state in (TrustState.MISSING, TrustState.OLD):
        return cell.state.value
    if cell.outcome is TrustOutcome.FAILED:
        return "expired"
    return "expiring" if cell.outcome is TrustOutcome.WARNING else cell.state.value
