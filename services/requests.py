"""What jobs of services have in common: actions, queues, locks."""

from collections.abc import Iterable

from clusters.models import Node
from jobs.locks import JobLock
from jobs.models import Job
from services.models import Service

ACTIONS = {"start": "Start", "stop": "Stop", "restart": "Restart"}


class ControlRefused(Exception):
    """The platform does not allow this action on this service."""


def shared_queue(nodes: Iterable[Node]) -> str:
    """The site's queue if all nodes are of one site, else the common one."""
    queues = {node.cluster.queue for node in nodes}
    return queues.pop() if len(queues) == 1 else ""


def control_jobs(services: Iterable[Service]) -> dict[str, Job]:
    """The unfinished control job of each service that has one, by the service's id."""
    names = [service.lock for service in services]
    locks = JobLock.objects.filter(name__in=names).select_related("job")
    return {lock.name.removeprefix("service:"): lock.job for lock in locks}
