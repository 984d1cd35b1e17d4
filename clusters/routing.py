"""Jobs follow a cluster to another site."""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from clusters.models import Cluster
from jobs.kind import kind_named
from jobs.models import Job, JobCluster, ring_all
from jobs.sites import PREFIX

Sites = Mapping[UUID, str]


def follow_site(cluster: Cluster, before: str) -> None:
    """Move the unfinished jobs of a cluster from the queue of its former site to that
    of its present one; call it in the transaction that changes the site.

    A job in hand moves as well: it may come to wait again.
    """
    touching = JobCluster._base_manager.filter(cluster=cluster.pk).values("job")
    jobs = Job._base_manager.filter(pk__in=touching, state__in=Job.ACTIVE)
    sites = dict(Cluster._base_manager.values_list("pk", "site"))
    moved: dict[str, list[Job]] = defaultdict(list)
    for job in jobs.prefetch_related("on"):
        old = queue_by(job, {**sites, cluster.pk: before})
        new = queue_by(job, {**sites, cluster.pk: cluster.site})
        if job.queue == old != new:
            job.queue = new
            moved[new].append(job)
    for queue, found in moved.items():
        rows = Job._base_manager.filter(pk__in=[job.pk for job in found])
        rows.update(queue=queue, ring_at=Now())
        transaction.on_commit(partial(ring_all, found), robust=True)


def queue_by(job: Job, sites: Sites) -> str:
    """The queue of the one site that the clusters of a job are of, else the common one.

    A job about something of one cluster belongs to it, whatever else it touches.
    """
    home = getattr(job.find_target(unlimited=True), "cluster_id", None)
    ids = [home] if home else [one.cluster for one in job.on.all()]
    found = {sites.get(pk, "") for pk in ids}
    site = found.pop() if len(found) == 1 else ""
    return f"{PREFIX}{site}" if site else kind_named(job.kind).queue
