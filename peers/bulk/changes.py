"""Planning and applying new values for many peers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.audit import Actor
from accounts.cluster_limits import limit_admits
from base.revisions import Stale
from jobs.locks import Busy
from jobs.models import Job
from peers import lifecycle, rules
from peers.bulk.plan import Plan, PlanItem, PlannedAction
from peers.lifecycle import PeerEdit
from peers.locks import held_peers
from peers.models import Peer
from wire import Secret

MASK = "external_phone_number_mask"
NO_CHANGE = "It has these values already."
NO_MATCHING_ENTRY = (
    "The console has no matching entry: change the protocol on the remote cluster too."
)
OTHER_PROTOCOL = (
    "The matching entry keeps another protocol; both entries must use the same."
)


class SelectionChanged(Exception):
    """The plan is no longer what it was."""

    def __init__(self) -> None:
        super().__init__("Something changed since this plan was made. Check it again.")


@dataclass(frozen=True)
class BulkChange:
    """New values; what is not named stays as it is.

    Args:
        values: by the names of fields of a peer.
        both_sides: give the matching entries the protocol too.
    """

    values: Mapping[str, str]
    password: Secret = field(default=Secret(""), repr=False)
    both_sides: bool = False

    def plan(self, peers: Iterable[Peer]) -> Plan:
        planner = ChangePlanner(self, list(peers))
        return Plan(tuple(planner.items()), tuple(planner.notes()))

    def apply(self, peers: Iterable[Peer], plan_hash: str, actor: Actor) -> list[Job]:
        """Save what the plan changes and submit a job for each entry.

        Raises:
            PlanChanged: it is another plan by now.
        """
        current = self.plan(peers)
        if current.hash != plan_hash:
            raise SelectionChanged
        edits = [self.edit(item) for item in current.changes]
        try:
            return lifecycle.save_peers(edits, actor)
        except (Stale, Busy) as error:
            raise SelectionChanged from error

    def edit(self, item: PlanItem) -> PeerEdit:
        peer = item.peer
        for name, value in item.after.items():
            setattr(peer, name, value)
        password = self.password.reveal() if item.password else ""
        return PeerEdit(peer, password, tuple(item.after), peer.remote_cluster)


class ChangePlanner:
    """Plans each peer, with all that they have in common read once."""

    def __init__(self, change: BulkChange, peers: list[Peer]) -> None:
        self.change = change
        self.peers = peers
        self.held = held_peers()
        own = {(peer.cluster_id, peer.remote_cluster_id): peer for peer in peers}
        self.others = matching_entries(peers) | own
        self.chosen = {peer.pk for peer in peers}

    def items(self) -> Iterator[PlanItem]:
        for peer in self.peers:
            yield self.item(peer, self.change.values, bool(self.change.password))
        for peer in self.added:
            only = {"protocol": self.change.values["protocol"]}
            item = self.item(peer, only, False, matching=True)
            if item.action != PlannedAction.NONE or peer_is_held(peer, self.held):
                yield item

    @property
    def added(self) -> list[Peer]:
        """Matching entries that nobody selected, and that get the protocol too."""
        if not (self.change.both_sides and "protocol" in self.change.values):
            return []
        found = {
            other.pk: other
            for peer in self.peers
            if (other := self.other(peer)) and other.pk not in self.chosen
        }
        return sorted(found.values(), key=lambda peer: peer.address)

    def other(self, peer: Peer) -> Peer | None:
        return self.others.get((peer.remote_cluster_id, peer.cluster_id))

    def item(
        self,
        peer: Peer,
        values: Mapping[str, str],
        password: bool,
        matching: bool = False,
    ) -> PlanItem:
        before = {name: getattr(peer, name) for name in values}
        after = {name: new for name, new in values.items() if new != before[name]}
        reason = self.reason(peer, after, password)
        return PlanItem(
            peer,
            PlannedAction.NONE if reason else PlannedAction.CHANGE,
            reason,
            {name: before[name] for name in after},
            after,
            password,
            matching,
            () if reason else tuple(self.warnings(peer, after, password)),
        )

    def reason(self, peer: Peer, after: Mapping[str, str], password: bool) -> str:
        """Why this peer is left out; empty where it changes."""
        if held := peer_is_held(peer, self.held):
            return held
        if not after and not password:
            return NO_CHANGE
        if "protocol" in after and (held := self.other_is_held(peer)):
            return f"Its matching entry: {held}"
        return without_field(peer, after) if after.get(MASK) else ""

    def other_is_held(self, peer: Peer) -> str:
        """Why both entries must wait: one alone would break the peering."""
        other = self.other(peer) if self.change.both_sides else None
        return peer_is_held(other, self.held) if other else ""

    def warnings(
        self, peer: Peer, after: Mapping[str, str], password: bool
    ) -> Iterator[str]:
        if not peer.cluster.written:
            yield f"{peer.cluster} is guided: each job shows the steps to perform."
        if peer.drifted:
            yield "The cluster has other values now; they will be overwritten."
        if peer.removed_there:
            yield "The entry was removed on the cluster; it will be added again."
        if "protocol" in after:
            yield from self.protocol_warnings(peer, after["protocol"])
        if "username" in after and not password:
            yield "The user name changes, the password does not."

    def protocol_warnings(self, peer: Peer, protocol: str) -> Iterator[str]:
        other = self.other(peer)
        if other is None:
            yield NO_MATCHING_ENTRY
        elif other.protocol != protocol and not self.will_change(other):
            yield OTHER_PROTOCOL

    def will_change(self, peer: Peer) -> bool:
        planned = peer.pk in self.chosen or self.change.both_sides
        return planned and not peer_is_held(peer, self.held)

    def notes(self) -> Iterator[str]:
        """What a new password means for the entries that are not in the plan."""
        if not self.change.password:
            return
        remotes = [peer.remote_cluster for peer in self.peers if peer.remote_cluster]
        names = sorted({remote.name for remote in remotes})
        if len(names) > 1:
            yield (
                f"The same password is set for the users of {len(names)} remote "
                f"clusters: {', '.join(names)}."
            )
        for cluster in {remote.pk: remote for remote in remotes}.values():
            users = self.users_on(cluster.pk)
            if limit_admits(cluster.pk) and cluster.peering_username in users:
                yield (
                    f"{cluster.peering_username} is the intercluster user of "
                    f"{cluster}: use Rotate the intercluster password on its page, or "
                    "the next plan of the mesh restores the old password."
                )
        yield from self.left_behind()

    def users_on(self, cluster: UUID | None) -> set[str]:
        """The user names with which the entries of the plan sign in to a cluster."""
        new = self.change.values.get("username")
        return {
            new or peer.username
            for peer in self.peers
            if peer.remote_cluster_id == cluster
        }

    def left_behind(self) -> Iterator[str]:
        """Other entries that sign in with the same user of the same cluster."""
        homes = {peer.remote_cluster_id for peer in self.peers} - {None}
        rest = Peer.objects.filter(remote_cluster__in=homes, removing=False)
        rest = rest.exclude(pk__in=self.chosen).select_related("remote_cluster")
        left = Counter(
            str(peer.remote_cluster)
            for peer in rest.order_by("remote_cluster__name")
            if peer.username in self.users_on(peer.remote_cluster_id)
        )
        for cluster, count in left.items():
            yield (
                f"Other entries that sign in to {cluster} with this user keep the old "
                f"password: {count}."
            )


def peer_is_held(peer: Peer, held: Mapping[str, Job]) -> str:
    """Why nothing may be done with a peer now; empty where it may."""
    if peer.removing:
        return "It is being removed."
    job = held.get(str(peer.pk))
    return str(Busy(job)) if job else ""


def without_field(peer: Peer, after: Mapping[str, str]) -> str:
    """The sentence of the rule where a release has no field for a mask."""
    before = peer.external_phone_number_mask
    peer.external_phone_number_mask = after[MASK]
    sentence = rules.mask_field(peer)
    peer.external_phone_number_mask = before
    return sentence


def matching_entries(peers: list[Peer]) -> dict[tuple[Any, Any], Peer]:
    """The entries between the clusters of these peers, by home and remote cluster."""
    homes = {peer.cluster_id for peer in peers}
    remotes = {peer.remote_cluster_id for peer in peers} - {None}
    rows = Peer.objects.filter(cluster__in=remotes, remote_cluster__in=homes)
    rows = rows.select_related("cluster", "remote_cluster").defer("entries")
    return {(row.cluster_id, row.remote_cluster_id): row for row in rows}


def read_peers(ids: Iterable[str]) -> list[Peer]:
    """The peers of a plan that are still there, in the order of their addresses."""
    rows = Peer.objects.filter(pk__in=list(ids)).defer("entries")
    return list(rows.select_related("cluster", "remote_cluster"))


def in_one_piece(change: Any, ids: Iterable[str], plan_hash: str, actor: Actor) -> Any:
    """Apply a change or a deletion to peers as they are now."""
    with transaction.atomic():
        return change.apply(read_peers(ids), plan_hash, actor)
