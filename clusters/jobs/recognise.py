"""Recognise the peer table of a cluster in its own catalogue, and read it."""

from accounts import audit
from accounts.audit import Actor
from accounts.roles import Role
from clusters import table_search
from clusters.jobs.base import ClusterJob
from clusters.models import Cluster
from jobs.kind import StepKind
from jobs.models import Job


class RecogniseTable(ClusterJob):
    name = "recognise-table"
    label = "Recognise peer table"
    role = Role.OPERATOR

    search = StepKind("Search the catalogue of {cluster} by counting")
    read = StepKind("Read the entries of the recognised table")

    @classmethod
    def submit(cls, cluster: Cluster, actor: Actor) -> Job:
        """Submit the search for the peer table.

        Raises:
            jobs.locks.Busy: one is under way.
        """
        audit.append_entry(actor, "recognise peer table", cluster)
        return Job.objects.submit(
            cls,
            [cls.search.planned(cluster=cluster), cls.read.planned()],
            target=cluster,
            locks=[f"recognise:{cluster.pk}"],
            user=actor.user,
            address=actor.address,
            queue=cluster.queue,
        )

    def work(self) -> None:
        cluster = self.cluster()
        self.run.do(self.search, lambda step: table_search.search_table(cluster))
        self.run.do(self.read, lambda step: table_search.read_entries(cluster))
