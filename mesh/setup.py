"""Setting up peerings: both sides of a pair are one operation.

A pair whose second side fails is undone as far as this job made it; an update is never
undone, since the password that stood before is not known. What stays half done is said.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from accounts.audit import Actor
from diagnostics.checks import check
from jobs.failpoints import failpoint
from jobs.models import Job, JobStep
from jobs.run import Ended, Run, Step
from peers import provisioning
from peers.conversation import ask
from peers.discovery import publisher_of
from peers.models import Cluster, Outcome, Peer
from services import changes as service_changes
from services.models import Service
from services.readings import read
from wire import AxlClient, WireError, sql

# A cluster needs some seconds to carry its users after the entries were written.
VERIFY_FOR = 90.0
VERIFY_EVERY = 2.0
# While agents start the worker waits; after this long it is given back.
ATTENDED = 30.0
COME_BACK = 5.0

# Step states that a pair does not recover from in this attempt.
SETTLED = (JobStep.State.FAILED, JobStep.State.UNDONE)


class Setup:
    """One attempt at a set-up job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        ids = run.arguments["clusters"]
        rows = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
        self.clusters = list(rows.order_by("name"))
        self.failed: list[str] = []

    def work(self) -> None:
        for cluster in self.clusters:
            self.run.do(f"ready:{cluster.pk}", partial(ready, cluster))
        for cluster in self.clusters:
            action = partial(start_agents, self.run, cluster)
            self.run.do(f"agents:{cluster.pk}", action)
        failpoint("mesh:before-entries")
        for pairs in self.run.arguments["rounds"]:
            self.round(pairs)
        self.conclude()

    def round(self, pairs: list[dict[str, Any]]) -> None:
        """Write the sides of all pairs, then verify them; one initial sync each."""
        written = [pair for pair in pairs if self.attempt(self.write_pair, pair)]
        failpoint("mesh:before-verify")
        for pair in written:
            self.attempt(self.verify_pair, pair)

    def attempt(self, what: Callable[[dict[str, Any]], None], pair: Any) -> bool:
        """Keep the failure of one pair from the others."""
        try:
            what(pair)
        except WireError as error:
            self.failed.append(error.message)
            return False
        except Ended as end:
            if end.state == Job.State.CANCELLED:
                raise
            self.failed.append(end.message)
            return False
        return True

    def write_pair(self, pair: dict[str, Any]) -> None:
        if self.settled(pair):
            raise Ended(Job.State.FAILED, "A side could not be set up.")
        try:
            for peer in peers_of(pair):
                self.write_side(peer)
                failpoint("mesh:between-sides")
        except (WireError, Ended):
            self.undo(pair)
            raise

    def write_side(self, peer: Peer) -> None:
        try:
            if not peer.cluster.direct:
                self.run.do(
                    f"{peer.pk}:instruct", lambda step: provisioning.instruction(peer)
                )
            self.run.do(f"{peer.pk}:write", lambda step: self.write(step, peer))
        except (WireError, Ended):
            peer.set_state(Peer.ProvisioningState.FAILED)
            raise

    def write(self, step: Step, peer: Peer) -> str:
        if not peer.cluster.direct:
            said = provisioning.notice(self.run, peer)
        else:
            provisioning.verify_table(peer)
            if "before" not in step.memo:
                provisioning.remember_before(step, peer)
            said = provisioning.write(step, peer)
            provisioning.read_back(peer)
        provisioning.mark_applied(peer)
        return said

    def settled(self, pair: dict[str, Any]) -> bool:
        """Whether an earlier attempt gave this pair up; finishes its undoing."""
        keys = [f"{pk}:write" for pk in pair["peers"]]
        given_up = self.run.job.steps.filter(key__in=keys, state__in=SETTLED).exists()
        if given_up:
            self.undo(pair)
        return given_up

    def undo(self, pair: dict[str, Any]) -> None:
        """Delete the entries of this pair that this job was the first to write."""
        failpoint("mesh:before-undo")
        for peer in peers_of(pair):
            row = self.run.job.steps.get(key=f"{peer.pk}:write")
            ours = str(peer.pk) in pair["created"] and row.memo.get("before") is None
            if row.state == JobStep.State.DONE and ours and peer.cluster.direct:
                self.undo_side(peer, row)

    def undo_side(self, peer: Peer, row: JobStep) -> None:
        try:
            said = provisioning.delete(peer)
        except (WireError, Ended) as error:
            self.failed.append(f"{peer} stands alone and could not be undone: {error}")
            return
        row.state, row.detail = JobStep.State.UNDONE, f"Undone. {said}"
        row.save(update_fields=["state", "detail"])
        Peer.objects.filter(pk=peer.pk).update(
            provisioning_state=Peer.ProvisioningState.ABSENT, applied_address=""
        )

    def verify_pair(self, pair: dict[str, Any]) -> None:
        one, other = map(UUID, pair["key"].split(":"))
        self.run.do(f"verify:{pair['key']}", lambda step: self.verify(one, other))

    def verify(self, one: UUID, other: UUID) -> str:
        """Check both sides again and again until all is good or time is up."""
        deadline = time.monotonic() + VERIFY_FOR
        while True:
            sides = list(
                Peer.objects.filter(cluster_id=one, remote_cluster_id=other)
                | Peer.objects.filter(cluster_id=other, remote_cluster_id=one)
            )
            outcomes = check(sides)
            if all(outcome == Outcome.PASSED for outcome in outcomes.values()):
                return "All check marks on both sides, and the users agree."
            if time.monotonic() > deadline:
                raise Ended(Job.State.NEEDS_ATTENTION, unverified(sides))
            self.run.check()
            time.sleep(VERIFY_EVERY)

    def conclude(self) -> None:
        if not self.failed:
            return
        steps = self.run.job.steps
        undone = steps.filter(state=JobStep.State.UNDONE).exists()
        standing = steps.filter(key__endswith=":write", state=JobStep.State.DONE)
        if undone and not standing.exists():
            raise Ended(Job.State.ROLLED_BACK, " ".join(self.failed))
        raise Ended(Job.State.NEEDS_ATTENTION, " ".join(self.failed))


