"""A run of the System Troubleshooter: collect once, judge all, keep the results."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from accounts.audit import CONSOLE, Actor
from accounts.scope import unlimited
from diagnostics.checks import collect_for
from diagnostics.evidence import details
from diagnostics.facts import ClusterFacts, Facts, NodeFacts
from diagnostics.fixes import url_of
from diagnostics.judge import sections
from diagnostics.judge.peer import listed
from diagnostics.judge.services import service_codes
from diagnostics.judge.tests import Finding, Scope
from diagnostics.judge.verdict import Outcome
from diagnostics.models import PeerCheck, TroubleshooterResult, TroubleshooterRun
from diagnostics.record import record
from diagnostics.shared_users import shared_users
from jobs.locks import Busy
from jobs.models import Job
from jobs.run import Run
from peers.models import Cluster, Node, Peer

TOTAL = 90.0
KEPT_RUNS = 100
# Of all runs together; a run over 60 clusters has some 50,000.
KEPT_ROWS = 1_000_000
SETTLING = timedelta(minutes=10)
# All that is known of a mesh hangs on its peers; of a node, only on itself.
ABOUT_PEERS = {test.code for test in sections.TESTS if test.scope is not Scope.NODE}
ABOUT_PEERS -= {"sync_agent"}
# What also a check of peers asks, without the look-ups and questions of a whole run.
QUICK = {*service_codes(), "sync_agent", "control_center", "node_axl", "axl_user"}
STEPS = (
    ("collect", "Ask every cluster, then judge"),
    ("keep", "Keep the results"),
)


@transaction.atomic
def submit_run(
    clusters: Iterable[Cluster],
    actor: Actor = CONSOLE,
    *,
    reason: str = "",
    tests: Collection[str] = (),
    locks: Sequence[str] = (),
) -> TroubleshooterRun:
    """Submit a run over these clusters.

    Args:
        tests: the codes of the tests that matter; none for all.
    """
    chosen = [{"id": str(one.pk), "name": one.name} for one in dict.fromkeys(clusters)]
    with unlimited():
        everything = Cluster.objects.count()
    run = TroubleshooterRun.objects.create(
        clusters=chosen,
        tests=sorted(tests),
        whole=not tests and len(chosen) == everything,
        requested_by=actor.user,
        reason=reason,
    )
    label = chosen[0]["name"] if len(chosen) == 1 else f"{len(chosen)} clusters"
    run.job = Job.objects.submit(
        "troubleshoot",
        STEPS,
        target=run,
        label=f"of {label}",
        clusters=[cluster["id"] for cluster in chosen],
        arguments={"run": str(run.pk)},
        locks=locks,
        user=actor.user,
        address=actor.address,
    )
    run.save(update_fields=["job"])
    return run


def run_due(interval: timedelta) -> bool:
    """Tell whether the last run began an interval ago; a new mesh may first settle."""
    now = timezone.now()
    if not interval or not Cluster.objects.exists():
        return False
    settling = Cluster.objects.filter(created_at__gt=now - SETTLING)
    recent = TroubleshooterRun.objects.filter(whole=True, created_at__gt=now - interval)
    return not (settling.exists() or recent.exists())


def submit_scheduled_run() -> TroubleshooterRun | None:
    """Submit a run over all clusters, unless another beat did."""
    try:
        clusters = Cluster.objects.order_by("name")
        return submit_run(clusters, reason="scheduled", locks=["scheduled-run"])
    except Busy:
        return None


def troubleshoot(run: Run) -> None:
    """Do both steps; an attempt that was cut between them collects again."""
    row = TroubleshooterRun.objects.filter(pk=run.arguments["run"]).first()
    if row is None:
        run.fail("This run was deleted in the meantime.")
    TroubleshooterRun.objects.filter(pk=row.pk, started_at=None).update(
        started_at=timezone.now()
    )
    collected: list[list[TroubleshooterResult]] = []

    def collect(step: object) -> str:
        facts = collect_run(row, run)
        record(facts)
        run.check()
        row.peers = peer_table(facts)
        collected.append(judged(row, facts))
        return f"{len(facts.clusters)} clusters, {len(facts.peers)} peers"

    run.do("collect", collect)
    if not collected:
        collect(None)
    run.do("keep", lambda step: keep(row, collected[0]))


def collect_run(row: TroubleshooterRun, run: Run) -> Facts:
    ids = [cluster["id"] for cluster in row.clusters]
    peers = list(wanted_peers(row, ids))
    waiting = {cluster["name"] for cluster in row.clusters}

    def told(name: str) -> None:
        waiting.discard(name)
        done = len(ids) - len(waiting)
        run.progress(done, len(ids), progress_in_words(name, sorted(waiting)))

    deep = not row.tests or bool(set(row.tests) - QUICK)
    facts = collect_for(
        peers, also=ids, deep=deep, total=TOTAL, told=told, check=run.glance
    )
    shared, unread = shared_users() if not row.tests else ({}, ())
    return replace(
        facts,
        equal_at=last_equal(peers),
        bystanders=bystanders(facts),
        shared=shared,
        unread=unread,
    )


def wanted_peers(row: TroubleshooterRun, ids: list[Any]) -> QuerySet[Peer]:
    """Return the peers to try, none where no wanted test is about them."""
    peers = Peer.objects.filter(cluster__in=ids, removing=False).defer("entries")
    if row.tests and not set(row.tests) & ABOUT_PEERS:
        return peers.none()
    return peers.order_by("cluster__name", "address")


def progress_in_words(answered: str, waiting: list[str]) -> str:
    if not waiting:
        return f"{answered} has answered, the last of all"
    return f"{answered} has answered; waiting for {listed(waiting)}"


def bystanders(facts: Facts) -> tuple[ClusterFacts, ...]:
    """Describe the clusters that were not asked, as far as the console knows them."""
    rows = Cluster.objects.exclude(pk__in=facts.clusters).prefetch_related("nodes")
    return tuple(
        ClusterFacts(
            str(row.pk),
            row.name,
            row.domain,
            row.generation,
            nodes=tuple(
                NodeFacts(str(node.pk), node.name, node.address)
                for node in row.nodes.all()
            ),
        )
        for row in rows
    )


def last_equal(peers: list[Peer]) -> dict[str, datetime | None]:
    """Return when the counts of each peer were last equal, in one query."""
    rows = PeerCheck.objects.filter(peer__in=peers, associated_users=F("remote_users"))
    latest = rows.order_by().values_list("peer").annotate(at=Max("at"))
    return {str(peer): at for peer, at in latest}


def judged(row: TroubleshooterRun, facts: Facts) -> list[TroubleshooterResult]:
    chosen = frozenset(cluster["id"] for cluster in row.clusters)
    findings = sections.findings(facts, chosen, frozenset(row.tests))
    return [
        as_result(row, position, finding) for position, finding in enumerate(findings)
    ]


def as_result(
    row: TroubleshooterRun, position: int, finding: Finding
) -> TroubleshooterResult:
    verdict, fix = finding.verdict, finding.verdict.fix
    cluster, node, peer = finding.cluster, finding.node, finding.peer
    return TroubleshooterResult(
        run=row,
        position=position,
        section=finding.test.section.value,
        code=finding.test.code,
        description=finding.test.description,
        outcome=verdict.outcome.value,
        problem=verdict.problem,
        solution=verdict.solution,
        fix_url=url_of(fix.view, fix.pk, fix.query) if fix else "",
        cluster_id=cluster.id if cluster else None,
        cluster_name=cluster.name if cluster else "",
        node_id=node.id if node else None,
        node_name=node.name if node else "",
        peer_id=peer.peer.id if peer else None,
        peer_address=peer.peer.address if peer else "",
        details=details(finding),
    )


@transaction.atomic
def keep(row: TroubleshooterRun, results: list[TroubleshooterResult]) -> str:
    """Write the results of a run at once, and forget the oldest runs."""
    row.results.all().delete()
    drop_deleted(results)
    TroubleshooterResult.objects.bulk_create(results, batch_size=500)
    counts = Counter(result.outcome for result in results)
    totals = {outcome.value: counts[outcome.value] for outcome in Outcome}
    row.finish(totals, timezone.now())
    forget_oldest()
    return ", ".join(f"{count} {outcome}" for outcome, count in totals.items())


def forget_oldest() -> None:
    """Keep KEPT_RUNS, fewer if they are large.

    The newest is kept always, so is the newest over everything, and what is under way.
    """
    runs = TroubleshooterRun.objects.all()
    kept = {run.pk for run in (runs.first(), runs.of_everything()) if run}
    rows = 0
    for pk, totals in runs.values_list("pk", "totals")[:KEPT_RUNS]:
        rows += sum(totals.values())
        if rows <= KEPT_ROWS:
            kept.add(pk)
    runs.exclude(pk__in=kept).exclude(job__state__in=Job.ACTIVE).delete()


def drop_deleted(results: list[TroubleshooterResult]) -> None:
    """Unlink what was deleted while the run was collecting."""
    for model, column in ((Cluster, "cluster"), (Node, "node"), (Peer, "peer")):
        there = {str(pk) for pk in model._default_manager.values_list("pk", flat=True)}
        for result in results:
            if str(getattr(result, f"{column}_id")) not in there:
                setattr(result, column, None)


def peer_table(facts: Facts) -> list[dict[str, str | int | None]]:
    """Give the report's table of peers with their counts."""
    table: list[dict[str, str | int | None]] = []
    for peer in facts.peers.values():
        home, remote = facts.clusters[peer.home], facts.clusters.get(peer.remote or "")
        table.append(
            {
                "home": home.name,
                "remote": remote.name if remote else "",
                "address": peer.address,
                "protocol": peer.protocol,
                "associated_users": home.users_of(remote) if remote else None,
                "remote_users": remote.own_users() if remote else None,
            }
        )
    return sorted(table, key=lambda row: (str(row["home"]), str(row["address"])))
