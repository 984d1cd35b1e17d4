"""What changes with more users, or with one more cluster."""

from dataclasses import dataclass

from sizing.deployment import Deployment
from sizing.limits import ReleaseLimits
from sizing.warnings import SizingWarning, find_warnings

MORE_USERS = 10_000


@dataclass(frozen=True)
class GrowthLine:
    """One figure now and then; None: not known."""

    label: str
    now: float | None
    then: float | None


@dataclass(frozen=True)
class Change:
    """A deployment beside the one that it would become."""

    now: Deployment
    then: Deployment

    @property
    def lines(self) -> list[GrowthLine]:
        now, then = self.now, self.then
        return [
            GrowthLine("Clusters", len(now.clusters), len(then.clusters)),
            GrowthLine("Links between clusters", now.links, then.links),
            GrowthLine("Peer entries", now.entries, then.entries),
            GrowthLine(
                "Peer entries on each cluster", now.entries_each, then.entries_each
            ),
            GrowthLine("Known users", now.known_users, then.known_users),
            GrowthLine("Associated users", now.associated_users, then.associated_users),
            GrowthLine(
                "Load of all directions, kbit/s", now.total_load, then.total_load
            ),
            GrowthLine(
                "Heaviest direction, kbit/s", heaviest_load(now), heaviest_load(then)
            ),
        ]

    @property
    def warnings(self) -> list[SizingWarning]:
        """What the rules find then and do not find now."""
        now = {(one.code, one.cluster, one.severity) for one in find_warnings(self.now)}
        return [
            one
            for one in find_warnings(self.then)
            if (one.code, one.cluster, one.severity) not in now
            and one.cluster != "planned"
        ]


def heaviest_load(here: Deployment) -> float | None:
    return here.directions[0].kbit_per_second if here.directions else None


def more_users(here: Deployment, number: int) -> Change:
    return Change(here, here.grown(number))


def one_more_cluster(here: Deployment, users: int) -> Change:
    return Change(here, here.with_cluster(users, ReleaseLimits("")))
