"""What a console of 60 x 60 peers leaves in its database after so many days.

The console's own writers and its own retention do it, where that takes minutes; what
repeats a million times is written once by them and copied in the database, with other
times.
"""

import uuid
from copy import copy
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

CLUSTERS = 60
SWEEP = timedelta(minutes=5)
SWEEPS_A_DAY = 288
# What happens on a day: lines of the audit trail, jobs, changes that are seen.
ENTRIES, JOBS, EVENTS = 200, 100, 480
# Rows of one run of the troubleshooter over everything, one a day.
RESULTS = 10_000
DAY = timedelta(days=1)


def fill_console(days: int) -> None:
    """Add the clusters, and these days of their life up to now."""
    on_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if on_sqlite:  # until it is closed below
            cursor.execute("pragma cache_size = -1000000")
            cursor.execute("pragma synchronous = off")
    with transaction.atomic():
        add_days(days)
    prune_everything()
    with connection.cursor() as cursor:
        cursor.execute("analyze" if on_sqlite else "vacuum analyze")
    connection.close()


def add_days(days: int) -> None:
    now = timezone.now()
    peers = add_peers()
    add_checks(peers, now)
    add_history(peers, days, now)
    add_events(peers, days, now)
    add_audit(peers, days, now)
    add_jobs(peers, days, now)
    add_runs(min(days, settings.KEPT_RUNS + 2), now)
    add_comparisons(peers, days, now)
    add_proofs(peers, days, now)
    add_user_numbers(days, now)


def add_peers() -> list[Any]:
    from clusters.models import Cluster, Node
    from peers.models import Peer

    clusters = Cluster.objects.bulk_create(
        Cluster(
            name=f"cup{n}",
            domain="example.com",
            axl_username="axladmin",
            provisioning="direct",
            generation="cup8",
            version="8.6.5.10000(12)",
        )
        for n in range(1, CLUSTERS + 1)
    )
    Node.objects.bulk_create(
        Node(
            cluster=cluster,
            name=f"{cluster.name}-{m}.example.com",
            address=f"10.0.{n}.{m}",
            role="publisher" if m == 1 else "subscriber",
            certificate_fingerprint="ab" * 32,
            certificate_state=Node.CertificateState.TRUSTED,
        )
        for n, cluster in enumerate(clusters, 1)
        for m in (1, 2)
    )
    peers = [
        Peer(
            cluster=home,
            remote_cluster=remote,
            address=f"10.0.{n}.1",
            username="ic",
            provisioning_state=Peer.ProvisioningState.APPLIED,
            applied_address=f"10.0.{n}.1",
            associated_users=37_500,
            remote_users=37_500,
        )
        for home in clusters
        for n, remote in enumerate(clusters, 1)
        if remote is not home
    ]
    for peer in peers:
        peer.seal("password", "open sesame")
    return Peer.objects.bulk_create(peers, batch_size=500)


def copy_rows(model: Any, rows: Any, shift: timedelta, *times: str) -> None:
    """Copy rows of a table, with these columns so much earlier; new ids by itself."""
    columns = [
        field.column for field in model._meta.concrete_fields if not field.primary_key
    ]
    quote = connection.ops.quote_name
    values = [
        earlier(quote(name), shift, name == "day") if name in times else quote(name)
        for name in columns
    ]
    condition, parameters = rows
    names = ", ".join(map(quote, columns))
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into {table} ({names}) select {', '.join(values)} "
            f"from {table} where {condition}",
            parameters,
        )


def earlier(column: str, shift: timedelta, is_date: bool) -> str:
    seconds = int(shift.total_seconds())
    if connection.vendor != "sqlite":
        shifted = f"{column} - interval '{seconds} seconds'"
        return f"({shifted})::date" if is_date else shifted
    form = "%%Y-%%m-%%d" if is_date else "%%Y-%%m-%%d %%H:%%M:%%f"
    return f"strftime('{form}', {column}, '-{seconds} seconds')"


def stored(at: datetime) -> Any:
    """A time as a parameter of a raw query."""
    return connection.ops.adapt_datetimefield_value(at)


def outcome_at(number: int) -> str:
    """One of fifty checks finds something."""
    return ("failed", "warning")[number % 100 == 0] if number % 50 == 0 else "passed"


def add_checks(peers: list[Any], now: datetime) -> None:
    """As many checks of each peer as are kept, sweep after sweep."""
    from diagnostics.models import PeerCheck

    kept = settings.KEPT_CHECKS
    last = now - SWEEP
    found = [{"code": "connect", "outcome": "failed", "problem": "It is closed."}]
    PeerCheck.objects.bulk_create(
        (
            PeerCheck(
                peer=peer,
                at=last,
                outcome=outcome_at(n),
                entries=[] if outcome_at(n) == "passed" else found,
                associated_users=37_500,
                remote_users=37_500,
                rolled_up=True,
            )
            for n, peer in enumerate(peers)
        ),
        batch_size=500,
    )
    newest = PeerCheck.objects.order_by("-id").first().pk
    for number in range(kept - 1, 0, -1):
        copy_rows(PeerCheck, ("id <= %s", [newest]), number * SWEEP, "at")


