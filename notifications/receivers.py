"""What other apps tell: an agent that a person has stopped is no news to anybody."""

from typing import Any

from jobs.models import Job, JobStep
from notifications.models import LastNotified
from services.models import Service
from services.signals import services_controlled


def connect_receivers() -> None:
    services_controlled.connect(know_stopped, dispatch_uid="notifications.know_stopped")


def know_stopped(sender: object, *, job: Job, **extra: Any) -> None:
    """Count agents that the job stopped as reported until they start again."""
    if job.arguments["action"] != "stop":
        return
    done = list(
        job.steps.filter(state=JobStep.State.DONE).values_list("key", flat=True)
    )
    agents = Service.objects.sync_agents().filter(pk__in=done)
    LastNotified.objects.bulk_create(
        [
            LastNotified(key=f"agent:{agent.node_id}", state="stopped")
            for agent in agents
        ],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["state", "since"],
    )
