"""A pair of clusters, as a set-up job carries it in its arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from clusters.models import Cluster
from jobs.kind import StepKind
from jobs.models import Job
from mesh.entry_changes import EntryChange as PlanStep
from mesh.entry_changes import MeshPlan
from mesh.models import PlannedEntry
from peers.models import Peer

# By the ids of the home and the remote cluster.
PlannedEntries = Mapping[tuple[UUID, UUID], PlannedEntry]


class PairSteps:
    """The steps of each pair, and of each entry of it that the job writes."""

    sign_in = StepKind("Sign in to {remote} as {home} will")
    instruct = StepKind("Configure {address} on {home} manually")
    write = StepKind("{home}: the entry for {remote}")
    verify = StepKind("Verify {one} and {other} until the users agree")


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
        return PairSteps.verify.of(self.key).key

    @property
    def writes(self) -> list[str]:
        """The keys of the steps that write its entries."""
        return [PairSteps.write.of(pk).key for pk in self.peers]

    @property
    def sign_ins(self) -> list[str]:
        """The keys of the steps that try the users of its entries, if it has them."""
        return [PairSteps.sign_in.of(pk).key for pk in self.peers]

    @property
    def instructs(self) -> list[str]:
        """The keys of the steps that tell how to make an entry by hand."""
        return [PairSteps.instruct.of(pk).key for pk in self.peers]

    def stored_peers(self) -> list[Peer]:
        """Both entries, also one that the job did not have to write."""
        one, other = self.clusters
        forward = Q(cluster=one, remote_cluster=other)
        back = Q(cluster=other, remote_cluster=one)
        return list(Peer.objects.filter(forward | back).select_related("cluster"))


def pairs_of(job: Job) -> list[Pair]:
    """All pairs of a set-up job, in the order in which it takes them."""
    rounds = job.arguments.get("rounds", ())
    return [Pair.of(data) for pairs in rounds for data in pairs]


def target_of(entries: PlannedEntries) -> Peer | None:
    """The peer that a job of one pair is about."""
    entry = next(iter(entries.values()), None)
    if entry is None:
        return None
    return Peer(pk=entry.peer, cluster=entry.home, address=entry.values["address"])


def label_of(
    touched: Sequence[tuple[Cluster, Cluster]], clusters: Sequence[Cluster]
) -> str:
    if len(touched) == 1:
        return " and ".join(map(str, touched[0]))
    return f"{len(touched)} peerings of {len(clusters)} clusters"


def pair_steps(
    pair: tuple[Cluster, Cluster], entries: PlannedEntries
) -> list[tuple[str, str]]:
    one, other = pair
    steps = []
    for home, remote in ((one, other), (other, one)):
        entry = entries.get((home.pk, remote.pk))
        if entry is None:
            continue
        if not home.written:
            instruct = PairSteps.instruct.of(entry.peer)
            steps.append(instruct.planned(address=entry.values["address"], home=home))
        write = PairSteps.write.of(entry.peer)
        steps.append(write.planned(home=home, remote=remote))
    verify = PairSteps.verify.of(f"{one.pk}:{other.pk}")
    return [*steps, verify.planned(one=one, other=other)]


def pair_arguments(
    pair: tuple[Cluster, Cluster], entries: PlannedEntries, current: MeshPlan
) -> dict[str, object]:
    """What the job needs of a pair: ids, and which entries would be new."""
    one, other = pair
    directions = [(one.pk, other.pk), (other.pk, one.pk)]
    made = {direction_of(step) for step in current.changes if step.action == "create"}
    ids = {key: str(entries[key].peer) for key in directions if key in entries}
    return {
        "key": f"{one.pk}:{other.pk}",
        "peers": list(ids.values()),
        "created": [peer for key, peer in ids.items() if key in made],
        "protocol": current.intent.protocol_of(one, other),
    }


def direction_of(step: PlanStep) -> tuple[UUID, UUID]:
    return step.home.pk, step.remote.pk
