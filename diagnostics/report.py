"""A run as the page shows it: grouped, the failed first, the passed summed up."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Min, QuerySet

from diagnostics.models import TroubleshooterResult, TroubleshooterRun, subject

Outcome = TroubleshooterResult.Outcome
WORST_FIRST = (Outcome.FAILED, Outcome.WARNING, Outcome.INFORMATION, Outcome.PASSED)
# Of one test in one group; the rest is a link away.
MOST_ROWS = 50
MOST_SUBJECTS = 8


@dataclass
class TestRows:
    """One test in one group: its rows that did not pass, and how many did."""

    code: str
    description: str
    position: int
    counts: dict[str, int] = field(default_factory=dict)
    rows: list[TroubleshooterResult] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)

    @property
    def passed(self) -> int:
        return self.counts.get(Outcome.PASSED, 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def worst(self) -> int:
        return min(WORST_FIRST.index(Outcome(outcome)) for outcome in self.counts)

    @property
    def hidden(self) -> int:
        """Count the rows that did not pass and are not listed."""
        return self.total - self.passed - len(self.rows)

    @property
    def more_subjects(self) -> int:
        return self.passed - len(self.subjects)


@dataclass
class Group:
    """A table of the page: a section, or a cluster."""

    title: str
    tests: dict[str, TestRows] = field(default_factory=dict)

    @property
    def failed_first(self) -> list[TestRows]:
        return sorted(self.tests.values(), key=lambda test: (test.worst, test.position))

    @property
    def totals(self) -> list[tuple[str, int]]:
        return [
            (outcome.value, count)
            for outcome in WORST_FIRST
            if (count := sum(t.counts.get(outcome, 0) for t in self.tests.values()))
        ]


def report(
    run: TroubleshooterRun, *, by_cluster: bool = False, outcome: str = ""
) -> list[Group]:
    """Group a run's results, in three queries whatever its size."""
    key = "cluster_name" if by_cluster else "section"
    results = run.results.all()
    if outcome:
        results = results.filter(outcome=outcome)
    groups = grouped(results, key)
    for result in other_than_passed(results):
        test = groups[getattr(result, key)].tests[result.code]
        if len(test.rows) < MOST_ROWS:
            test.rows.append(result)
    add_subjects(groups, results, key)
    return list(groups.values())


def grouped(results: QuerySet[TroubleshooterResult], key: str) -> dict[str, Group]:
    counted = (
        results.order_by()
        .values_list(key, "code", "description", "outcome")
        .annotate(count=Count("id"), first=Min("position"))
        .order_by(*(["cluster_name"] if key == "cluster_name" else []), "first")
    )
    groups: dict[str, Group] = {}
    for title, code, description, outcome, count, first in counted:
        group = groups.setdefault(title, Group(title or "All clusters"))
        test = group.tests.setdefault(code, TestRows(code, description, first))
        test.counts[outcome] = count
    return groups


def other_than_passed(
    results: QuerySet[TroubleshooterResult],
) -> Iterable[TroubleshooterResult]:
    others = results.exclude(outcome=Outcome.PASSED).order_by("position")
    return sorted(
        others[:5000], key=lambda result: WORST_FIRST.index(Outcome(result.outcome))
    )


def add_subjects(
    groups: dict[str, Group], results: QuerySet[TroubleshooterResult], key: str
) -> None:
    """Name some of what passed."""
    passed = results.filter(outcome=Outcome.PASSED).order_by("position")
    fields = ("cluster_name", "node_name", "peer_address")
    for title, code, *names in passed.values_list(key, "code", *fields)[:2000]:
        test = groups[title].tests[code]
        if len(test.subjects) < MOST_SUBJECTS:
            test.subjects.append(subject(*names))
