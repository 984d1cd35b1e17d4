"""What the sources report: each cause once, with what suffers from it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from clusters.models import Cluster, Node
from overview.models import RANKS, Severity

if TYPE_CHECKING:
    from overview.peer_rows import PeerRow

FAILED, WARNING, UNKNOWN = Severity.FAILED, Severity.WARNING, Severity.UNKNOWN
# How much of a sentence is kept; what a cluster said may be long.
LONGEST_SENTENCE = 600


def name_subject(text: str, who: str, *names: str) -> str:
    """A sentence that says whom it is about; one that names nobody begins with it."""
    if any(name and name.casefold() in text.casefold() for name in (who, *names)):
        return text
    return f"{who}: {text}"


@dataclass(frozen=True)
class Affected:
    """A node, peer or cluster that suffers; `cluster` decides who may see it."""

    type: str
    id: str
    label: str
    cluster: str

    @classmethod
    def node(cls, node: Node) -> "Affected":
        return cls("node", str(node.pk), node.name, str(node.cluster_id))

    @classmethod
    def of(cls, cluster: Cluster) -> "Affected":
        return cls("cluster", str(cluster.pk), cluster.name, str(cluster.pk))


@dataclass
class Found:
    """One cause.

    Args:
        key: names the cause, the same each time that it is found.
        cluster: where the cause is; None for the console, or several clusters.
        touches: further clusters that it is about.
        whole: only for those who may see all that it touches.
        since: when it began, where that is known.
    """

    key: str
    code: str
    severity: str
    sentence: str
    fix_url: str = ""
    cluster: UUID | None = None
    touches: frozenset[UUID] = frozenset()
    whole: bool = False
    since: datetime | None = None
    affects: dict[Affected, None] = field(default_factory=dict)

    def affect(self, *things: Affected) -> "Found":
        self.affects.update(dict.fromkeys(things))
        return self

    def worsen(self, severity: str) -> None:
        self.severity = min(self.severity, severity, key=RANKS.__getitem__)

    @property
    def clusters(self) -> set[UUID]:
        own = {self.cluster} if self.cluster else set()
        return own | self.touches | {UUID(one.cluster) for one in self.affects}


class ProblemBook:
    """All that was found so far; later sources hang their symptoms on it."""

    def __init__(self, clusters: Iterable[Cluster]) -> None:
        """Begin with the clusters, whose nodes are prefetched."""
        self.clusters = {cluster.pk: cluster for cluster in clusters}
        self.found: dict[str, Found] = {}
        # What keeps a node, or a whole cluster, from being read.
        self.at_node: dict[UUID, list[Found]] = defaultdict(list)
        self.at_cluster: dict[UUID, list[Found]] = defaultdict(list)
        # A node's services could not be read; its certificate ends soon.
        self.at_services: dict[UUID, list[Found]] = defaultdict(list)
        self.expiring: dict[UUID, Found] = {}
        # The product's own pages of a cluster, which show its entries, were not read.
        self.at_pages: dict[UUID, list[Found]] = defaultdict(list)
        # The agents of a cluster; an entry, by home and remote cluster, and by peer.
        self.agents: dict[UUID, list[Found]] = defaultdict(list)
        self.entries: dict[tuple[UUID, UUID | None], list[Found]] = defaultdict(list)
        self.of_peer: dict[UUID, list[Found]] = defaultdict(list)
        self.peers: list[PeerRow] = []
        self.ids: dict[tuple[UUID, UUID | None], UUID] = {}

    def report(self, found: Found) -> Found:
        """Add a cause, or return the one of the same key, as bad as the worse."""
        known = self.found.setdefault(found.key, found)
        known.worsen(found.severity)
        return known

    def blocking(self, pk: UUID | None) -> list[Found]:
        return self.at_cluster[pk] if pk else []

    def hiding_entries(self, pk: UUID | None) -> list[Found]:
        """What keeps the entries of a cluster from being read."""
        return self.blocking(pk) or (self.at_pages[pk] if pk else [])

    def mentions(self, pk: UUID) -> bool:
        """Whether a cause is at this cluster."""
        return any(found.cluster == pk for found in self.found.values())
