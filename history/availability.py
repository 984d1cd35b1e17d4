"""How much of the time peerings worked, and their checks in slots of time.

A check that passed or only warned found the peering working. One without a result says
nothing, so it counts neither way.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import F, Min, Q, QuerySet, Sum

from history.models import ClusterDay, PeerDay

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The days of one peer, or of one or more clusters.
Days: TypeAlias = QuerySet[PeerDay] | QuerySet[ClusterDay]
COUNTS = ("passed", "warning", "failed", "unknown")
USERS = ("associated_users", "remote_users")
# The days, with today, of what is added up from whole days.
LASTS = {"week": 7, "month": 30, "quarter": 90}


@dataclass
class Slot:
    """The checks of an hour or a day."""

    at: datetime
    length: timedelta
    passed: int = 0
    warning: int = 0
    failed: int = 0
    unknown: int = 0
    associated_users: int | None = None
    remote_users: int | None = None

    @property
    def checks(self) -> int:
        return self.passed + self.warning + self.failed + self.unknown

    def add(self, numbers: Iterable[int | None]) -> None:
        """Add the numbers of a peer; users count where both clusters have them."""
        *counts, associated, remote = numbers
        for name, count in zip(COUNTS, counts, strict=True):
            setattr(self, name, getattr(self, name) + (count or 0))
        if associated is not None and remote is not None:
            self.associated_users = (self.associated_users or 0) + associated
            self.remote_users = (self.remote_users or 0) + remote


@dataclass(frozen=True)
class Availability:
    """In percent of the checks that came to a result; None where none did.

    `since` is the first day of the quarter that has checks: percentages of longer times
    are of the time since then.
    """

    day: float | None = None
    week: float | None = None
    month: float | None = None
    quarter: float | None = None
    since: date | None = None


def hourly_slots(days: Days, since: datetime, until: datetime) -> list[Slot]:
    """One slot for each hour that begins in [since, until) and has checks."""
    found: dict[datetime, Slot] = {}
    chosen = days.filter(day__gte=in_utc(since).date(), day__lte=in_utc(until).date())
    for day, hours in chosen.order_by().values_list("day", "hours"):
        for hour, numbers in hours.items():
            at = midnight_of(day) + int(hour) * HOUR
            if since <= at < until:
                found.setdefault(at, Slot(at, HOUR)).add(numbers)
    return [found[at] for at in sorted(found)]


def daily_slots(days: Days, since: date, until: date) -> list[Slot]:
    """One slot for each day from `since` to `until` that has checks; one query."""
    both = Q(associated_users__isnull=False, remote_users__isnull=False)
    rows = (
        days.filter(day__gte=since, day__lte=until)
        .order_by("day")
        .values("day")
        .annotate(
            **{f"sum_{name}": Sum(name) for name in COUNTS},
            **{f"sum_{name}": Sum(name, filter=both) for name in USERS},
        )
    )
    return [as_slot(row) for row in rows]


def as_slot(row: Mapping[str, Any]) -> Slot:
    slot = Slot(midnight_of(row["day"]), DAY)
    slot.add(row[f"sum_{name}"] for name in (*COUNTS, *USERS))
    return slot


def availability_of(days: Days, now: datetime) -> Availability:
    """Over the last 24 hours, and the last 7, 30 and 90 days with today."""
    begin = in_utc(now).replace(minute=0, second=0, microsecond=0) - 23 * HOUR
    sums = sums_of_days(days, in_utc(now).date())
    lasts = {
        name: percent_of(sums[f"{name}_good"], sums[f"{name}_bad"]) for name in LASTS
    }
    return Availability(
        percent_passed(hourly_slots(days, begin, now)), **lasts, since=sums["since"]
    )


def sums_of_days(days: Days, today: date) -> dict[str, Any]:
    """The checks that passed and failed over each of LASTS, and the first day."""
    firsts = {name: today - (number - 1) * DAY for name, number in LASTS.items()}
    sums: dict[str, Any] = {"since": Min("day")}
    for name, first in firsts.items():
        within = Q(day__gte=first)
        sums[f"{name}_good"] = Sum(F("passed") + F("warning"), filter=within)
        sums[f"{name}_bad"] = Sum("failed", filter=within)
    longest = days.filter(day__gte=min(firsts.values()), day__lte=today)
    return longest.aggregate(**sums)


def percent_passed(slots: list[Slot]) -> float | None:
    good = sum(slot.passed + slot.warning for slot in slots)
    return percent_of(good, sum(slot.failed for slot in slots))


def percent_of(good: int | None, bad: int | None) -> float | None:
    good, bad = good or 0, bad or 0
    return round(100 * good / (good + bad), 2) if good + bad else None


def midnight_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


@dataclass(frozen=True)
class Range:
    """A stretch of time up to now that a chart shows."""

    name: str
    label: str
    step: timedelta
    number: int
    ticks: str = field(default="%Y-%m-%d")

    def begin(self, now: datetime) -> datetime:
        """The beginning of the first slot; the last slot is the one under way."""
        at = in_utc(now).replace(minute=0, second=0, microsecond=0)
        if self.step == DAY:
            at = at.replace(hour=0)
        return at - (self.number - 1) * self.step

    def slots(self, days: Days, now: datetime) -> list[Slot]:
        """Every slot, those without checks too, the oldest first."""
        begin = self.begin(now)
        if self.step == HOUR:
            found = hourly_slots(days, begin, now)
        else:
            found = daily_slots(days, begin.date(), in_utc(now).date())
        return list(self.filled(begin, {slot.at: slot for slot in found}))

    def filled(self, begin: datetime, found: dict[datetime, Slot]) -> Iterator[Slot]:
        for n in range(self.number):
            at = begin + n * self.step
            yield found.get(at) or Slot(at, self.step)


RANGES = {
    one.name: one
    for one in (
        Range("day", "24 hours", HOUR, 24, "%H:%M"),
        Range("week", "7 days", HOUR, 7 * 24, "%m-%d %H:%M"),
        Range("month", "30 days", DAY, 30),
        Range("quarter", "90 days", DAY, 90),
        Range("year", "1 year", DAY, 365),
    )
}
