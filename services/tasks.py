"""The background work of services: reading them, and controlling them."""

from uuid import UUID

from django.urls import reverse

from jobs.kinds import kind
from jobs.models import Job, JobStep
from jobs.run import Ended, Run
from peers.models import Node
from services.control import Control
from services.models import agent_names
from services.readings import Reading, read
from services.verdicts import in_words


def all_servers(job: Job) -> str:
    return reverse("services:server")


def controlled(job: Job) -> str:
    """Where the services of many nodes are watched."""
    names = {target["name"] for target in job.arguments["targets"]}
    agents = names <= set(agent_names())
    return reverse("services:agents" if agents else "services:grid")


@kind("refresh-services", "Read services", page=all_servers)
def refresh_services(run: Run) -> None:
    """Read all nodes in one batch; one that fails does not keep the others back."""
    nodes = Node.objects.filter(pk__in=run.steps()).select_related("cluster")
    readings = read(
        nodes, lambda done, total, name: run.progress(done, total, f"Read {name}")
    )
    results = {key: outcome(readings.get(UUID(key))) for key in run.steps()}
    run.settle(results)
    failed = [key for key, (state, _) in results.items() if state != "done"]
    if failed:
        message = f"{len(failed)} of {len(results)} nodes could not be read."
        if len(failed) == 1:
            message = f"{message} {results[failed[0]][1]}"
        # One dead node must not hide among the failures what needs a person.
        some = len(failed) < len(results)
        raise Ended(Job.State.SUCCEEDED if some else Job.State.FAILED, message)


def outcome(reading: Reading | None) -> tuple[str, str]:
    if reading is None:
        return JobStep.State.FAILED, "The node was removed from the console."
    if reading.error:
        return JobStep.State.FAILED, in_words(reading.error)
    started = sum(status.status == "started" for status in reading.statuses)
    return JobStep.State.DONE, f"{started} of {len(reading.statuses)} are started."


@kind("control-services", "Control services", audited=True, page=controlled)
def control_services(run: Run) -> None:
    Control(run).work()
