"""Describe the product's own pages of a cluster: their structure, without any value."""

from typing import Any

from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from accounts.roles import Role
from clusters import page_visits
from clusters.jobs.base import ClusterJob
from clusters.models import Cluster
from jobs.kind import StepKind
from jobs.models import Job
from pages import describe_pages
from wire import WireError


class DescribePages(ClusterJob):
    name = "describe-pages"
    label = "Describe pages"
    role = Role.OPERATOR

    describe = StepKind("Describe the pages of {cluster}")

    @classmethod
    def submit(cls, cluster: Cluster, actor: Actor) -> Job:
        """Submit the visit to the pages.

        Raises:
            jobs.locks.Busy: one is under way.
        """
        audit.append_entry(actor, "describe pages", cluster)
        return Job.objects.submit(
            cls,
            [cls.describe.planned(cluster=cluster)],
            target=cluster,
            locks=[f"describe:{cluster.pk}"],
            user=actor.user,
            address=actor.address,
            queue=cluster.queue,
        )

    def work(self) -> None:
        cluster = self.cluster()
        self.run.do(self.describe, lambda step: visit_pages(cluster))


def visit_pages(cluster: Cluster) -> str:
    try:
        found = page_visits.visit_cluster(cluster, describe_pages)
    except WireError as error:
        store_description(cluster, "failed", error.message, None)
        raise
    problem = next((one["problem"] for one in found if "problem" in one), "")
    store_description(cluster, "failed" if problem else "ok", problem, found)
    return problem or f"{len(found)} pages were recognised."


def store_description(
    cluster: Cluster, state: str, problem: str, description: list[dict[str, Any]] | None
) -> None:
    seen = {"state": state, "seen_at": timezone.now().isoformat(), "problem": problem}
    cluster.remember_pages(seen | {"description": description})
