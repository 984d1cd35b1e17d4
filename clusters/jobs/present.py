"""Ask the nodes of a site for their certificates, for a page that waits for it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from accounts.roles import Role
from clusters.models import Node
from clusters.presented import CERTIFICATE_DEADLINE, Presented, ask_nodes
from jobs import presence
from jobs.kind import JobKind, StepKind
from jobs.models import Job
from jobs.run import Step
from jobs.sites import default_queue, served_by
from jobs.waiting import served_queues
from wire import Certificate, Code, WireError

# Seconds that a page waits for a worker, besides those for the nodes.
WORKER_TIMEOUT = 5.0
POLL = 0.1
TIMES = ("not_before", "not_after")
REMEDY = "See System > Processes, and the log of the workers of that site."

Answers = Callable[[], dict[Node, Presented]]


class PresentCertificates(JobKind):
    name = "present-certificates"
    label = "Read presented certificates"
    role = Role.OPERATOR

    ask = StepKind("Ask each node for its certificate")

    @classmethod
    def submit(cls, nodes: Sequence[Node], **arguments: str) -> Job:
        """Submit the question to nodes of one site."""
        return Job.objects.submit(
            cls,
            [cls.ask.planned()],
            label=str(nodes[0]) if len(nodes) == 1 else f"of {len(nodes)} nodes",
            clusters={node.cluster_id for node in nodes},
            arguments={"nodes": [str(node.pk) for node in nodes], **arguments},
            queue=nodes[0].cluster.queue,
        )

    def work(self) -> None:
        self.run.do(self.ask, self.ask_nodes)

    def ask_nodes(self, step: Step) -> str:
        rows = Node.objects.filter(pk__in=self.run.arguments["nodes"])
        presented = self.present(list(rows.select_related("cluster")))
        found = {str(node.pk): plain_of(answer) for node, answer in presented.items()}
        step.save_memo(presented=found)
        return f"{len(found)} nodes were asked."

    def present(self, nodes: Sequence[Node]) -> dict[Node, Presented]:
        return ask_nodes(nodes)

    @classmethod
    def error_of(cls, code: str, message: str, **more: str) -> WireError:
        """Give an error that a worker met."""
        return WireError(Code(code), message, **more)  # type: ignore[arg-type]


def is_asked_here(node: Node) -> bool:
    """Whether this process asks the node, as it does where no worker is nearer."""
    queue = served_by(node.cluster.queue)
    return queue == default_queue() or queue in presence.served_here()


@contextmanager
def ask_workers(
    nodes: Sequence[Node],
    job_kind: type[PresentCertificates] = PresentCertificates,
    **arguments: str,
) -> Iterator[Answers]:
    """Have the workers of each site ask its nodes; the block gets what they answered.

    Nothing is left of the jobs but those that failed.
    """
    by_queue: dict[str, list[Node]] = {}
    for node in nodes:
        by_queue.setdefault(served_by(node.cluster.queue), []).append(node)
    served = served_queues() if by_queue else set()
    jobs = {
        queue: job_kind.submit(asked, **arguments)
        for queue, asked in by_queue.items()
        if queue in served
    }
    until = time.monotonic() + CERTIFICATE_DEADLINE + WORKER_TIMEOUT

    def answers() -> dict[Node, Presented]:
        found: dict[Node, Presented] = {}
        for queue, asked in by_queue.items():
            job = jobs.get(queue)
            memo = wait_for_answer(job, until) if job else {}
            problem = f"No running worker serves the queue {queue}."
            if job:
                problem = f"The workers of the queue {queue} did not report in time."
            error = WireError(Code.UNREACHABLE, problem, remedy=REMEDY)
            for node in asked:
                plain = memo.get(str(node.pk))
                found[node] = presented_of(plain, job_kind) if plain else (None, error)
        return found

    try:
        yield answers
    finally:
        for job in jobs.values():
            drop_job(job)


def wait_for_answer(job: Job, until: float) -> dict[str, Any]:
    """Wait for the end of a job; give what the nodes presented, by their ids."""
    while time.monotonic() < until:
        job.refresh_from_db(fields=["state"])
        if not job.active:
            break
        time.sleep(POLL)
    memo = job.steps.values_list("memo", flat=True).first() or {}
    return dict(memo.get("presented", {}))


def drop_job(job: Job) -> None:
    job.refresh_from_db()
    if job.active:
        job.cancel()
    elif job.state == Job.State.SUCCEEDED:
        job.delete()


def plain_of(presented: Presented) -> dict[str, Any]:
    """Give in what JSON knows what a node presents, or why it does not."""
    certificate, error = presented
    if certificate:
        times = {name: getattr(certificate, name).isoformat() for name in TIMES}
        return {"certificate": asdict(certificate) | times}
    if error is None:
        return {}
    said = {name: getattr(error, name) for name in ("message", "remedy", "detail")}
    return {"error": said | {"code": str(error.code)}}


def presented_of(
    plain: Mapping[str, Any], kind: type[PresentCertificates]
) -> Presented:
    """Read what `plain_of` gave."""
    if found := plain.get("certificate"):
        times = {name: datetime.fromisoformat(found[name]) for name in TIMES}
        values = found | times | {"names": tuple(found["names"])}
        return Certificate(**values), None
    return None, kind.error_of(**plain["error"])
