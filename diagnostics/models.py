"""What checks found: the history of each peer, and runs of the troubleshooter."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    ScopedManager,
    current_limit,
)
from base.fields import JSONField
from clusters.models import Cluster, Node
from diagnostics.judge.sections import TESTS
from jobs.models import Job, JobCluster
from peers.models import Peer, PeerOutcome


def peers_within(limit: Limit) -> models.QuerySet[Peer]:
    return Peer._base_manager.filter(cluster__in=limit.clusters)


class SiteFacts(models.Model):
    """What the workers of a site collected for a job that judges it, until it does."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="facts")
    # As diagnostics.facts_json packs it.
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"Facts of {self.job}"


class PeerCheck(HangsOnClusters):
    """One check of a peer; of the entries, those that did not pass."""

    scope = ClusterScope("peer_id", peers_within, lambda row: {row.peer.cluster_id})

    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="checks")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=PeerOutcome.choices)
    entries = JSONField(default=list)
    associated_users = models.PositiveIntegerField(null=True)
    remote_users = models.PositiveIntegerField(null=True)
    # Whether it is counted in the history by hour and day.
    rolled_up = models.BooleanField(default=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # The history of one peer, newest first.
            models.Index(fields=["peer", "-at"], name="check_newest"),
            # What is to be counted, oldest first.
            models.Index(
                fields=["at", "id"],
                condition=models.Q(rolled_up=False),
                name="check_uncounted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.outcome}"

    @classmethod
    def prune(cls, peer_ids: list[Any]) -> None:
        """Keep the newest KEPT_CHECKS (a setting) of each of these peers."""
        kept = settings.KEPT_CHECKS
        for pk in peer_ids:
            newest = cls.objects.filter(peer=pk).values_list("pk", flat=True)
            if too_old := list(newest[kept : kept + 500]):
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

    scope = ClusterScope(
        "pk", runs_within, lambda run: {UUID(one["id"]) for one in run.clusters}
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL)
    # As they were: a cluster that is deleted later stays in the report.
    clusters = JSONField(default=list)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )
    reason = models.CharField(max_length=100, blank=True)
    # The codes of the tests that were wanted; none: all.
    tests = JSONField(default=list)
    # All tests over all clusters: what stands for the state of everything.
    whole = models.BooleanField(default=True)
    totals = JSONField(default=dict)
    peers = JSONField(default=list)
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

    # Totals of the part that the requester may see, where `count_results` counted them.
    counted: dict[str, int] | None = None

    @property
    def visible_clusters(self) -> list[dict[str, str]]:
        """The clusters that the requester may see; `clusters` is what is stored."""
        limit = current_limit()
        if limit is None:
            return list(self.clusters)
        return [one for one in self.clusters if limit.admits(one["id"])]

    @property
    def visible_peers(self) -> list[dict[str, Any]]:
        if current_limit() is None:
            return list(self.peers)
        homes = {one["name"] for one in self.visible_clusters}
        return [one for one in self.peers if one["home"] in homes]

    @property
    def visible_totals(self) -> dict[str, int]:
        """Rows by outcome; with a limit only what `count_results` counted."""
        if self.counted is not None:
            return self.counted
        return self.totals if current_limit() is None else {}

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
    limited = current_limit() is not None
    partly = [run for run in runs if run.finished_at and (limited or not run.totals)]
    if not partly:
        return
    counted = TroubleshooterResult.objects.filter(run__in=partly).order_by()
    numbers = counted.values_list("run", "outcome").annotate(models.Count("pk"))
    counts = {(pk, outcome): n for pk, outcome, n in numbers}
    outcomes = TroubleshooterResult.Outcome.values
    for run in partly:
        run.counted = {
            outcome: counts.get((run.pk, outcome), 0) for outcome in outcomes
        }


class TroubleshooterResult(HangsOnClusters):
    """What one test said of one thing, in words that outlive the thing."""

    scope = ClusterScope()

    class Outcome(models.TextChoices):
        PASSED = "passed"
        FAILED = "failed"
        WARNING = "warning"
        INFORMATION = "information"

    class Source(models.TextChoices):
        CONSOLE = "console"
        # A row of the cluster's own System Troubleshooter, in the vendor's words.
        CLUSTER = "cluster"

    run = models.ForeignKey(
        TroubleshooterRun, on_delete=models.CASCADE, related_name="results"
    )
    position = models.PositiveIntegerField()
    source = models.CharField(
        max_length=8, choices=Source.choices, default=Source.CONSOLE
    )
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
    details = JSONField(default=dict)

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
    def by_cluster(self) -> bool:
        return self.source == self.Source.CLUSTER

    @property
    def compared(self) -> dict[str, Any]:
        """What the console says where a row of a cluster asks the same."""
        return dict(self.details.get("compared") or {})

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
        return subject_of(self.cluster_name, self.node_name, self.peer_address)


def subject_of(cluster: str, node: str, peer: str) -> str:
    """Name the narrowest thing; a peer is two ends."""
    if peer:
        return f"{cluster} → {peer}"
    return node or cluster
