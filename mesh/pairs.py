"""A pair of clusters, as a set-up job carries it in its arguments."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from jobs.models import Job
from peers.models import Peer


@dataclass(frozen=True)
class Pair:
    """Two clusters, the entries that the job writes, and those that are new."""

    key: str
    peers: tuple[str, ...]
    created: frozenset[str]
    protocol: str = Peer.Protocol.TCP

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Pair":
        return cls(
            data["key"],
            tuple(data["peers"]),
            frozenset(data["created"]),
            data.get("protocol", Peer.Protocol.TCP),
        )

    @property
    def clusters(self) -> tuple[UUID, UUID]:
        one, other = map(UUID, self.key.split(":"))
        return one, other

    @property
    def verify(self) -> str:
        """The key of the step that verifies the pair."""
        return f"verify:{self.key}"

    @property
    def writes(self) -> list[str]:
        """The keys of the steps that write its entries."""
        return [f"{pk}:write" for pk in self.peers]

    @property
    def instructs(self) -> list[str]:
        """The keys of the steps that tell how to make an entry by hand."""
        return [f"{pk}:instruct" for pk in self.peers]

    def written(self) -> list[Peer]:
        """The entries that the job writes; those by hand first, since they may wait."""
        rows = Peer.objects.filter(pk__in=self.peers).select_related(
            "cluster", "remote_cluster"
        )
        order = self.peers.index
        return sorted(rows, key=lambda peer: (peer.cluster.direct, order(str(peer.pk))))

    def sides(self) -> list[Peer]:
        """Both sides, also one that the job did not have to write."""
        one, other = self.clusters
        there = Q(cluster=one, remote_cluster=other)
        back = Q(cluster=other, remote_cluster=one)
        return list(Peer.objects.filter(there | back).select_related("cluster"))


def pairs_of(job: Job) -> list[Pair]:
    """All pairs of a set-up job, in the order in which it takes them."""
    rounds = job.arguments.get("rounds", ())
    return [Pair.of(data) for pairs in rounds for data in pairs]
