"""The Intercluster Sync Agent of every node: not running, or not known to run."""

from itertools import groupby
from typing import Any

from django.urls import reverse

from jobs.locks import JobLock
from overview.found import FAILED, UNKNOWN, WARNING, Affected, Found, ProblemBook
from services.models import Service, SyncAgent, sync_agents

Status = Service.Status
# A state, its code and how bad it is.
STATES: dict[str, tuple[str, str, str]] = {
    Status.STOPPED: ("agent_stopped", FAILED, "is not running on"),
    Status.STARTING: ("agent_starting", WARNING, "is starting on"),
    Status.STOPPING: ("agent_stopping", WARNING, "is stopping on"),
    "absent": ("agent_absent", FAILED, "does not exist on"),
    "unread": ("agent_unknown", UNKNOWN, "has not been read yet on"),
}
UNREADABLE = ("agent_unknown", UNKNOWN, "has an unknown status on")


def report_agents(book: ProblemBook) -> None:
    held = set(JobLock.objects.values_list("name", flat=True))

    def kind(agent: SyncAgent) -> tuple[Any, ...]:
        state = STATES.get(agent.state, UNREADABLE)
        if agent.service and agent.service.lock in held and state[0] != "agent_unknown":
            # A job that controls it is under way: a warning that says so will do.
            state = ("agent_controlled", WARNING, "is being started or stopped on")
        return str(agent.node.cluster_id), *state

    off = sorted((one for one in sync_agents() if not one.on), key=kind)
    for (_, code, severity, words), group in groupby(off, key=kind):
        report_group(book, (code, severity, words), list(group))


def report_group(
    book: ProblemBook, state: tuple[str, str, str], agents: list[SyncAgent]
) -> None:
    """Report the agents of one cluster in one state, unless a cause is known."""
    code, severity, words = state
    cluster = agents[0].node.cluster_id
    for agent in agents:
        pk = agent.node.pk
        causes = book.at_node[pk] + book.at_services[pk]
        causes = causes or (book.blocking(cluster) if code == "agent_unknown" else [])
        book.agents[cluster] += causes
    alone = [
        one.node
        for one in agents
        if not (book.at_node[one.node.pk] or book.at_services[one.node.pk])
    ]
    if not alone or (code == "agent_unknown" and book.blocking(cluster)):
        return
    where = alone[0].name if len(alone) == 1 else f"{len(alone)} nodes"
    cluster_name = f" of {book.clusters[cluster]}" if len(alone) > 1 else ""
    found = Found(
        f"{code}:{cluster}",
        code,
        severity,
        f"The Intercluster Sync Agent {words} {where}{cluster_name}.",
        reverse("services:agents"),
        cluster,
    )
    found = book.report(found).affect(*map(Affected.node, alone))
    book.agents[cluster].append(found)
