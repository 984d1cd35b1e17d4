"""What people ask for: to read services, or to start, stop and restart them."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from jobs.locks import JobLock
from jobs.models import Job
from peers.changes import queue_of
from peers.models import Node
from services.models import Service

ACTIONS = {"start": "Start", "stop": "Stop", "restart": "Restart"}


class Refused(Exception):
    """The platform does not allow this action on this service."""


def shared_queue(nodes: Iterable[Node]) -> str:
    """The site's queue if all nodes are of one site, else the common one."""
    queues = {queue_of(node.cluster) for node in nodes}
    return queues.pop() if len(queues) == 1 else ""


def refresh(nodes: Sequence[Node], actor: Actor) -> Job:
    """Submit the job that reads these nodes, or return the one that does so now."""
    target = nodes[0] if len(nodes) == 1 else None
    running: Iterable[Job] = Job.objects.active().filter(
        kind="refresh-services",
        target_id=str(target.pk) if target else "",
        total__gte=len(nodes),
    )
    keys = {str(node.pk) for node in nodes}
    for job in running:
        # Two people may be limited to different clusters.
        if keys <= set(job.steps.values_list("key", flat=True)):
            return job
    return Job.objects.submit(
        "refresh-services",
        [(str(node.pk), f"Read {node.name} ({node.cluster})") for node in nodes],
        target=target,
        label="" if target else f"on {len(nodes)} nodes",
        clusters={node.cluster_id for node in nodes},
        user=actor.user,
        address=actor.address,
        queue=shared_queue(nodes),
    )


def control(action: str, services: Sequence[Service], actor: Actor) -> Job:
    """Submit the job that brings these services to the state that the action names.

    Raises:
        Refused: a service must not be stopped.
        jobs.locks.Busy: a job for one of the services is not finished.
    """
    for service in services:
        if not service.allows(action):
            raise Refused(f"{service} must not be stopped or restarted.")
    with transaction.atomic():
        job = Job.objects.submit(
            "control-services",
            [(str(one.pk), step_label(action, one)) for one in services],
            target=target_of(services),
            label=label_of(action, services),
            clusters={one.node.cluster_id for one in services},
            arguments={
                "action": action,
                "targets": [
                    {
                        "service": str(one.pk),
                        "node": str(one.node_id),
                        "name": one.name,
                    }
                    for one in services
                ],
            },
            locks=[one.lock for one in services],
            user=actor.user,
            address=actor.address,
            queue=shared_queue([one.node for one in services]),
        )
        named = {"services": [None, [str(one) for one in services]]}
        audit.record(actor, f"{action} services", job, named)
    return job


def label_of(action: str, services: Sequence[Service]) -> str:
    if len(services) == 1:
        return f"{services[0]}: {action}"
    nodes = list(dict.fromkeys(service.node.name for service in services))
    where = nodes[0] if len(nodes) == 1 else f"{len(nodes)} nodes"
    names = {service.name for service in services}
    what = names.pop() if len(names) == 1 else f"{len(services)} services"
    return f"on {where}: {action} {what}"


def step_label(action: str, service: Service) -> str:
    where = f"{service.node.name} ({service.node.cluster})"
    return f"{ACTIONS[action]} {service.name} on {where}"[:255]


def target_of(services: Sequence[Service]) -> Service | Node | None:
    if len(services) == 1:
        return services[0]
    nodes = {service.node_id for service in services}
    return services[0].node if len(nodes) == 1 else None


def control_jobs(services: Iterable[Service]) -> dict[str, Job]:
    """The unfinished control job of each service that has one, by the service's id."""
    names = [service.lock for service in services]
    locks = JobLock.objects.filter(name__in=names).select_related("job")
    return {lock.name.removeprefix("service:"): lock.job for lock in locks}