def add_history(peers: list[Any], days: int, now: datetime) -> None:
    """A day by day row of each peer; yesterday's counted by the console itself."""
    from history import rollup
    from history.models import ClusterDay, PeerDay

    begin = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # What is found repeats after so many peers.
    some, others = peers[:100], peers[100:]
    rollup.count_checks(
        [
            SimpleNamespace(
                peer_id=peer.pk,
                at=begin - number * SWEEP,
                outcome=outcome_at(n + number),
                associated_users=37_500,
                remote_users=37_500,
            )
            for n, peer in enumerate(some)
            for number in range(1, SWEEPS_A_DAY + 1)
        ]
    )
    counted = {row.peer_id: row for row in PeerDay.objects.all()}
    for n, peer in enumerate(others):
        row = copy(counted[some[n % 100].pk])
        row.pk, row.peer_id = None, peer.pk
        counted[peer.pk] = row
    rollup.store_days([row for row in counted.values() if row.pk is None])
    yesterday = (begin - DAY).date()
    rollup.renew_cluster_days([peer.pk for peer in peers], [yesterday])
    for number in range(days - 1, 0, -1):
        for model in (PeerDay, ClusterDay):
            copy_rows(model, ("day = %s", [yesterday]), number * DAY, "day")


def add_events(peers: list[Any], days: int, now: datetime) -> None:
    from history.models import Event

    kinds = (Event.Kind.OUTCOME, Event.Kind.OUTCOME, Event.Kind.SERVICE)
    Event.objects.bulk_create(
        (
            Event(
                at=now - days * DAY + number * DAY / EVENTS,
                kind=kinds[number % 3],
                cluster_id=peer.cluster_id,
                peer=None if number % 3 == 2 else peer,
                sentence=f"Peer {peer.address} has changed.",
                url="/",
            )
            for number in range(days * EVENTS)
            for peer in [peers[number * 7919 % len(peers)]]
        ),
        batch_size=2000,
    )


def add_audit(peers: list[Any], days: int, now: datetime) -> None:
    """Entries of a day at once, each bound to the one before by the console itself."""
    from accounts import audit

    actions = ("edit peer", "check peer", "sign in", "edit cluster", "control service")
    for day in range(days, 0, -1):
        with mock.patch("accounts.audit.timezone.now", lambda at=now - day * DAY: at):
            audit.record_all(
                audit.CONSOLE,
                [
                    audit.AuditEvent(
                        actions[n % len(actions)],
                        peers[(day * ENTRIES + n) * 31 % len(peers)],
                        {"protocol": ["TCP", "TLS"]},
                        label=f"peer {n}",
                    )
                    for n in range(ENTRIES)
                ],
            )


def add_jobs(peers: list[Any], days: int, now: datetime) -> None:
    """Jobs of each day, older ones than are kept too, and the sweeps of one day."""
    days = min(days, settings.JOB_RETENTION_DAYS + 5)
    times = [now - days * DAY + n * DAY / JOBS for n in range(days * JOBS)]
    store_jobs("check-peer", times, peers, steps=4)
    sweeps = [now - n * SWEEP for n in range(1, SWEEPS_A_DAY + 1)]
    store_jobs("sweep", sweeps, peers, steps=2)


def store_jobs(kind: str, times: list[datetime], peers: list[Any], steps: int) -> None:
    from jobs.models import Job, JobCluster, JobStep

    jobs = [
        Job(
            kind=kind,
            queue="operate",
            state=Job.State.SUCCEEDED,
            target_type="peer",
            target_id=str(peer.pk),
            target_label=peer.address,
            total=steps,
            done=steps,
            not_before=at,
            ring_at=at,
            started_at=at,
            finished_at=at + timedelta(seconds=5),
        )
        for n, at in enumerate(times)
        for peer in [peers[n * 37 % len(peers)]]
    ]
    homes = {str(peer.pk): peer.cluster_id for peer in peers}
    Job.objects.bulk_create(jobs, batch_size=500)
    for job, at in zip(jobs, times, strict=True):
        job.created_at = at
    Job.objects.bulk_update(jobs, ["created_at"], batch_size=300)
    JobCluster.objects.bulk_create(
        (JobCluster(job=job, cluster=homes[job.target_id]) for job in jobs),
        batch_size=2000,
    )
    JobStep.objects.bulk_create(
        (
            JobStep(
                job=job,
                position=n,
                key=f"step-{n}",
                label="Read every cluster",
                state=JobStep.State.DONE,
                started_at=job.started_at,
                finished_at=job.finished_at,
            )
            for job in jobs
            for n in range(steps)
        ),
        batch_size=2000,
    )


