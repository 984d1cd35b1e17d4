"""Discover a cluster: its version, its nodes and their certificates."""

from accounts import audit
from accounts.audit import Actor
from accounts.roles import Role
from clusters import discovery
from clusters.jobs.base import ClusterJob
from clusters.models import Cluster
from jobs.kind import StepKind
from jobs.models import Job


class DiscoverCluster(ClusterJob):
    name = "discover-cluster"
    label = "Discover cluster"
    role = Role.ADMINISTRATOR
    audited = True
    withdrawn = True

    version = StepKind("Read the version of the publisher")
    nodes = StepKind("Read the nodes of the cluster")
    certificates = StepKind("Read the certificates of its nodes")

    @classmethod
    def submit(cls, cluster: Cluster, actor: Actor) -> Job:
        """Submit the job that learns nodes, version and generation from the publisher.

        Raises:
            jobs.locks.Busy: one is under way.
        """
        audit.append_entry(actor, "discover cluster", cluster)
        steps = (cls.version, cls.nodes, cls.certificates)
        return Job.objects.submit(
            cls,
            [step.planned() for step in steps],
            target=cluster,
            locks=[f"discover:{cluster.pk}"],
            user=actor.user,
            address=actor.address,
            queue=cluster.queue,
        )

    def work(self) -> None:
        cluster = self.cluster()
        self.run.do(self.version, lambda step: discovery.learn_version(cluster))
        self.run.do(self.nodes, lambda step: discovery.learn_nodes(cluster))
        self.run.do(
            self.certificates, lambda step: discovery.check_certificates(cluster)
        )
