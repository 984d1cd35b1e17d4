"""Renewing the list of problems, where something was recorded and now and then.

The list is read far more often than anything changes, so it is stored. It is renewed
after a check, by beat, and by a request that finds it outdated: the list is right also
where no worker runs.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.cluster_limits import all_clusters
from accounts.models import AuditHead
from clusters.models import Cluster
from overview.found import LONGEST_SENTENCE, Found, ProblemBook
from overview.models import RANKS, Problem, ProblemCluster, Renewal
from overview.sources import (
    agents,
    certificates,
    clusters,
    directory,
    entries,
    jobs,
    nodes,
    pages,
    peers,
    proofs,
    runs,
)

# In the order of causes: what a later source sees may follow from an earlier one.
SOURCES: tuple[Callable[[ProblemBook], None], ...] = (
    nodes.report_nodes,
    pages.report_pages,
    agents.report_agents,
    entries.report_entries,
    peers.report_peers,
    proofs.report_proofs,
    certificates.report_certificates,
    jobs.report_jobs,
    directory.report_directory,
    runs.report_runs,
    clusters.report_clusters,
)
# Jobs, services and times change without a mark.
OLD = timedelta(seconds=15)
# Recorded groups of a sweep follow each other quickly; one renewal serves them.
GATHER = timedelta(seconds=3)
FIELDS = (
    "code",
    "severity",
    "rank",
    "sentence",
    "cluster_id",
    "affects",
    "weight",
    "fix_url",
    "whole",
)
ACKNOWLEDGEMENT = (
    "acknowledged_by",
    "acknowledged_name",
    "acknowledged_at",
    "note",
    "snoozed_until",
)


def mark_changed() -> None:
    """Say that something was recorded, once it is committed.

    Not in that transaction, which may hold the end of the audit trail: a renewal takes
    both in the other order.
    """
    transaction.on_commit(set_stale, robust=True)


def set_stale() -> None:
    if not Renewal.objects.filter(pk=1).update(stale=True):
        Renewal.objects.get_or_create(pk=1)


def renew_soon() -> None:
    """Renew once the transaction is over, unless that was done a moment ago."""
    mark_changed()
    transaction.on_commit(lambda: renew_if_outdated(gather=GATHER), robust=True)


def renew_if_outdated(*, gather: timedelta = timedelta()) -> bool:
    """Renew what is stale or old; a few statements if it is neither.

    Args:
        gather: leave it to a later call if the list is not older than this.
    """
    row = Renewal.objects.filter(pk=1).first()
    now = timezone.now()
    if row and row.renewed_at:
        if now - row.renewed_at < gather:
            return False
        changed = row.stale or row.audit_number != audit_number()
        if not changed and now - row.renewed_at < OLD:
            return False
    renew_problems()
    return True


def audit_number() -> int:
    """The number of the newest audit entry: nobody changes anything without one."""
    head = AuditHead.objects.filter(pk=1).values_list("number", flat=True).first()
    return head or 0


def renew_problems() -> None:
    """Look at all sources and store what they report."""
    with all_clusters(), transaction.atomic():
        Renewal.objects.get_or_create(pk=1)
        # Held until the end: two renewals at once would add the same rows.
        Renewal.objects.select_for_update().get(pk=1)
        # First, so that what is recorded from here on makes the list stale again.
        Renewal.objects.filter(pk=1).update(
            stale=False, renewed_at=timezone.now(), audit_number=audit_number()
        )
        store_problems(find_problems())


def find_problems() -> list[Found]:
    """Ask all sources; nothing is stored."""
    rows = Cluster.objects.prefetch_related("nodes__reading").order_by("name")
    book = ProblemBook(rows.defer("ca_certificate", "table_search", "recognised_table"))
    for source in SOURCES:
        source(book)
    return list(book.found.values())


def store_problems(found: Iterable[Found]) -> None:
    """Add what is new, update what has changed, delete what has ended."""
    known = {problem.key: problem for problem in Problem.objects.all()}
    touched = touched_by(known.values())
    current = {one.key[:300]: one for one in found}
    ended = [problem.pk for key, problem in known.items() if key not in current]
    Problem.objects.filter(pk__in=ended).delete()
    new: list[Problem] = []
    changed: list[Problem] = []
    links: list[Problem] = []
    for key, one in current.items():
        problem = known.get(key) or Problem(key=key, since=one.since or timezone.now())
        fresh = key not in known
        if update_problem(problem, one) or fresh:
            (new if fresh else changed).append(problem)
        if fresh or touched.get(problem.pk, set()) != one.clusters:
            links.append(problem)
    Problem.objects.bulk_create(new, batch_size=200)
    Problem.objects.bulk_update(changed, [*FIELDS, *ACKNOWLEDGEMENT], batch_size=200)
    ProblemCluster.objects.filter(problem__in=links).delete()
    ProblemCluster.objects.bulk_create(
        (
            ProblemCluster(problem=problem, cluster=pk)
            for problem in links
            for pk in sorted(current[problem.key].clusters)
        ),
        batch_size=500,
    )


def touched_by(problems: Iterable[Problem]) -> dict[object, set[object]]:
    found: dict[object, set[object]] = {problem.pk: set() for problem in problems}
    for pk, cluster in ProblemCluster.objects.values_list("problem", "cluster"):
        found[pk].add(cluster)
    return found


def update_problem(problem: Problem, found: Found) -> bool:
    """Bring a row up to date; whether anything changed.

    A problem that became worse, and one whose snooze is over, is open again.
    """
    affects = [vars(one) for one in sorted(found.affects, key=lambda a: a.label)]
    values = {
        "code": found.code,
        "severity": str(found.severity),
        "rank": RANKS[found.severity],
        "sentence": found.sentence[:LONGEST_SENTENCE],
        "cluster_id": found.cluster,
        "affects": affects,
        "weight": len(affects),
        "fix_url": found.fix_url[:500],
        "whole": found.whole,
    }
    old = {name: getattr(problem, name) for name in values}
    for name, value in values.items():
        setattr(problem, name, value)
    return was_reopened(problem, old["rank"]) or old != values


def was_reopened(problem: Problem, old_rank: int | None) -> bool:
    if problem.acknowledged_at is None:
        return False
    worse = old_rank is not None and problem.rank < old_rank
    over = problem.snoozed_until and problem.snoozed_until <= timezone.now()
    if not (worse or over):
        return False
    clear_acknowledgement(problem)
    why = "became worse" if worse else "snooze ended"
    audit.append_entry(audit.CONSOLE, "reopen problem", problem, {"reason": ["", why]})
    return True


def clear_acknowledgement(problem: Problem) -> None:
    """Take the acknowledgement back, in memory."""
    problem.acknowledged_by, problem.acknowledged_name = None, ""
    problem.acknowledged_at, problem.snoozed_until, problem.note = None, None, ""
