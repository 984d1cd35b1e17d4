"""Test a cluster: reach each of its nodes through AXL."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from django.utils import timezone

from accounts.audit import Actor
from accounts.roles import Role
from clusters.contacts import NOT_QUERIED
from clusters.conversation import ask_node
from clusters.editions import editions_of
from clusters.models import Cluster, Node
from jobs.kind import JobKind, StepKind
from jobs.locks import Busy
from jobs.models import Job
from jobs.run import Ended
from wire import AxlClient, WireError

# What decides whether a node can be reached and signed in to.
REACHED_BY = {
    *("axl_username", "axl_password", "tls_mode", "ca_certificate", "legacy_tls"),
    *("address", "axl_port"),
}


class TestCluster(JobKind):
    # Not a test case of this project, whatever pytest concludes from the name.
    __test__ = False

    name = "test-cluster"
    label = "Test cluster"
    role = Role.OPERATOR
    withdrawn = True

    reach = StepKind("Reach {node}")

    @classmethod
    def submit(cls, cluster: Cluster, actor: Actor) -> Job:
        """Submit the job that reaches every node of the cluster.

        Raises:
            jobs.locks.Busy: one is under way.
        """
        return Job.objects.submit(
            cls,
            [
                cls.reach.keyed(node.pk).planned(node=node)
                for node in cluster.nodes.all()
            ],
            target=cluster,
            locks=[f"test:{cluster.pk}"],
            user=actor.user,
            address=actor.address,
            queue=cluster.queue,
        )

    def work(self) -> None:
        """Reach every node, whatever becomes of one of them."""
        pk, at = self.job.target_id, timezone.now()
        edition = editions_of([pk])
        nodes = list(Node.objects.filter(cluster_id=pk).select_related("cluster"))
        failed = {node: error for node in nodes if (error := self.error_of(node))}
        if nodes and editions_of([pk]) == edition:
            nodes[0].cluster.remember_health(health_of(failed), at)
        if failed:
            errors = (f"{one.message} {one.remedy}".strip() for one in failed.values())
            raise Ended(Job.State.FAILED, " ".join(dict.fromkeys(errors))[:1000])

    def error_of(self, node: Node) -> WireError | None:
        """Try a node; return why it cannot be used, nothing if it can."""
        try:
            self.run.do(self.reach.keyed(node.pk), lambda step: probe_node(node))
        except WireError as error:
            return error
        return None


def health_of(failed: Mapping[Node, WireError]) -> Cluster.Health:
    """What these errors say of the cluster: the same as a check, which sees more."""
    if not failed:
        return Cluster.Health.OK
    error = next((failed[node] for node in failed if node.is_publisher), None)
    if error is None:
        return Cluster.Health.WARNING
    unasked = error.code in NOT_QUERIED
    return Cluster.Health.UNKNOWN if unasked else Cluster.Health.FAILED


def reach_after_edit(cluster: Cluster, edited: Iterable[str], actor: Actor) -> None:
    """Reach the nodes again where their account or address was edited."""
    if REACHED_BY & {*edited} and cluster.nodes.exists():
        reach_again(cluster, actor)


def reach_again(cluster: Cluster, actor: Actor) -> None:
    """Test the cluster, unless a test is under way."""
    with suppress(Busy):
        TestCluster.submit(cluster, actor)


def probe_node(node: Node) -> str:
    publishers = ask_node(node, AxlClient.probe)
    return f"AXL answers (publishers it knows: {publishers})."
