"""Run the System Troubleshooter: collect once, judge all, keep the results."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import CONSOLE, Actor
from accounts.cluster_limits import all_clusters
from accounts.roles import Role
from clusters.models import Cluster, Node
from diagnostics.checks import collect_for
from diagnostics.evidence import finding_details
from diagnostics.exchanged import exchanged_trust
from diagnostics.facts import Facts
from diagnostics.judge import sections
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.services import service_codes
from diagnostics.judge.tests import Finding, Level
from diagnostics.judge.verdict import Outcome, listed_texts
from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from diagnostics.results_store import store_facts
from diagnostics.shared_users import shared_users
from diagnostics.suggested_actions import url_of
from diagnostics.vendor_rows import with_vendor_rows
from jobs.kind import JobKind, StepKind
from jobs.locks import Busy
from jobs.models import Job
from jobs.run import Run
from peers.models import Peer

TOTAL = 90.0
# Of all runs together; a run over 60 clusters has some 50,000.
MOST_ROWS = 1_000_000
SETTLING = timedelta(minutes=10)
# All that is known of a mesh hangs on its peers; of a node, only on itself.
ABOUT_PEERS = {test.code for test in sections.TESTS if test.scope is not Level.NODE}
ABOUT_PEERS -= {"sync_agent"}
# What also a check of peers asks, without the look-ups and questions of a whole run.
QUICK = {*service_codes(), "sync_agent", "control_center", "node_axl", "axl_user"}


class Troubleshoot(JobKind):
    name = "troubleshoot"
    label = "System Troubleshooter"
    role = Role.OPERATOR

    collect = StepKind("Query every cluster, then judge")
    keep = StepKind("Keep the results")

    @classmethod
    @transaction.atomic
    def submit(
        cls,
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
        chosen = [
            {"id": str(one.pk), "name": one.name} for one in dict.fromkeys(clusters)
        ]
        with all_clusters():
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
            cls,
            [cls.collect.planned(), cls.keep.planned()],
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

    @classmethod
    def due(cls, interval: timedelta) -> bool:
        """Whether the last run started an interval ago; a new mesh may first settle."""
        now = timezone.now()
        if not interval or not Cluster.objects.exists():
            return False
        settling = Cluster.objects.filter(created_at__gt=now - SETTLING)
        whole = TroubleshooterRun.objects.filter(whole=True)
        recent = whole.filter(created_at__gt=now - interval)
        return not (settling.exists() or recent.exists())

    @classmethod
    def submit_scheduled(cls) -> TroubleshooterRun | None:
        """Submit a run over all clusters, unless another beat did."""
        try:
            clusters = Cluster.objects.order_by("name")
            return cls.submit(clusters, reason="scheduled", locks=["scheduled-run"])
        except Busy:
            return None

    def work(self) -> None:
        """Do both steps; an attempt that was cut between them collects again."""
        row = self.row()
        collected: list[list[TroubleshooterResult]] = []

        def collect(step: object) -> str:
            facts = collect_run(row, self.run)
            store_facts(facts)
            self.run.raise_if_cancelled()
            row.peers = peer_table(facts)
            collected.append(rows_of(row, facts))
            return f"{len(facts.clusters)} clusters, {len(facts.peers)} peers"

        self.run.do(self.collect, collect)
        if not collected:
            collect(None)
        self.run.do(self.keep, lambda step: store_results(row, collected[0]))

    def row(self) -> TroubleshooterRun:
        rows = TroubleshooterRun.objects.filter(pk=self.run.arguments["run"])
        rows.filter(started_at=None).update(started_at=timezone.now())
        if found := rows.first():
            return found
        self.run.fail("This run was deleted in the meantime.")


def collect_run(row: TroubleshooterRun, run: Run) -> Facts:
    ids = [cluster["id"] for cluster in row.clusters]
    peers = list(requested_peers(row, ids))
    waiting = {cluster["name"] for cluster in row.clusters}

    def report_progress(name: str) -> None:
        waiting.discard(name)
        done = len(ids) - len(waiting)
        run.progress(done, len(ids), progress_in_words(name, sorted(waiting)))

    deep = not row.tests or bool(set(row.tests) - QUICK)
    facts = collect_for(
        peers,
        also=ids,
        deep=deep,
        total=TOTAL,
        on_progress=report_progress,
        check=run.raise_if_seen_cancelled,
    )
    shared, unread = shared_users() if not row.tests else ({}, ())
    return replace(
        facts,
        shared=shared,
        unread=unread,
        exchanged=exchanged_trust(),
    )


def requested_peers(row: TroubleshooterRun, ids: list[Any]) -> QuerySet[Peer]:
    """Return the peers to try, none where no wanted test is about them."""
    peers = Peer.objects.filter(cluster__in=ids, removing=False).defer("entries")
    if row.tests and not set(row.tests) & ABOUT_PEERS:
        return peers.none()
    return peers.order_by("cluster__name", "address")


def progress_in_words(answered: str, waiting: list[str]) -> str:
    if not waiting:
        return f"{answered} has answered, the last of all"
    return f"{answered} has answered; waiting for {listed_texts(waiting)}"


def rows_of(row: TroubleshooterRun, facts: Facts) -> list[TroubleshooterResult]:
    """Give the console's results, with what the clusters' own pages say beside."""
    results = judged_results(row, facts)
    return results if row.tests else with_vendor_rows(row, facts, results)


def judged_results(row: TroubleshooterRun, facts: Facts) -> list[TroubleshooterResult]:
    chosen = frozenset(cluster["id"] for cluster in row.clusters)
    findings = sections.judge_facts(facts, chosen, frozenset(row.tests))
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
        fix_url=url_of(*astuple(fix)) if fix else "",
        cluster_id=cluster.id if cluster else None,
        cluster_name=cluster.name if cluster else "",
        node_id=node.id if node else None,
        node_name=node.name if node else "",
        peer_id=peer.peer.id if peer else None,
        peer_address=peer.peer.address if peer else "",
        details=finding_details(finding),
    )


@transaction.atomic
def store_results(row: TroubleshooterRun, results: list[TroubleshooterResult]) -> str:
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
    """Keep KEPT_RUNS (a setting), fewer if they are large.

    The newest is kept always, so is the newest over everything, and what is under way.
    """
    runs = TroubleshooterRun.objects.all()
    newest = {run.pk for run in (runs.first(), runs.of_everything()) if run}
    rows = 0
    for pk, totals in runs.values_list("pk", "totals")[: settings.KEPT_RUNS]:
        rows += sum(totals.values())
        if rows <= MOST_ROWS:
            newest.add(pk)
    runs.exclude(pk__in=newest).exclude(job__state__in=Job.ACTIVE).delete()


def drop_deleted(results: list[TroubleshooterResult]) -> None:
    """Unlink what was deleted while the run was collecting."""
    for model, column in ((Cluster, "cluster"), (Node, "node"), (Peer, "peer")):
        existing = {
            str(pk) for pk in model._default_manager.values_list("pk", flat=True)
        }
        for result in results:
            if str(getattr(result, f"{column}_id")) not in existing:
                setattr(result, column, None)


def peer_table(facts: Facts) -> list[dict[str, str | int | None]]:
    """Give the report's table of peers with their counts."""
    table: list[dict[str, str | int | None]] = []
    for peer in facts.peers.values():
        view = PeerView.of(facts, peer)
        home, remote = view.home, view.remote
        table.append(
            {
                "home": home.name,
                "remote": remote.name if remote else "",
                "address": peer.address,
                "protocol": peer.protocol,
                "associated_users": view.users_here,
                "remote_users": view.users_there,
            }
        )
    return sorted(table, key=lambda row: (str(row["home"]), str(row["address"])))