def add_runs(days: int, now: datetime) -> None:
    from clusters.models import Cluster
    from diagnostics.judge.sections import TESTS
    from diagnostics.models import TroubleshooterResult, TroubleshooterRun

    clusters = list(Cluster.objects.all())
    known = [{"id": str(one.pk), "name": one.name} for one in clusters]
    totals = {"passed": RESULTS - 200, "failed": 100, "warning": 100}
    runs = TroubleshooterRun.objects.bulk_create(
        TroubleshooterRun(clusters=known, totals=totals, finished_at=now - n * DAY)
        for n in range(days)
    )
    for run in runs:
        run.created_at = run.started_at = run.finished_at
    TroubleshooterRun.objects.bulk_update(runs, ["created_at", "started_at"])
    tests = list(TESTS)
    TroubleshooterResult.objects.bulk_create(
        (
            TroubleshooterResult(
                run=runs[0],
                position=n,
                section=test.section,
                code=test.code,
                description=test.description[:255],
                outcome=outcome_at(n),
                problem="" if outcome_at(n) == "passed" else "It is not so.",
                cluster=cluster,
                cluster_name=cluster.name,
            )
            for n in range(RESULTS)
            for test in [tests[n % len(tests)]]
            for cluster in [clusters[n % CLUSTERS]]
        ),
        batch_size=500,
    )
    columns = [
        field.column
        for field in TroubleshooterResult._meta.concrete_fields
        if not field.primary_key and field.column != "run_id"
    ]
    names = ", ".join(map(connection.ops.quote_name, columns))
    table = TroubleshooterResult._meta.db_table
    with connection.cursor() as cursor:
        for run in runs[1:]:
            cursor.execute(
                f"insert into {table} (run_id, {names}) select %s, {names} "
                f"from {table} where run_id = %s",
                [stored_id(run.pk), stored_id(runs[0].pk)],
            )


def stored_id(pk: uuid.UUID) -> Any:
    return pk.hex if connection.vendor == "sqlite" else pk


def add_comparisons(peers: list[Any], days: int, now: datetime) -> None:
    """As many as are kept of each peer, four a day."""
    from directory.comparison_history import mark_compared
    from directory.models import Comparison

    points = Comparison.objects.bulk_create(
        (
            Comparison(
                peer=peer,
                at=now,
                outcome=outcome_at(n),
                home_count=37_500,
                remote_count=37_500,
                **dict.fromkeys(("missing", "extra", "elsewhere", "settling"), 0),
            )
            for n, peer in enumerate(peers)
        ),
        batch_size=500,
    )
    mark_compared(points)
    newest = Comparison.objects.order_by("-id").first().pk
    for number in range(min(4 * days, Comparison.KEPT) - 1, 0, -1):
        copy_rows(Comparison, ("id <= %s", [newest]), number * DAY / 4, "at")


def add_proofs(peers: list[Any], days: int, now: datetime) -> None:
    """The budget of scheduled proofs, shared by all peers."""
    from proof.models import Proof

    stage = Proof._meta.get_field("stage").choices[-1][0]
    Proof.objects.bulk_create(
        (
            Proof(peer=peer, at=now, outcome="passed", stage=stage, way="sip")
            for peer in peers
        ),
        batch_size=500,
    )
    newest = Proof.objects.order_by("-id").first().pk
    share = timedelta(hours=len(peers) / settings.PROOFS_PER_HOUR)
    for number in range(min(days * DAY // share, settings.KEPT_PROOFS) - 1, 0, -1):
        copy_rows(Proof, ("id <= %s", [newest]), number * share, "at")


def add_user_numbers(days: int, now: datetime) -> None:
    from clusters.models import Cluster
    from sizing.models import UsersOnDay

    today: date = now.date()
    UsersOnDay.objects.bulk_create(
        (
            UsersOnDay(cluster=cluster, day=today - n * DAY, users=75_000)
            for n in range(days)
            for cluster in Cluster.objects.all()
        ),
        batch_size=2000,
    )


def prune_everything() -> None:
    """The console's own housekeeping, as beat and the jobs start it."""
    from accounts.tasks import clean_accounts
    from diagnostics.jobs.troubleshoot import forget_oldest
    from history.tasks import maintain_history
    from jobs.tasks import prune_jobs
    from notifications.tasks import detect_changes

    for task in (clean_accounts, maintain_history, prune_jobs, detect_changes):
        task()
    forget_oldest()
