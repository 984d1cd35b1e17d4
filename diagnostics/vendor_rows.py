"""The rows of the product's own System Troubleshooter, beside the console's."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from diagnostics.facts import ClusterFacts, Facts
from diagnostics.judge.tests import Section, ordered_tests
from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from pages import IconOutcome, PageNotice, VendorTest
from pages.words import plain

Results = list[TroubleshooterResult]
NOTICES = "Active Notifications"
UNREAD = "The cluster's own System Troubleshooter was read."
NO_SIGN = "The key of the page does not explain the sign of this row."
WORST = ("failed", "warning", "information", "passed")
# A verdict; information is none that could differ.
VERDICTS = ("passed", "warning", "failed")
FEWEST_LETTERS = 20


def with_vendor_rows(run: TroubleshooterRun, facts: Facts, results: Results) -> Results:
    """Add what the clusters' own pages say, each row in its section."""
    ours = _by_description(results)
    rows = [
        _compare_row(row, ours)
        for one in facts.clusters.values()
        for row in _rows(run, one)
    ]
    known = [*(section.value for section in Section)]
    names = [*known, *dict.fromkeys(row.section for row in rows)]
    place = {name: number for number, name in reversed([*enumerate(names)])}
    merged = sorted([*results, *rows], key=lambda row: place[row.section])
    for position, row in enumerate(merged):
        row.position = position
    return merged


def _rows(
    run: TroubleshooterRun, cluster: ClusterFacts
) -> Iterator[TroubleshooterResult]:
    if not cluster.by_pages:
        return
    answer = cluster.page_tests
    if answer.known:
        for test in answer.value or ():
            yield _row(run, cluster, _section(test.section), test)
    elif answer.failure or answer.late:
        unread = VendorTest(
            "", UNREAD, IconOutcome.INFORMATION, answer.reason, answer.remedy
        )
        yield _row(run, cluster, Section.SYSTEM.value, unread)
    for notice in cluster.page_notices:
        yield _row(run, cluster, NOTICES, _as_test(notice))


def _as_test(notice: PageNotice) -> VendorTest:
    failed = plain(notice.severity) in ("error", "critical", "alert", "emergency")
    outcome = IconOutcome.FAILED if failed else IconOutcome.WARNING
    if plain(notice.severity) in ("information", "informational", "info", "notice"):
        outcome = IconOutcome.INFORMATION
    return VendorTest("", notice.message, outcome, "", "")


def _row(
    run: TroubleshooterRun, cluster: ClusterFacts, section: str, test: VendorTest
) -> TroubleshooterResult:
    unknown = test.outcome is IconOutcome.UNKNOWN
    outcome = IconOutcome.INFORMATION if unknown else test.outcome
    text = f"{section} {test.description}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    return TroubleshooterResult(
        run=run,
        source=TroubleshooterResult.Source.CLUSTER,
        section=section,
        code=f"vendor:{digest}",
        description=test.description[:255],
        outcome=outcome.value,
        problem=" ".join(filter(None, (NO_SIGN if unknown else "", test.problem))),
        solution=test.solution,
        cluster_id=cluster.id,
        cluster_name=cluster.name,
    )


def _section(name: str) -> str:
    """Give the console's section of the same name, else the name itself."""
    same = (one.value for one in Section if plain(one.value) == plain(name))
    return next(same, name[:40] or Section.SYSTEM.value)


def _by_description(results: Results) -> dict[tuple[str, str], Results]:
    """Give the console's rows by cluster and words of their test."""
    texts = {test.code: plain(test.description).rstrip(".") for test in ordered_tests()}
    found: dict[tuple[str, str], Results] = defaultdict(list)
    for row in results:
        if text := texts.get(row.code):
            found[str(row.cluster_id), text].append(row)
    return found


def _compare_row(
    row: TroubleshooterResult, ours: dict[tuple[str, str], Results]
) -> TroubleshooterResult:
    """Note which rows of the console ask the same, and whether they say otherwise."""
    description = plain(row.description)
    same = [
        one
        for (cluster, text), found in ours.items()
        if cluster == str(row.cluster_id)
        and len(text) >= FEWEST_LETTERS
        and description.startswith(text)
        for one in _rows_about(found, description)
    ]
    if same:
        worst = min((one.outcome for one in same), key=WORST.index)
        differs = {worst, row.outcome} <= set(VERDICTS) and worst != row.outcome
        for one in same if differs else ():
            one.details = {**one.details, "cluster_says": row.outcome}
        row.details = {
            "compared": {"code": same[0].code, "outcome": worst, "differs": differs}
        }
    return row


def _rows_about(rows: Iterable[TroubleshooterResult], text: str) -> Results:
    """Give the rows about the node or peer that a text names, else all of them."""
    rows = list(rows)
    named = [
        row
        for row in rows
        if (name := plain(row.node_name or row.peer_address)) and text.endswith(name)
    ]
    return named or rows
