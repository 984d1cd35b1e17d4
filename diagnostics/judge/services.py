"""Tests of one service each: the same judgement under the name of the section."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from diagnostics.answers import Answer
from diagnostics.facts import ClusterFacts, NodeFacts
from diagnostics.judge.peer import UNKNOWN_STATUS, remedy_of, status_word
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import Judge, Level, NodeView, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    unknown,
)
from wire import platforms
from wire.control_center_reasons import NOT_ACTIVATED

NO_XCP = "Clusters of release 7.x have no XCP."
# The code of the test of each service that has one, by its key in the profiles.
CODES = {
    "xcp_router": "xcp_router_service",
    "xcp_sip_federation": "xcp_sip_federation_service",
}


def judge_service(
    view: NodeView, key: str, *, publisher_only: bool = False
) -> Verdict | None:
    """Judge a service by its key in the platform profile; None where there is none."""
    name = view.cluster.profile.services.get(key)
    if name is None or (publisher_only and not view.node.publisher):
        return None
    return service_verdict(view.node, name)


def service_codes() -> list[str]:
    """Return the codes of the tests of one service each."""
    return list(CODES.values())


def codes_of(cluster_services: Mapping[str, str], names: Collection[str]) -> set[str]:
    """Return the codes of the tests that judge services of these names."""
    controlled = set(map(platforms.service_key, names))
    keys = {
        key
        for key, name in cluster_services.items()
        if platforms.service_key(name) in controlled
    }
    return {CODES[key] for key in keys if key in CODES}


def judge_xcp(view: NodeView, key: str) -> Verdict | None:
    """Judge a service of XCP; releases 7.x speak SIP and have none."""
    if not view.cluster.profile.has_xmpp:
        return information(NO_XCP)
    return judge_service(view, key)


def service_evidence(view: NodeView, key: str) -> dict[str, Answer[Any]]:
    name = view.cluster.profile.services.get(key)
    where = f"Control Center of {view.node.name}"
    return {where: view.node.answer_for(name)} if name else {}


def service_verdict(node: NodeFacts, name: str) -> Verdict:
    page = Fix("services:show", node.id)
    if not node.services.known:
        return unknown(f"The services of {node.name} could not be read.", node.services)
    service = node.service(name)
    if service is None:
        return information(f"{node.name} lists no service named {name}.")
    status = status_word(service.status)
    if status == "started":
        return PASSED
    if service.reason_code == NOT_ACTIVATED:
        return information(f"{name} is not activated on {node.name}.")
    why = f": {service.reason}" if service.reason.strip() else ""
    if status == UNKNOWN_STATUS:
        return information(f"The status of {name} on {node.name} is not known{why}.")
    remedy = remedy_of(status, "Start it.")
    return failed(f"{name} is {status} on {node.name}{why}.", remedy, page)


def _service(
    section: Section,
    code: str,
    key: str,
    description: str,
    *,
    publisher_only: bool = False,
    sources: Sequence[Source] = (Source.TROUBLESHOOTER,),
) -> None:
    CODES[key] = code
    judge: Judge = partial(judge_service, key=key, publisher_only=publisher_only)
    if section is Section.XCP:
        judge = partial(judge_xcp, key=key)
    where = "the publisher" if publisher_only else "every node"
    register_test(
        section,
        Level.NODE,
        code,
        description,
        asks=f"the Control Center of {where}",
        failed="It is not started.",
        information="It is not activated, not listed, or the node does not report it.",
        remedy="Start it in the Control Center.",
        sources=sources,
        evidence=partial(service_evidence, key=key),
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


@register_test(
    Section.XCP,
    Level.NODE,
    "xcp_router_service",
    "Verify that the Cisco XCP Router service is running.",
    asks="the Control Center of every node, 8.x on",
    failed="It is not started; no XCP service works without it.",
    information="It is not listed, or the node does not report it.",
    remedy="Use Restart; do not stop and start it separately.",
    sources=[Source.TROUBLESHOOTER, Source.SERVICES_9],
    evidence=partial(service_evidence, key="xcp_router"),
)
def xcp_router(view: NodeView) -> Verdict | None:
    return judge_xcp(view, "xcp_router")


_service(
    Section.XCP,
    "xcp_connection_manager_service",
    "xcp_connection_manager",
    "Verify the status of XCP Connection Manager.",
)
_service(
    Section.XCP,
    "xcp_authentication_service",
    "xcp_authentication",
    "Verify the status of XCP Authentication.",
)


@register_test(
    Section.XCP,
    Level.NODE,
    "xcp_sip_federation_service",
    "Verify the status of XCP SIP Federation Connection Manager.",
    asks="the Control Center of every node of a 9.x cluster with a peer of 8.6",
    failed="It is not started or not activated, and these releases need it.",
    information="It is not listed, or the node does not report it.",
    remedy="Activate it on all nodes of the 9.x cluster.",
    sources=[Source.INSTALLING_9],
    evidence=partial(service_evidence, key="xcp_sip_federation"),
)
def xcp_sip_federation(view: NodeView) -> Verdict | None:
    if release_of(view.cluster)[:1] != (9,) or not peers_of_8_6(view):
        return None
    verdict = judge_service(view, "xcp_sip_federation")
    name = view.cluster.profile.services.get("xcp_sip_federation", "")
    service = view.node.service(name)
    if service and service.reason_code == NOT_ACTIVATED:
        return failed(
            f"{name} is not activated on {view.node.name}, and a peer is of 8.6.",
            "Activate it on all nodes of the cluster.",
            Fix("services:show", view.node.id),
        )
    return verdict


def peers_of_8_6(view: NodeView) -> bool:
    remotes = {
        peer.remote for peer in view.facts.every_peer if peer.home == view.cluster.id
    }
    clusters = view.facts.clusters.values()
    return any(release_of(one) == (8, 6) for one in clusters if one.id in remotes)


def release_of(cluster: ClusterFacts) -> tuple[int, ...]:
    try:
        return platforms.release_of(cluster.version.value or "")
    except ValueError:
        return ()
