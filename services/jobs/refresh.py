"""Read which services nodes have, and their state."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.urls import reverse

from accounts.audit import Actor
from accounts.roles import Role
from clusters.models import Node
from clusters.requests import go_near, is_near, unreached
from jobs.kind import JobKind, StepKind
from jobs.models import Job, JobStep
from jobs.run import Ended
from services.decisions import in_words
from services.poll import ServiceReading, read_services
from services.requests import shared_queue

OPEN = (JobStep.State.PENDING, JobStep.State.RUNNING)


class RefreshServices(JobKind):
    name = "refresh-services"
    label = "Read services"
    role = Role.OPERATOR

    read_node = StepKind("Read {node} ({cluster})")

    @classmethod
    def submit(cls, nodes: Sequence[Node], actor: Actor) -> Job:
        """Submit the job that reads these nodes, or return the one that does so now."""
        target = nodes[0] if len(nodes) == 1 else None
        if running := cls.running_for(nodes, target):
            return running
        return Job.objects.submit(
            cls,
            [cls.step_of(node) for node in nodes],
            target=target,
            label="" if target else f"on {len(nodes)} nodes",
            clusters={node.cluster_id for node in nodes},
            user=actor.user,
            address=actor.address,
            queue=shared_queue(nodes),
        )

    @classmethod
    def running_for(cls, nodes: Sequence[Node], target: Node | None) -> Job | None:
        running: Iterable[Job] = Job.objects.active().filter(
            kind=cls.name,
            target_id=str(target.pk) if target else "",
            total__gte=len(nodes),
        )
        keys = {str(node.pk) for node in nodes}
        for job in running:
            # Two people may be limited to different clusters.
            if keys <= set(job.steps.values_list("key", flat=True)):
                return job
        return None

    @classmethod
    def step_of(cls, node: Node) -> tuple[str, str]:
        return cls.read_node.keyed(node.pk).planned(
            node=node.name, cluster=node.cluster
        )

    @classmethod
    def page_of(cls, job: Job) -> str:
        return reverse("services:server")

    def work(self) -> None:
        """Read all nodes in one batch, those of each site by its workers.

        One that fails does not keep the others back.
        """
        keys = [key for key, step in self.run.steps().items() if step.state in OPEN]
        nodes = list(Node.objects.filter(pk__in=keys).select_related("cluster"))
        near = [node for node in nodes if is_near(node.cluster)]
        readings = read_services(near, self.show_progress)
        far = {str(node.pk): node.cluster for node in nodes if node not in near}
        results = {
            key: outcome_of(readings.get(UUID(key))) for key in keys if key not in far
        }
        for key, cluster in far.items():
            if reason := unreached(cluster):
                results[key] = JobStep.State.SKIPPED, reason
        self.run.end_steps(results)
        for key, cluster in far.items():
            if key not in results:
                go_near(self.run, cluster)
        self.conclude()

    def conclude(self) -> None:
        steps = list(self.run.steps().values())
        failed = [step for step in steps if step.state == JobStep.State.FAILED]
        if failed:
            message = f"{len(failed)} of {len(steps)} nodes could not be read."
            if len(failed) == 1:
                message = f"{message} {failed[0].detail}"
            # One dead node must not hide among the failures what needs a person.
            some = len(failed) < len(steps)
            raise Ended(Job.State.SUCCEEDED if some else Job.State.FAILED, message)

    def show_progress(self, done: int, total: int, name: str) -> None:
        self.run.progress(done, total, f"Read {name}")


def outcome_of(reading: ServiceReading | None) -> tuple[str, str]:
    if reading is None:
        return JobStep.State.FAILED, "The node was removed from the console."
    if reading.error:
        return JobStep.State.FAILED, in_words(reading.error)
    started = sum(status.status == "started" for status in reading.statuses)
    return JobStep.State.DONE, f"{started} of {len(reading.statuses)} are started."
