"""Asking for snapshots, by hand or because the last ones are old."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from directory.models import Snapshot
from jobs.locks import JobLock
from jobs.models import Job, JobStep
from peers.changes import queue_of
from peers.models import Cluster

KIND = "snapshot-directory"
COMPARE = "compare"


def take(clusters: Sequence[Cluster], actor: Actor) -> Job:
    """Submit the job that takes a snapshot of each of these clusters.

    Raises:
        jobs.locks.Busy: one of them is being read already.
    """
    single = clusters[0] if len(clusters) == 1 else None
    steps = [(str(one.pk), f"Read the users of {one}"[:255]) for one in clusters]
    with transaction.atomic():
        job = Job.objects.submit(
            KIND,
            [*steps, (COMPARE, "Compare both sides of the peers")],
            target=single,
            clusters=[one.pk for one in clusters],
            label=str(single or f"{len(clusters)} clusters"),
            locks=[lock_of(one) for one in clusters],
            user=actor.user,
            address=actor.address,
            queue=queue_for(clusters),
        )
        if actor.user:
            names = [one.name for one in clusters]
            audit.record(actor, "take snapshots", job, {"clusters": [None, names]})
    return job


def queue_for(clusters: Sequence[Cluster]) -> str:
    """The site's queue if all clusters are of one site, else the common one."""
    queues = {queue_of(one) for one in clusters}
    return queues.pop() if len(queues) == 1 else ""


def by_site(clusters: Sequence[Cluster]) -> list[list[Cluster]]:
    sites: dict[str, list[Cluster]] = {}
    for one in clusters:
        sites.setdefault(one.site, []).append(one)
    return list(sites.values())


def lock_of(cluster: Cluster) -> str:
    return f"directory:{cluster.pk}"


def due(now: datetime) -> list[Cluster]:
    """The clusters whose users were not read, nor tried to be, for an interval."""
    if settings.DIRECTORY_INTERVAL <= 0:
        return []
    oldest = now - timedelta(seconds=settings.DIRECTORY_INTERVAL)
    fresh = Snapshot.objects.filter(taken_at__gt=oldest)
    tried = JobStep.objects.filter(job__kind=KIND, job__created_at__gt=oldest)
    keys = set(tried.values_list("key", flat=True))
    locks = JobLock.objects.filter(name__startswith="directory:")
    busy = set(locks.values_list("name", flat=True))
    clusters = Cluster.objects.exclude(pk__in=fresh.values("cluster"))
    return [
        one
        for one in clusters.prefetch_related("nodes")
        if str(one.pk) not in keys and lock_of(one) not in busy and readable(one)
    ]


def readable(cluster: Cluster) -> bool:
    """Whether there is a publisher to ask, and anything may be sent to it."""
    return bool(cluster.publisher and cluster.publisher.trusted)
