"""What must be true of a cluster before entries are written: AXL, users, agents."""

from accounts.audit import Actor
from clusters.conversation import ask_node
from clusters.discovery import require_publisher
from clusters.models import Cluster, Node
from jobs.failpoints import failpoint
from jobs.models import Job
from jobs.run import Ended, Run, Step
from services.jobs.control import ControlServices
from services.models import Service
from services.poll import read_services
from wire import AxlClient, Code, WireError, sql
from wire.control_center_reasons import NOT_ACTIVATED
from wire.platforms import service_spellings

# Without these on a node, its users are not synchronised or their presence not routed.
NEEDED = ("sync_agent", "sip_proxy", "presence_engine")
# While agents start the worker waits; after this long it is given back.
ATTENDED = 30.0
COME_BACK = 5.0


def check_ready(cluster: Cluster, step: Step) -> str:
    """What must be true before an entry is written; raises what is not."""
    publisher = require_publisher(cluster)
    ask_node(publisher, AxlClient.probe)
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
        query = sql.build_query("sync_agent_cfg", cluster.profile)
        return next(
            iter([row.get("syncstatus") or "" async for row in axl.rows(query)]), ""
        )

    try:
        return ask_node(require_publisher(cluster), question).strip()
    except WireError as error:
        # Only an answer that there is no such table says that the release has none.
        if error.code in (Code.FAULT, Code.NOT_OFFERED):
            return ""
        raise


def start_agents(run: Run, cluster: Cluster, step: Step) -> str:
    """Start the Intercluster Sync Agent where it is stopped, and wait for it."""
    child = Job.objects.filter(pk=step.memo.get("job")).first()
    if child is None:
        stopped = stopped_agents(cluster)
        if not stopped:
            return "Started on every node already."
        failpoint("mesh:before-agents")
        asker = Actor(run.job.requested_by, run.job.requested_from)
        child = ControlServices.submit("start", stopped, asker)
        step.save_memo(job=str(child.pk))
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
    for reading in read_services(nodes).values():
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
    names = [
        name
        for part in NEEDED
        for name in service_spellings(cluster.profile.services[part])
    ]
    services = Service.objects.filter(node__in=nodes, name__in=names).with_node()
    inactive = services.filter(reason_code=NOT_ACTIVATED).order_by("node__name", "name")
    if inactive_names := ", ".join(
        f"{one.name} on {one.node.name}" for one in inactive
    ):
        raise Ended(
            Job.State.FAILED,
            f"Not activated: {inactive_names}. Activate it under "
            f"{cluster.profile.serviceability} > Tools > Service Activation.",
        )


def wait_for(run: Run, child: Job) -> None:
    """Wait for another job, and give the worker back if that takes long."""
    for _ in run.rounds(pause=0.5, attended=ATTENDED, later=COME_BACK):
        child.refresh_from_db()
        if not child.active:
            return
