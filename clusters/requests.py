"""How jobs about clusters are submitted, and where they are worked on."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from clusters.models import Cluster
from jobs import presence
from jobs.kind import JobKind
from jobs.models import Job, JobStep
from jobs.run import Run
from jobs.sites import served_by
from jobs.waiting import served_queues


def is_near(cluster: Cluster) -> bool:
    """Whether this process reaches the cluster: no worker near it does that instead."""
    return presence.serves(cluster.queue)


def unreached(cluster: Cluster) -> str:
    """A sentence if no running worker reaches the cluster; else empty."""
    queue = served_by(cluster.queue)
    if presence.serves(queue) or queue in served_queues():
        return ""
    return f"No running worker serves the queue {queue}."


def go_near(run: Run, cluster: Cluster, seconds: float = 0) -> None:
    """Give the job to the workers near a cluster, unless they have it.

    Raises:
        jobs.run.Parked: they take it up after so many seconds, where it stands.
    """
    if not is_near(cluster):
        run.hand_over(served_by(cluster.queue), seconds)


def take_near(run: Run, keys: Sequence[str]) -> list[str]:
    """Of clusters with a step each, give those that are reached from here.

    Those that no running worker reaches are skipped, with that as the reason.

    Raises:
        jobs.run.Parked: the rest is for the workers of another site.
    """
    rows = Cluster.objects.filter(pk__in=keys)
    far = {str(row.pk): row for row in rows if not is_near(row)}
    reasons = {key: reason for key, row in far.items() if (reason := unreached(row))}
    skipped = JobStep.State.SKIPPED.value
    if reasons:
        run.end_steps({key: (skipped, reason) for key, reason in reasons.items()})
    near = [key for key in keys if key not in far]
    for key, row in far.items():
        if not near and key not in reasons:
            go_near(run, row)
    return near


def queue_for(clusters: Sequence[Cluster]) -> str:
    """The site's queue if all clusters are of one site, else the common one."""
    queues = {one.queue for one in clusters}
    return queues.pop() if len(queues) == 1 else ""


def by_site(clusters: Iterable[Cluster]) -> list[list[Cluster]]:
    """A job reaches the clusters of one site only."""
    found: dict[str, list[Cluster]] = {}
    for one in clusters:
        found.setdefault(one.site, []).append(one)
    return list(found.values())


@transaction.atomic
def submit_for(
    clusters: Sequence[Cluster],
    kind: type[JobKind],
    steps: Iterable[tuple[str, str]],
    actor: Actor,
    action: str,
    **options: Any,
) -> Job:
    """Submit one job about several clusters; what a person asked for is audited.

    Raises:
        jobs.locks.Busy: one of the locks is held.
    """
    single = clusters[0] if len(clusters) == 1 else None
    job = Job.objects.submit(
        kind,
        list(steps),
        target=single,
        clusters=[one.pk for one in clusters],
        label=str(single or f"{len(clusters)} clusters"),
        user=actor.user,
        address=actor.address,
        queue=queue_for(clusters),
        **options,
    )
    if actor.user:
        names = [one.name for one in clusters]
        audit.append_entry(actor, action, job, {"clusters": [None, names]})
    return job
