"""Planning and applying the deletion of many peers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from accounts.audit import Actor
from jobs.locks import Busy
from jobs.models import Job
from peers import lifecycle
from peers.bulk.changes import SelectionChanged, matching_entries, peer_is_held
from peers.bulk.plan import Plan, PlanItem, PlannedAction
from peers.forms import BOTH, KEEP
from peers.locks import held_peers
from peers.models import Peer


@dataclass(frozen=True)
class Deletion:
    """How much of each peering goes; `scope` is one of `peers.forms`."""

    scope: str

    def plan(self, peers: Iterable[Peer]) -> Plan:
        return Plan(tuple(DeletionPlanner(self.scope, list(peers)).items()))

    def apply(self, peers: Iterable[Peer], plan_hash: str, actor: Actor) -> list[Job]:
        """Submit the removals, and drop the records that no cluster has.

        Raises:
            PlanChanged: it is another plan by now.
        """
        current = self.plan(peers)
        if current.hash != plan_hash:
            raise SelectionChanged
        try:
            return list(self.delete(current.changes, actor))
        except Busy as error:
            raise SelectionChanged from error

    def delete(self, items: Iterable[PlanItem], actor: Actor) -> Iterator[Job]:
        """Delete the entries; both of a peering by one job, where both go."""
        done: set[UUID] = set()
        for peer in (item.peer for item in items):
            if self.scope == KEEP:
                lifecycle.drop_record(peer, actor)
            elif peer.pk not in done:
                other = peer.reverse if self.scope == BOTH else None
                done |= {one.pk for one in (peer, other) if one}
                both = other is not None
                if job := lifecycle.request_removal(peer, actor, both_sides=both):
                    yield job


class DeletionPlanner:
    """Plans each peer, with all that they have in common read once."""

    def __init__(self, scope: str, peers: list[Peer]) -> None:
        self.scope = scope
        self.peers = peers
        self.held: Mapping[str, Job] = held_peers()
        self.others = matching_entries(peers)
        self.chosen = {peer.pk for peer in peers}

    def items(self) -> Iterator[PlanItem]:
        seen = set(self.chosen)
        for peer in self.peers:
            other = self.others.get((peer.remote_cluster_id, peer.cluster_id))
            with_other = self.scope == BOTH and other is not None
            yield self.item(peer, other, with_other)
            if with_other and other is not None and other.pk not in seen:
                seen.add(other.pk)
                yield self.item(other, peer, True, matching=True)

    def item(
        self, peer: Peer, other: Peer | None, with_other: bool, matching: bool = False
    ) -> PlanItem:
        reason = peer_is_held(peer, self.held)
        if with_other and other and not reason:
            blocked = peer_is_held(other, self.held)
            reason = f"Its matching entry: {blocked}" if blocked else ""
        if reason:
            return PlanItem(peer, PlannedAction.NONE, reason, matching=matching)
        goes = not with_other and other is not None and other.pk not in self.chosen
        return PlanItem(
            peer,
            self.action(peer),
            matching=matching,
            warnings=tuple(self.warnings(peer, other if goes else None)),
        )

    def action(self, peer: Peer) -> PlannedAction:
        if self.scope == KEEP or not lifecycle.may_be_on_cluster(peer):
            return PlannedAction.FORGET
        return PlannedAction.DELETE

    def warnings(self, peer: Peer, left: Peer | None) -> Iterator[str]:
        if left is not None and self.scope != KEEP:
            yield (
                "The matching entry remains on the remote cluster: a peering with one "
                "entry is an error."
            )
        if self.scope != KEEP and not peer.cluster.written:
            yield f"{peer.cluster} is guided: each job shows the steps to perform."
