"""What checks found: the history of each peer, and runs of the troubleshooter."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.scope import HangsOnClusters, Limit, Scope, ScopedManager, current
from diagnostics.judge.sections import TESTS
from jobs.models import Job, JobCluster
from peers.models import Cluster, Node, Outcome, Peer

KEPT_CHECKS = 500


def peers_within(limit: Limit) -> models.QuerySet[Peer]:
    return Peer._base_manager.filter(cluster__in=limit.clusters)


class PeerCheck(HangsOnClusters):
    """One check of a peer; of the entries, those that did not pass."""

    scope = Scope("peer_id", peers_within, lambda row: {row.peer.cluster_id})

    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="checks")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    entries = models.JSONField(default=list)
    associated_users = models.PositiveIntegerField(null=True)
    remote_users = models.PositiveIntegerField(null=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # The history of one peer, newest first.
            models.Index(fields=["peer", "-at"], name="check_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.outcome}"

    @classmethod
    def prune(cls, peer_ids: list[Any]) -> None:
        """Keep the newest KEPT_CHECKS of each of these peers."""
        for pk in peer_ids:
            newest = cls.objects.filter(peer=pk).values_list("pk", flat=True)
            if too_old := list(newest[KEPT_CHECKS : KEPT_CHECKS + 500]):
                cls.objects.filter(pk__in=too_old).delete()


class RunQuerySet(models.QuerySet["TroubleshooterRun"]):
    """Queries over runs."""

    def finished(self) -> "RunQuerySet":
        return self.exclude(finished_at=None)

    def before(self, run: "TroubleshooterRun") -> "TroubleshooterRun | None":
        """Return the last finished run of the same extent, to compare with."""
        earlier = self.finished().filter(created_at__lt=run.created_at)
        return earlier.filter(whole=run.whole).first() or earlier.first()

    def of_everything(self) -> "TroubleshooterRun | None":
        """Return the newest finished run over all clusters, else the newest."""
        finished = self.finished()
        return finished.filter(whole=True).first() or finished.first()


def runs_within(limit: Limit) -> models.QuerySet["TroubleshooterRun"]:
    """Runs that a person asked for, or that looked or look at one of the clusters."""
    results = TroubleshooterResult._base_manager.filter(cluster__in=limit.clusters)
    touching = JobCluster._base_manager.filter(cluster__in=limit.clusters)
    theirs = models.Q(requested_by=limit.user_id) if limit.user_id else models.Q()
    return TroubleshooterRun._base_manager.filter(
        theirs
        | models.Q(pk__in=results.values("run"))
        | models.Q(job__in=touching.values("job"))
    )


class TroubleshooterRun(HangsOnClusters):
    """A run of the System Troubleshooter over some clusters."""

    scope = Scope(
        "pk", runs_within, lambda run: {UUID(one["id"]) for one in run.clusters}
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL)
    # As they were: a cluster that is deleted later stays in the report.
    clusters = models.JSONField(default=list)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )
    reason = models.CharField(max_length=100, blank=True)
    # The codes of the tests that were wanted; none: all.
    tests = models.JSONField(default=list)
    # All tests over all clusters: what stands for the state of everything.
    whole = models.BooleanField(default=True)
    totals = models.JSONField(default=dict)
    peers = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ScopedManager.from_queryset(RunQuerySet)()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["-created_at", "-id"], name="run_newest")]

    def __str__(self) -> str:
        return f"Run of {self.created_at:%Y-%m-%d %H:%M:%S}"

    def get_absolute_url(self) -> str:
        return reverse("diagnostics:run", args=[self.pk])

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        """Leave out the clusters that whoever asks may not see, and the totals:
        `count_results` counts the rows that are left."""
        run = super().from_db(*args, **kwargs)
        limit = current()
        if limit is not None and not run.get_deferred_fields():
            run.clusters = [one for one in run.clusters if limit.admits(one["id"])]
            homes = {one["name"] for one in run.clusters}
            run.peers = [one for one in run.peers if one["home"] in homes]
            run.totals = {}
        return run

    @property
    def state(self) -> str:
        """The job's state; the job of an old run may be gone."""
        if self.finished_at:
            return Job.State.SUCCEEDED
        return self.job.state if self.job else Job.State.CANCELLED

    @property
    def active(self) -> bool:
        return self.state in Job.ACTIVE

    def finish(self, totals: dict[str, int], at: datetime) -> None:
        self.totals, self.finished_at = totals, at
        self.save(update_fields=["totals", "finished_at", "peers"])


def count_results(runs: Iterable[TroubleshooterRun]) -> None:
    """Give runs that may be seen in part the totals of that part, in one query."""
    partly = [run for run in runs if run.finished_at and not run.totals]
    if not partly:
        return
    counted = TroubleshooterResult.objects.filter(run__in=partly).order_by()
    numbers = counted.values_list("run", "outcome").annotate(models.Count("pk"))
    counts = {(pk, outcome): n for pk, outcome, n in numbers}
    outcomes = TroubleshooterResult.Outcome.values
    for run in partly:
        run.totals = {outcome: counts.get((run.pk, outcome), 0) for outcome in outcomes}


class TroubleshooterResult(HangsOnClusters):
    """What one test said of one thing, in words that outlive the thing."""

    scope = Scope()

    class Outcome(models.TextChoices):
        PASSED = "passed"
        FAILED = "failed"
        WARNING = "warning"
        INFORMATION = "information"

    run = models.ForeignKey(
        TroubleshooterRun, on_delete=models.CASCADE, related_name="results"
    )
    position = models.PositiveIntegerField()
    section = models.CharField(max_length=40)
    code = models.CharField(max_length=60)
    description = models.CharField(max_length=255)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    problem = models.TextField(blank=True)
    solution = models.TextField(blank=True)
    fix_url = models.CharField(max_length=255, blank=True)
    cluster = models.ForeignKey(Cluster, null=True, on_delete=models.SET_NULL)
    cluster_name = models.CharField(max_length=100, blank=True)
    node = models.ForeignKey(Node, null=True, on_delete=models.SET_NULL)
    node_name = models.CharField(max_length=253, blank=True)
    peer = models.ForeignKey(Peer, null=True, on_delete=models.SET_NULL)
    peer_address = models.CharField(max_length=253, blank=True)
    details = models.JSONField(default=dict)

    objects = ScopedManager()

    class Meta:
        ordering = ["position", "id"]
        indexes = [
            # A section of a run, by outcome; the rows of a test in two runs.
            models.Index(fields=["run", "section", "outcome"], name="result_section"),
            models.Index(fields=["run", "outcome"], name="result_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.description} {self.outcome}"

    @property
    def asked(self) -> str:
        """Say what the test asks, as this release has it."""
        return next((test.asks for test in TESTS if test.code == self.code), "")

    @property
    def answers(self) -> list[dict[str, Any]]:
        """Give the answers it rests on, their times as times."""
        return [
            answer | {"at": answer["at"] and datetime.fromisoformat(answer["at"])}
            for answer in self.details.get("answers", ())
        ]

    @property
    def subject(self) -> str:
        """Say what the test was about."""
        return subject(self.cluster_name, self.node_name, self.peer_address)


def subject(cluster: str, node: str, peer: str) -> str:
    """Name the narrowest thing; a peer is two ends."""
    if peer:
        return f"{cluster} → {peer}"
    return node or cluster
