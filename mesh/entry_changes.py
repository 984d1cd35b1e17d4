"""A plan as it is shown, compared and applied: one step for each entry."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from clusters.models import Cluster
from mesh.intent import MeshIntent
from peers.models import Peer
from wire import Secret

Values = dict[str, str]

LABELS = {
    "address": "peer address",
    "username": "user name",
    "protocol": "preferred protocol",
    "external_phone_number_mask": "mask",
    "password": "password",
}
# A plan of so many changes is shown side by side, a larger one as tables.
FEW = 12


@dataclass(frozen=True)
class EntryChange:
    """The entry on `home` for `remote`, as it is and as it would be."""

    action: str  # create, update, delete or none
    home: Cluster
    remote: Cluster
    address: str
    before: Values | None
    after: Values | None
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    peer: Peer | None = field(default=None, repr=False)
    password: Secret = field(default=Secret(""), repr=False)
    # When the home cluster showed what is before; None: that is what the console has.
    read_at: datetime | None = None

    @property
    def changes(self) -> bool:
        return self.action != "none"

    @property
    def changed(self) -> set[str]:
        """The fields that differ, for the page to mark."""
        before, after = self.before or {}, self.after or {}
        return {name for name in after if before.get(name) != after[name]}

    @property
    def sentence(self) -> str:
        """The change in one line: the values of a new entry, else what differs."""
        before, after = self.before, self.after or {}
        if before is None:
            fields = ("username", "protocol", "external_phone_number_mask")
            return ", ".join(after[name] for name in fields if after.get(name))
        changes = [
            f"{LABELS[name]} {before.get(name) or 'empty'} → {after[name] or 'empty'}"
            for name in after
            if name in self.changed
        ]
        return "; ".join(changes) or "written again"

    @property
    def fact(self) -> list[object]:
        """What a plan's hash covers of this entry."""
        ids = [str(self.home.pk), str(self.remote.pk)]
        revision = self.peer.revision if self.peer else None
        return [self.action, *ids, self.before, self.after, revision]


@dataclass(frozen=True)
class HomeSteps:
    """The entries of one home cluster."""

    home: Cluster
    changes: list[EntryChange]
    rest: list[EntryChange]


@dataclass(frozen=True)
class MeshPlan:
    """All entries, in the order in which they would be set up."""

    intent: MeshIntent
    steps: tuple[EntryChange, ...]

    @property
    def changes(self) -> list[EntryChange]:
        return [step for step in self.steps if step.changes]

    @property
    def rest(self) -> list[EntryChange]:
        return [step for step in self.steps if not step.changes]

    @property
    def few(self) -> bool:
        return len(self.changes) <= FEW

    @property
    def oldest(self) -> datetime | None:
        """When the cluster was read whose reading is the oldest."""
        return min((s.read_at for s in self.steps if s.read_at), default=None)

    @property
    def unread(self) -> int:
        """Entries that are compared with what the console has."""
        return sum(step.read_at is None for step in self.steps)

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(step.action for step in self.steps))

    @property
    def errors(self) -> list[str]:
        return grouped_sentences(
            (step, text) for step in self.steps for text in step.errors
        )

    @property
    def warnings(self) -> list[str]:
        return grouped_sentences(
            (step, text) for step in self.steps for text in step.warnings
        )

    @property
    def by_home(self) -> list[HomeSteps]:
        groups: dict[Cluster, HomeSteps] = {}
        for step in self.steps:
            group = groups.setdefault(step.home, HomeSteps(step.home, [], []))
            (group.changes if step.changes else group.rest).append(step)
        return sorted(groups.values(), key=lambda group: group.home.name)

    @property
    def hash(self) -> str:
        text = json.dumps([step.fact for step in self.steps], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def grouped_sentences(sentences: Iterable[tuple[EntryChange, str]]) -> list[str]:
    """Each sentence once, with its entry, or with the number of entries it is about."""
    about: dict[str, list[EntryChange]] = {}
    for step, text in sentences:
        about.setdefault(text, []).append(step)
    return [
        f"{steps[0].home} to {steps[0].remote}: {text}"
        if len(steps) == 1
        else f"{text} ({len(steps)} entries)"
        for text, steps in about.items()
    ]
