"""The Sync Agent section: does the cluster have its users from its call manager?"""

from functools import partial
from typing import Any

from diagnostics.answers import Answer
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import ClusterView, Level, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    unknown,
    warning,
)

_cluster = partial(register_test, Section.SYNC_AGENT, Level.CLUSTER)


def settings_evidence(view: ClusterView) -> dict[str, Answer[Any]]:
    return {"Table epassyncagentcfg": view.cluster.sync_agent}


@_cluster(
    "sync_settings",
    "Verify that the AXL settings entry exists.",
    asks="the table epassyncagentcfg of the publisher",
    failed="There is none, so users cannot be synchronised.",
    information="The table cannot be read.",
    remedy="Enter the AXL settings on the cluster's own page.",
    sources=[Source.TROUBLESHOOTER, Source.NOTE_SERVICES],
    evidence=settings_evidence,
)
def sync_settings(view: ClusterView) -> Verdict | None:
    answer = view.cluster.sync_agent
    if answer.value is None:
        return unknown(f"The settings of {view.cluster.name} are not known.", answer)
    if not answer.value.exists:
        return failed(
            f"{view.cluster.name} has no AXL settings for its Sync Agent.",
            "Enter them on the cluster's own administration pages.",
            Fix("clusters:show_cluster", view.cluster.id),
        )
    return PASSED


@_cluster(
    "sync_data",
    "Verify that the Cisco Sync Agent service has synchronized the relevant data.",
    asks="syncstatus in the table epassyncagentcfg of the publisher",
    failed="It says that it cannot connect.",
    warning="It says something else than Completed.",
    information="It says nothing, or cannot be read.",
    remedy="Wait for it to complete; peers added earlier show a failed sync.",
    sources=[Source.NOTE_SYNC, Source.GUIDE_12],
    evidence=settings_evidence,
)
def sync_data(view: ClusterView) -> Verdict | None:
    name, answer = view.cluster.name, view.cluster.sync_agent
    if answer.value is None:
        return unknown(f"The sync status of {name} is not known.", answer)
    status = answer.value.status
    if not status:
        return information(f"The Sync Agent of {name} reports no status.")
    lowered = status.casefold()
    if "fail" in lowered or "retrying" in lowered:
        return failed(
            f"The Sync Agent of {name} says: {status}",
            "Check the connection to the call manager's publisher and its AXL user.",
        )
    if not lowered.startswith("completed"):
        return warning(
            f"The Sync Agent of {name} says: {status}",
            "Wait until it has completed before adding peers.",
        )
    return PASSED
