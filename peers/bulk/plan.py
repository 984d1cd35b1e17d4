"""What would happen to each of many peers. Changes nothing.

The hash of a plan covers every value and the revision of every row, so that it can be
applied only while it is still true.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from clusters.models import Cluster
from peers.models import Peer

Values = dict[str, str]
LABELS = {
    name: str(Peer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    for name in ("address", "username", "protocol", "external_phone_number_mask")
}
# A plan of so many peers is shown open, a longer one by home cluster.
FEW = 12


class PlannedAction(StrEnum):
    """What becomes of one entry."""

    CHANGE = "change"
    DELETE = "delete"
    FORGET = "forget"
    NONE = "none"


ACTIONS = {
    PlannedAction.CHANGE: "Changed",
    PlannedAction.DELETE: "Deleted from the cluster",
    PlannedAction.FORGET: "Deleted from the console only",
    PlannedAction.NONE: "Left out",
}


@dataclass(frozen=True)
class PlanItem:
    """One peer of a plan.

    Args:
        reason: why it is left out.
        matching: nobody selected it; it is the other entry of one that was.
        password: it gets a new password.
    """

    peer: Peer
    action: PlannedAction
    reason: str = ""
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    password: bool = False
    matching: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The change in one line."""
        if self.action != PlannedAction.CHANGE:
            return ACTIONS[self.action]
        changes = [
            f"{LABELS[name]} {self.before[name] or 'empty'} → {value or 'empty'}"
            for name, value in self.after.items()
        ]
        return "; ".join([*changes, *(["new password"] if self.password else [])])

    @property
    def fact(self) -> list[object]:
        """What the hash of a plan covers of this peer."""
        peer = self.peer
        values = [self.before, self.after, self.password]
        return [str(peer.pk), peer.revision, self.action, self.reason, values]


@dataclass(frozen=True)
class Group:
    """Peers that have something in common."""

    name: str
    items: list[PlanItem]
    home: Cluster | None = None


@dataclass(frozen=True)
class Plan:
    """All peers of a plan, those left out among them."""

    items: tuple[PlanItem, ...]
    # About the plan as a whole.
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> list[PlanItem]:
        return [item for item in self.items if item.action != PlannedAction.NONE]

    @property
    def few(self) -> bool:
        return len(self.changes) <= FEW

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(str(item.action) for item in self.items))

    @property
    def matching(self) -> int:
        """How many matching entries are in it that nobody selected."""
        return sum(item.matching for item in self.changes)

    @property
    def by_action(self) -> list[Group]:
        """The items of each action that the plan has, those left out last."""
        found = [
            Group(label, [item for item in self.items if item.action == action])
            for action, label in ACTIONS.items()
        ]
        return [group for group in found if group.items]

    @property
    def homes(self) -> list[Cluster]:
        """The clusters whose entries change."""
        found = {item.peer.cluster_id: item.peer.cluster for item in self.changes}
        return sorted(found.values(), key=lambda cluster: cluster.name)

    @property
    def by_home(self) -> list[Group]:
        return [
            Group(
                home.name,
                [item for item in self.changes if item.peer.cluster_id == home.pk],
                home,
            )
            for home in self.homes
        ]

    @property
    def left_out(self) -> list[Group]:
        """Those that nothing happens to, by reason, the most frequent first."""
        groups: dict[str, list[PlanItem]] = {}
        for item in self.items:
            if item.action == PlannedAction.NONE:
                groups.setdefault(item.reason, []).append(item)
        found = [Group(reason, items) for reason, items in groups.items()]
        return sorted(found, key=lambda group: -len(group.items))

    @property
    def warnings(self) -> list[str]:
        return [*self.notes, *each_warning_once(self.changes)]

    @property
    def hash(self) -> str:
        text = json.dumps([item.fact for item in self.items], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def each_warning_once(items: Iterable[PlanItem]) -> Iterator[str]:
    """Each warning once, with its peer, or with how many peers it is about."""
    about: dict[str, list[Peer]] = {}
    for item in items:
        for sentence in item.warnings:
            about.setdefault(sentence, []).append(item.peer)
    for sentence, peers in about.items():
        one = f"{peers[0]}: {sentence}"
        yield one if len(peers) == 1 else f"{sentence} ({len(peers):,} peers)"
