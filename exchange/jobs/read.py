"""Read the certificates of all nodes: some clusters at a time, a node at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import wire
from accounts.audit import CONSOLE, Actor
from accounts.roles import Role
from clusters.models import Cluster, Node
from clusters.requests import submit_for, take_near
from exchange import store
from exchange.models import NodeCertificates
from exchange.reading import (
    NO_ACCOUNT,
    OLDER,
    REFUSED_BEFORE,
    CertificateReading,
    Target,
    read_cluster,
    targets_of,
)
from exchange.signals import certificates_read
from jobs.kind import JobKind, StepKind
from jobs.models import Job, JobStep
from wire import Code

AT_ONCE = 4
# Seconds that a worker stays with the job, which comes back for the other clusters.
ATTENDED = 60.0
LOCK = "read-certificates"
GONE = "The cluster was removed from the console."
SILENT = "No node presented a certificate; check that the nodes can be reached."
# Why a node shows no trust lists although nothing is wrong.
EXPECTED = (OLDER, NO_ACCOUNT, REFUSED_BEFORE, str(Code.NOT_OFFERED))

Result = tuple[str, str]


class ReadCertificates(JobKind):
    name = "read-certificates"
    label = "Read certificates"
    role = Role.OPERATOR

    read = StepKind("Read the certificates of {cluster}")

    @classmethod
    def submit(
        cls,
        clusters: Sequence[Cluster],
        actor: Actor = CONSOLE,
        *,
        scheduled: bool = False,
    ) -> Job:
        """Submit the job that reads the certificates of each of these clusters.

        Raises:
            jobs.locks.Busy: such a job is not finished.
        """
        return submit_for(
            clusters,
            cls,
            [cls.read.keyed(one.pk).planned(cluster=one) for one in clusters],
            actor,
            "read certificates",
            arguments={"scheduled": scheduled},
            locks=[f"{LOCK}:{one.pk}" for one in clusters],
        )

    @classmethod
    def due(cls, now: datetime) -> list[Cluster]:
        """The clusters whose certificates nobody tried to read for an interval."""
        if settings.CERTIFICATES_INTERVAL <= 0:
            return []
        since = now - timedelta(seconds=settings.CERTIFICATES_INTERVAL)
        tried = JobStep.objects.filter(job__in=cls.all().filter(created_at__gt=since))
        keys = set(tried.values_list("key", flat=True))
        clusters = Cluster.objects.filter(nodes__isnull=False).distinct()
        return [one for one in clusters if str(one.pk) not in keys]

    def work(self) -> None:
        for _ in self.run.rounds(pause=0, attended=ATTENDED, later=0):
            waiting = take_near(self.run, self.waiting())
            if not waiting:
                break
            self.read_some(waiting[:AT_ONCE])
        store.link_signers()
        store.prune_certificates()
        transaction.on_commit(lambda: certificates_read.send(ReadCertificates))
        failed = self.run.job.steps.filter(state=JobStep.State.FAILED).count()
        if failed:
            total = self.run.job.steps.count()
            self.run.fail(f"{failed} of {total} clusters could not be read.")

    def waiting(self) -> list[str]:
        states = (JobStep.State.PENDING, JobStep.State.RUNNING)
        steps = self.run.job.steps.filter(state__in=states)
        return list(steps.values_list("key", flat=True))

    def read_some(self, keys: list[str]) -> None:
        found = Cluster.objects.filter(pk__in=keys).prefetch_related("nodes__cluster")
        clusters = {str(one.pk): one for one in found}
        self.run.begin_steps({key: {} for key in keys}, "Read certificates")
        scheduled = bool(self.run.arguments.get("scheduled"))
        targets = {
            key: targets_of(one, barred=scheduled and is_refused(one))
            for key, one in clusters.items()
        }
        readings = wire.run_loop(read_all(targets))
        results = dict.fromkeys(keys, (JobStep.State.FAILED.value, GONE))
        for key, read in readings.items():
            results[key] = keep_reading(read)
        self.run.end_steps(results)


async def read_all(
    targets: Mapping[str, Sequence[Target]],
) -> dict[str, dict[str, CertificateReading]]:
    found = await asyncio.gather(*(read_cluster(those) for those in targets.values()))
    return dict(zip(targets, found, strict=True))


def keep_reading(readings: Mapping[str, CertificateReading]) -> Result:
    """Store what the nodes of a cluster showed; say how it went."""
    at = timezone.now()
    nodes = {str(one.pk): one for one in Node.objects.filter(pk__in=readings)}
    rows = [
        store.save_reading(nodes[key], reading, at)
        for key, reading in readings.items()
        if key in nodes
    ]
    whole = sum(reading.snapshot is not None for reading in readings.values())
    said = f"Trust lists of {whole} of {len(rows)} nodes"
    wrong = next((row for row in rows if row.code not in ("", *EXPECTED)), None)
    if wrong:
        return JobStep.State.FAILED.value, f"{said}. {wrong.problem}"
    if not any(reading.snapshot or reading.presented for reading in readings.values()):
        return JobStep.State.FAILED.value, f"{said}. {SILENT}"
    why = next((row.problem for row in rows if row.problem), "")
    return JobStep.State.DONE.value, f"{said}. {why}".strip()


def is_refused(cluster: Cluster) -> bool:
    """Whether the account was refused, and nobody has changed the cluster since."""
    refused = NodeCertificates.objects.filter(
        node__cluster=cluster,
        code__in=(Code.UNAUTHORIZED, REFUSED_BEFORE),
        tried_at__gt=cluster.updated_at,
    )
    return refused.exists()
