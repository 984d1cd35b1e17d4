"""What jobs of one cluster have in common."""

from clusters.models import Cluster
from jobs.kind import JobKind


class ClusterJob(JobKind):
    """A kind of job whose target is a cluster."""

    def cluster(self) -> Cluster:
        """The cluster; the job fails where it was deleted."""
        if cluster := Cluster.objects.filter(pk=self.job.target_id).first():
            return cluster
        self.run.fail("The cluster was deleted in the meantime.")
