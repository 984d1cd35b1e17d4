"""What must be true of a cluster before entries are written: AXL, users, agents."""

import time

from accounts.audit import Actor
from jobs.failpoints import failpoint
from jobs.models import Job
from jobs.run import Ended, Run, Step
from peers.conversation import ask
from peers.discovery import publisher_of
from peers.models import Cluster, Node
from services import changes as service_changes
from services.models import Service
from services.readings import read
from wire import AxlClient, WireError, sql
from wire.reasons import NOT_ACTIVATED

# Without these on a node, its users are not synchronised or their presence not routed.
NEEDED = ("sync_agent", "sip_proxy", "presence_engine")
# While agents start the worker waits; after this long it is given back.
ATTENDED = 30.0
COME_BACK = 5.0


def ready(cluster: Cluster, step: Step) -> str:
    """What must be true before an entry is written; raises what is not."""
    publisher = publisher_of(cluster)
    ask(publisher, AxlClient.probe)
    status = sync_status(cluster)
    if status and not status.casefold().startswith("completed"):
        raise Ended(
            Job.State.FAILED,
            f"The Sync Agent of {cluster} has not finished its users: {status}",
        )
    return "AXL answers, the user is accepted" + (
        f", Sync Agent: {status}" if status else "."
    )


def sync_status(cluster: Cluster) -> str:
    """Return the Sync Agent's own words; empty where the release has no such table."""

    async def question(axl: AxlClient) -> str:
        query = sql.query("sync_agent_cfg", cluster.profile)
        return next(
            iter([row.get("syncstatus") or "" async for row in axl.rows(query)]), ""
        )

    try:
        return ask(publisher_of(cluster), question).strip()
    except WireError:
        return ""


def start_agents(run: Run, cluster: Cluster, step: Step) -> str:
    """Start the Intercluster Sync Agent where it is stopped, and wait for it."""
    child = Job.objects.filter(pk=step.memo.get("job")).first()
    if child is None:
        stopped = stopped_agents(cluster)
        if not stopped:
            return "Started on every node already."
        failpoint("mesh:before-agents")
        asker = Actor(run.job.requested_by, run.job.requested_from)
        child = service_changes.control("start", stopped, asker)
        step.remember(job=str(child.pk))
    wait_for(run, child)
    if child.state != Job.State.SUCCEEDED:
        raise Ended(Job.State.FAILED, f"The agent did not start: {child.error}")
    return f"Started on {child.total} nodes."


def stopped_agents(cluster: Cluster) -> list[Service]:
    """Read every node and return the agents that are not started.

    Raises:
        Ended: a node lacks a service that intercluster peers need.
        WireError: a node could not be read.
    """
    nodes = list(cluster.nodes.select_related("cluster"))
    for reading in read(nodes).values():
        if reading.error is not None:
            raise reading.error
    refuse_inactive(cluster, nodes)
    agents = Service.objects.sync_agents().filter(node__in=nodes).with_node()
    if {agent.node_id for agent in agents} != {node.pk for node in nodes}:
        raise Ended(
            Job.State.FAILED,
            f"Not every node of {cluster} has an Intercluster Sync Agent.",
        )
    return [agent for agent in agents if agent.status != Service.Status.STARTED]


def refuse_inactive(cluster: Cluster, nodes: list[Node]) -> None:
    """The guide wants the services activated on each node before any peer is added."""
    names = [cluster.profile.services[part] for part in NEEDED]
    services = Service.objects.filter(node__in=nodes, name__in=names).with_node()
    inactive = services.filter(reason_code=NOT_ACTIVATED).order_by("node__name", "name")
    if told := ", ".join(f"{one.name} on {one.node.name}" for one in inactive):
        raise Ended(
            Job.State.FAILED,
            f"Not activated: {told}. Activate it under "
            f"{cluster.profile.serviceability} > Tools > Service Activation.",
        )


def wait_for(run: Run, child: Job) -> None:
    """Wait for another job, and give the worker back if that takes long."""
    enough = time.monotonic() + ATTENDED
    while child.active:
        if time.monotonic() > enough:
            run.park(COME_BACK)
        run.check()
        time.sleep(0.5)
        child.refresh_from_db()