def peers_of(pair: dict[str, Any]) -> list[Peer]:
    rows = Peer.objects.filter(pk__in=pair["peers"]).select_related("cluster")
    return sorted(rows, key=lambda peer: pair["peers"].index(str(peer.pk)))


def unverified(sides: list[Peer]) -> str:
    """Name what is still wrong, from the last check."""
    rows = Peer.objects.filter(pk__in=[peer.pk for peer in sides])
    problems = [
        f"{peer}: {entry['problem'] or entry['label']}"
        for peer in rows.select_related("cluster")
        for entry in peer.entries
        if entry["outcome"] != "passed"
    ]
    return "Written, but not verified in time. " + " ".join(problems[:5])


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
    """Read every node and return the agents that are not started."""
    nodes = list(cluster.nodes.select_related("cluster"))
    for reading in read(nodes).values():
        if reading.error is not None:
            raise reading.error
    agents = Service.objects.sync_agents().filter(node__in=nodes).with_node()
    if {agent.node_id for agent in agents} != {node.pk for node in nodes}:
        raise Ended(
            Job.State.FAILED,
            f"Not every node of {cluster} has an Intercluster Sync Agent.",
        )
    return [agent for agent in agents if agent.status != Service.Status.STARTED]


def wait_for(run: Run, child: Job) -> None:
    """Wait for another job, and give the worker back if that takes long."""
    enough = time.monotonic() + ATTENDED
    while child.active:
        if time.monotonic() > enough:
            run.park(COME_BACK)
        run.check()
        time.sleep(0.5)
        child.refresh_from_db()
