"""A run as pages show it: grouped, the failed first, the passed summed up."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Case, Count, Min, QuerySet, When

from diagnostics.judge.sections import ordered_tests
from diagnostics.models import TroubleshooterResult, TroubleshooterRun, subject_of
from ui.names import shared_domain, shorten_host, shorten_name

Outcome = TroubleshooterResult.Outcome
WORST_FIRST = (Outcome.FAILED, Outcome.WARNING, Outcome.INFORMATION, Outcome.PASSED)
SEVERITY = Case(
    *(When(outcome=outcome, then=place) for place, outcome in enumerate(WORST_FIRST))
)
Results = QuerySet[TroubleshooterResult]


@dataclass(frozen=True)
class Extent:
    """How much of a run is shown at once.

    Args:
        rows: of one test in one group; the rest is a link away.
        informing: rows that only inform, likewise: where one node is down, all tests
            of it and of its peers say that they could not be done.
        subjects: of what passed a test, so many are named.
        lines: of the page; the groups after so many are loaded on demand.
        read: rows of one kind that are looked at, whatever the size of the run.
    """

    rows: int = 20
    informing: int = 2
    subjects: int = 3
    lines: int = 150
    read: int = 5000


SCREEN = Extent()
# Of each test, where very many went wrong at once.
FEWEST = 5
# What passed is counted, not named: the clusters and peers are in the report.
PAPER = Extent(rows=500, informing=500, subjects=0, lines=1_000_000, read=100_000)


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
    def by_cluster(self) -> bool:
        """Whether it is a row of a cluster's own troubleshooter."""
        return self.code.startswith("vendor:")

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
class ResultGroup:
    """A table of the page: a section, or a cluster."""

    key: str
    tests: dict[str, TestRows] = field(default_factory=dict)
    # Loaded when it is asked for.
    later: bool = False
    most_rows: int = 0

    @property
    def title(self) -> str:
        return self.key or "All clusters"

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

    @property
    def counts(self) -> list[int]:
        """Count each outcome, the worst first, none of it too."""
        found = dict(self.totals)
        return [found.get(outcome.value, 0) for outcome in WORST_FIRST]

    def lines(self, extent: Extent) -> int:
        """Count the lines that the group would take."""
        wrong = (test.total - test.passed for test in self.tests.values())
        return len(self.tests) + sum(min(count, extent.rows) for count in wrong)


def group_results(
    run: TroubleshooterRun,
    *,
    by_cluster: bool = False,
    outcome: str = "",
    only: str | None = None,
    extent: Extent = SCREEN,
) -> list[ResultGroup]:
    """Group a run's results, in four queries whatever its size.

    Args:
        only: the section or the cluster that is wanted, none for all.
    """
    key = "cluster_name" if by_cluster else "section"
    results = run.results.all()
    if outcome:
        results = results.filter(outcome=outcome)
        extent = replace(extent, informing=extent.rows)
    if only is not None:
        results = results.filter(**{key: only})
    groups = group_by(results, key)
    put_off(groups, extent)
    visible = [group.key for group in groups.values() if not group.later]
    now = results.filter(**{f"{key}__in": visible})
    add_rows(groups, now, key, extent)
    add_subjects(groups, now, key, extent)
    return list(groups.values())


def group_by(results: Results, key: str) -> dict[str, ResultGroup]:
    counted = (
        results.order_by()
        .values_list(key, "code", "description", "outcome")
        .annotate(count=Count("id"), first=Min("position"))
        .order_by(*(["cluster_name"] if key == "cluster_name" else []), "first")
    )
    groups: dict[str, ResultGroup] = {}
    for title, code, description, outcome, count, first in counted:
        group = groups.setdefault(title, ResultGroup(title))
        test = group.tests.setdefault(code, TestRows(code, description, first))
        test.counts[outcome] = count
    return groups


def put_off(groups: dict[str, ResultGroup], extent: Extent) -> None:
    """Leave the groups beyond the first screens for later; the first comes always."""
    lines = 0
    for group in groups.values():
        group.later = lines > extent.lines
        crowded = group.lines(extent) > 2 * extent.lines
        group.most_rows = FEWEST if crowded else extent.rows
        lines += group.lines(extent)


def add_rows(
    groups: dict[str, ResultGroup], results: Results, key: str, extent: Extent
) -> None:
    """Choose the rows by their ids first: what stands behind a row is large."""
    chosen = dict(worst_rows(groups, results, key, extent))
    rows = results.in_bulk(list(chosen))
    for pk, (title, code) in chosen.items():
        groups[title].tests[code].rows.append(rows[pk])


def worst_rows(
    groups: dict[str, ResultGroup], results: Results, key: str, extent: Extent
) -> Iterator[tuple[int, tuple[str, str]]]:
    others = results.exclude(outcome=Outcome.PASSED).order_by(SEVERITY, "position")
    counted: Counter[tuple[str, str, bool]] = Counter()
    found = others.values_list("pk", "outcome", key, "code")
    for pk, outcome, title, code in found[: extent.read]:
        informs = outcome == Outcome.INFORMATION
        most = groups[title].most_rows
        counted[title, code, informs] += 1
        if counted[title, code, informs] <= (
            min(most, extent.informing) if informs else most
        ):
            yield pk, (title, code)


def add_subjects(
    groups: dict[str, ResultGroup], results: Results, key: str, extent: Extent
) -> None:
    """Name some of what passed, in short: the whole names are a link away."""
    passed = results.filter(outcome=Outcome.PASSED).order_by("position")
    fields = ("cluster_name", "node_name", "peer_address")
    rows = list(passed.values_list(key, "code", *fields)[: extent.read])
    domain = shared_domain(host for row in rows for host in row[3:] if host)
    for title, code, cluster, *hosts in rows:
        test = groups[title].tests[code]
        if len(test.subjects) < extent.subjects:
            node, peer = (shorten_host(host, domain) for host in hosts)
            test.subjects.append(subject_of(shorten_name(cluster), node, peer))


@dataclass(frozen=True)
class SummaryLine:
    """A test of which rows have an outcome: how many, and what the first ones say."""

    test: TestRows
    count: int
    rows: list[TroubleshooterResult]

    @property
    def code(self) -> str:
        return self.test.code

    @property
    def problem(self) -> str:
        return self.rows[0].problem if self.rows else ""

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def sum_up(groups: list[ResultGroup], outcome: Outcome) -> list[SummaryLine]:
    """Give the tests with an outcome, those of most rows first, each with one row."""
    tests = [test for group in groups for test in group.tests.values()]
    lines = [
        SummaryLine(
            test,
            test.counts[outcome],
            [row for row in test.rows if row.outcome == outcome][:1],
        )
        for test in tests
        if outcome in test.counts
    ]
    return sorted(lines, key=lambda line: -line.count)


def count_agreement(peer: dict[str, Any]) -> str:
    """Tell whether both counts of a peer agree; unknown is neither."""
    counts = peer["associated_users"], peer["remote_users"]
    if None in counts:
        return "unknown"
    return "passed" if counts[0] == counts[1] else "failed"


def test_descriptions(codes: Iterable[str]) -> list[str]:
    """Give the descriptions of tests."""
    requested = set(codes)
    return [test.description for test in ordered_tests() if test.code in requested]
