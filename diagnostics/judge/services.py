"""Tests of one service each: the same judgement under the name of the section."""

from functools import partial

from diagnostics.facts import NodeFacts
from diagnostics.judge.tests import Judge, NodeView, Scope, Section, test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    unknown,
)

# Told by the platform as a wish, not as a fault.
NOT_ACTIVATED = -1068


def judge_service(
    view: NodeView, key: str, *, publisher_only: bool = False
) -> Verdict | None:
    """Judge a service by its key in the platform profile; None where there is none."""
    name = view.cluster.profile.services.get(key)
    if name is None or (publisher_only and not view.node.publisher):
        return None
    return service_verdict(view.node, name)


def service_verdict(node: NodeFacts, name: str) -> Verdict:
    page = Fix("services:show", node.id)
    if not node.services.known:
        return unknown(f"The services of {node.name} could not be read.", node.services)
    service = node.service(name)
    if service is None:
        return information(f"{node.name} lists no service named {name}.")
    if service.status == "started":
        return PASSED
    if service.reason_code == NOT_ACTIVATED:
        return information(f"{name} is not activated on {node.name}.")
    why = f": {service.reason}" if service.reason else ""
    return failed(f"{name} is {service.status} on {node.name}{why}.", "Start it.", page)


def _service(
    section: Section,
    code: str,
    key: str,
    description: str,
    *,
    publisher_only: bool = False,
    source: str = "S6",
) -> None:
    judge: Judge = partial(judge_service, key=key, publisher_only=publisher_only)
    where = "the publisher" if publisher_only else "every node"
    test(
        section,
        Scope.NODE,
        code,
        description,
        asks=f"the Control Center of {where}",
        failed="It is not started.",
        information="It is not activated, not listed, or the node does not tell.",
        remedy="Start it in the Control Center.",
        source=source,
    )(judge)


_service(
    Section.SYNC_AGENT,
    "sync_agent_service",
    "sync_agent",
    "Verify that the Cisco Sync Agent service is running.",
    publisher_only=True,
)
_service(
    Section.SIP_PROXY,
    "sip_proxy_service",
    "sip_proxy",
    "Verify that the SIP Proxy service is running.",
)
_service(
    Section.SIP_PROXY,
    "config_agent_service",
    "config_agent",
    "Verify that the Config Agent service is running.",
)
_service(
    Section.PRESENCE_ENGINE,
    "presence_engine_service",
    "presence_engine",
    "Verify that the Presence Engine service is running.",
)
_service(
    Section.PRESENCE_ENGINE,
    "oam_agent_service",
    "oam_agent",
    "Verify that the OAM Agent service is running.",
)
_service(
    Section.SYSTEM,
    "data_monitor_service",
    "data_monitor",
    "Verify that the Cisco IM and Presence Data Monitor service is running on all "
    "nodes.",
)


@test(
    Section.XCP,
    Scope.NODE,
    "xcp_router_service",
    "Verify that the Cisco XCP Router service is running.",
    asks="the Control Center of every node, 8.x on",
    failed="It is not started; no XCP service works without it.",
    information="It is not listed, or the node does not tell.",
    remedy="Restart it; never stop and start it.",
    source="S6, S11",
)
def xcp_router(view: NodeView) -> Verdict | None:
    if not view.cluster.profile.has_xmpp:
        return None
    return judge_service(view, "xcp_router")
