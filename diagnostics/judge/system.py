"""The System section: what each node needs before anything else can work."""

from functools import partial
from statistics import median
from typing import Any

from diagnostics.answers import Answer
from diagnostics.facts import Facts, NodeFacts
from diagnostics.judge.peer import EXPIRES_SOON
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import (
    ClusterView,
    Level,
    NodeView,
    Section,
    register_test,
)
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    not_judged,
    unknown,
    warning,
)
from wire import Code

_node = partial(register_test, Section.SYSTEM, Level.NODE)
_cluster = partial(register_test, Section.SYSTEM, Level.CLUSTER)

REFUSALS = {Code.UNAUTHORIZED, Code.FORBIDDEN, "secret"}
UNTRUSTED = {
    Code.CERTIFICATE_CHANGED,
    Code.CERTIFICATE_INVALID,
    Code.CERTIFICATE_UNKNOWN,
}
OLD_TLS = {"tlsv1", "tlsv1.1", "sslv3"}
MODERN_TLS = {"tlsv1.2", "tlsv1.3"}
SLOW_ANSWER = 2000.0
NO_DATE = "There was no Date."
# A Date header has whole seconds, and travels for a while.
CLOCK_TOLERATED, CLOCK_WRONG = 5, 60


def handshake_evidence(view: NodeView) -> dict[str, Answer[Any]]:
    return {"TLS handshake": view.node.certificate}


def axl_evidence(view: NodeView) -> dict[str, Answer[Any]]:
    return {"AXL, count of publisher nodes": view.node.axl}


def clock_of(node: NodeFacts) -> Answer[Any]:
    if node.clock_offset is None:
        return node.axl.part(NO_DATE)
    # Also who refuses the user tells the time.
    text = f"{node.clock_offset:+.1f} s against the console's clock"
    return Answer(text, None, node.axl.duration_ms, node.axl.at)


@_node(
    "node_reachable",
    "Verify that each node accepts connections.",
    asks="a TCP connection to the node's AXL port",
    failed="Nothing answers; the problem says in which way.",
    information="It was not tried.",
    remedy="Check that the node is up, then the network path.",
    sources=[Source.NOTE_DNS],
    evidence=lambda view: {"TCP connection": view.node.connect},
)
def node_reachable(view: NodeView) -> Verdict | None:
    answer = view.node.connect
    if answer.failure:
        page = Fix("clusters:show_node", view.node.id)
        return failed(answer.failure.message, answer.failure.remedy, page)
    if not answer.known:
        return unknown(f"No connection to {view.node.name} was tried.", answer)
    return PASSED


@_node(
    "node_certificate",
    "Verify that each node presents its confirmed certificate.",
    asks="a TLS handshake with the node",
    failed="It presents another one, or one that the CA did not sign.",
    information="None is confirmed yet, or the node was not reached.",
    remedy="Compare the fingerprint with the node and confirm it.",
    sources=[Source.GUIDE_12, Source.CERTIFICATES],
    evidence=lambda view: {
        "TLS handshake": view.node.certificate,
        "AXL": view.node.axl,
    },
)
def node_certificate(view: NodeView) -> Verdict | None:
    node, page = view.node, Fix("clusters:certificate", view.node.id)
    if node.axl.code in UNTRUSTED and node.axl.failure:
        verdict = information if node.axl.code == Code.CERTIFICATE_UNKNOWN else failed
        return verdict(node.axl.failure.message, node.axl.failure.remedy, page)
    if node.certificate.failure:
        failure = node.certificate.failure
        return failed(failure.message, failure.remedy, page)
    if node.certificate.value is None:
        what = "The certificate could not be read."
        return not_judged(what, node.certificate, "no connection")
    if node.confirmed not in ("", node.certificate.value.fingerprint):
        return failed(
            f"The certificate of {node.name} has changed.",
            "Find out why it changed, compare the new fingerprint, then confirm it.",
            page,
        )
    return PASSED


@_node(
    "certificate_expiry",
    "Verify that the certificate of each node is valid for 30 days at least.",
    asks="the same handshake",
    failed="It has expired.",
    warning="It expires soon.",
    information="It could not be read.",
    remedy="Regenerate the Tomcat certificate of the node, then confirm the new one.",
    sources=[Source.CERTIFICATES],
    evidence=handshake_evidence,
)
def certificate_expiry(view: NodeView) -> Verdict | None:
    certificate = view.node.certificate.value
    if certificate is None:
        what = "The certificate could not be read."
        return not_judged(what, view.node.certificate, "no connection")
    days = certificate.days_left(view.facts.at)
    page = Fix("clusters:certificate", view.node.id)
    if days < 0:
        return failed(f"It expired {-days} days ago.", "Regenerate it.", page)
    if days < EXPIRES_SOON:
        return warning(f"It expires in {days} days.", "Plan its renewal.", page)
    return PASSED


@_node(
    "modern_tls",
    "Verify that each node speaks TLS 1.2 or later.",
    asks="the same handshake",
    warning="It speaks only an old version.",
    information="No handshake was possible.",
    remedy="Upgrade the node; until then mark its cluster for legacy TLS.",
    sources=[Source.TLS],
    evidence=handshake_evidence,
)
def modern_tls(view: NodeView) -> Verdict | None:
    certificate = view.node.certificate.value
    if certificate is None:
        answer = view.node.certificate
        return not_judged("The version is not known.", answer, "no handshake")
    spoken = certificate.tls_version.casefold()
    if spoken not in OLD_TLS | MODERN_TLS:
        return information(f"The version that {view.node.name} spoke is not known.")
    if spoken in OLD_TLS:
        return warning(
            f"{view.node.name} speaks only {certificate.tls_version}.",
            "Upgrade it; old TLS protects neither passwords nor users.",
        )
    return PASSED


@_node(
    "node_axl",
    "Verify that the AXL service of each node answers.",
    asks="the count of publisher nodes",
    failed="Something else answers, AXL is off, or the node is too slow.",
    information="It could not be asked; the problem says why.",
    remedy="Activate the Cisco AXL Web Service.",
    sources=[Source.NOTE_DNS],
    evidence=axl_evidence,
)
def node_axl(view: NodeView) -> Verdict | None:
    answer = view.node.axl
    if answer.known or answer.code in REFUSALS:
        return PASSED
    if answer.code in UNTRUSTED or not view.node.connect.known:
        cause = "no connection" if view.node.connect.failure else "the certificate"
        return not_judged(f"AXL of {view.node.name} was not tested.", answer, cause)
    if answer.failure is None:
        return unknown(f"AXL of {view.node.name} was not tested.", answer)
    page = Fix("services:show", view.node.id)
    return failed(answer.failure.message, answer.failure.remedy, page)


@_node(
    "axl_user",
    "Verify that the AXL user ID is valid and has its role.",
    asks="the same question, with the cluster's AXL user",
    failed="401: user name or password are wrong. 403: the role is missing.",
    information="It was not tried.",
    remedy="Correct the cluster's AXL user, or give it Standard AXL API Access.",
    sources=[Source.TROUBLESHOOTER, Source.UPGRADE],
    evidence=axl_evidence,
)
def axl_user(view: NodeView) -> Verdict | None:
    answer = view.node.axl
    if answer.known:
        return PASSED
    if answer.failure and answer.code in REFUSALS:
        wrong = "axl_password" if answer.code == Code.UNAUTHORIZED else "axl_username"
        page = Fix("clusters:edit_cluster", view.cluster.id, field=wrong)
        return failed(answer.failure.message, answer.failure.remedy, page)
    return not_judged(f"The user was not tried on {view.node.name}.", answer, "no AXL")


@_node(
    "control_center",
    "Verify that the Control Center of each node answers.",
    asks="the status of all services",
    failed="It does not, or the user lacks its role; what runs there is not known.",
    information="It could not be asked; the problem says why.",
    remedy="Look at the node's Tomcat, and at who else asks it.",
    sources=[Source.SERVICEABILITY],
    evidence=lambda view: {"Control Center": view.node.services},
)
def control_center(view: NodeView) -> Verdict | None:
    answer, node = view.node.services, view.node
    if answer.known:
        return PASSED
    # The user whom AXL accepts too lacks a role of the Control Center alone.
    lacking = answer.code == Code.FORBIDDEN and node.axl.known
    refused = answer.code in UNTRUSTED | REFUSALS and not lacking
    if not node.connect.known or refused:
        return unknown(f"The services of {node.name} were not read.", answer)
    if answer.code == Code.THROTTLED or answer.failure is None:
        return unknown(f"The services of {node.name} were not read now.", answer)
    page = Fix("services:show", node.id)
    return failed(answer.failure.message, answer.failure.remedy, page)


@_node(
    "clock",
    "Verify that the clocks of all nodes agree.",
    asks="the Date of the AXL answer, compared with the other nodes",
    failed="A clock is off by more than a minute.",
    warning="A clock is off by more than 5 seconds.",
    information="The node reports no time.",
    remedy="Check NTP on the node.",
    sources=[Source.TROUBLESHOOTER],
    evidence=lambda view: {"Date of the AXL answer": clock_of(view.node)},
)
def judge_clock(view: NodeView) -> Verdict | None:
    offset = view.node.clock_offset
    if offset is None:
        return information(f"{view.node.name} reported no time.")
    off = offset - usual_offset(view.facts)
    if abs(off) <= CLOCK_TOLERATED:
        return PASSED
    way = "ahead of" if off > 0 else "behind"
    verdict = failed if abs(off) > CLOCK_WRONG else warning
    return verdict(
        f"The clock of {view.node.name} is {abs(off):.0f} s {way} the others.",
        "Check NTP on the node.",
    )


def usual_offset(facts: Facts) -> float:
    """Give the middle of all offsets, so that the console's own clock is left out."""
    offsets = [
        node.clock_offset
        for cluster in facts.clusters.values()
        for node in cluster.nodes
        if node.clock_offset is not None
    ]
    # Of two clocks none is right: then the console's decides.
    return median(offsets) if len(offsets) > 2 else 0.0


@_node(
    "response_time",
    "Verify that each node answers quickly.",
    asks="the time of the AXL answer",
    warning="It took more than two seconds.",
    information="There was no answer.",
    remedy="Look at the load of the node and the network path.",
    sources=[Source.NOTE_DNS],
    evidence=axl_evidence,
)
def response_time(view: NodeView) -> Verdict | None:
    answer = view.node.axl
    if not answer.known or answer.duration_ms is None:
        return not_judged(f"{view.node.name} gave no answer to time.", answer, "no AXL")
    if answer.duration_ms > SLOW_ANSWER:
        return warning(
            f"{view.node.name} took {answer.duration_ms / 1000:.1f} s to answer.",
            "Look at the load of the node and the network path.",
        )
    return PASSED


@_cluster(
    "version_known",
    "Verify that each cluster reports its version.",
    asks="getCCMVersion on the publisher",
    information="It does not, so rules of releases cannot be judged.",
    remedy="Set the generation manually.",
    sources=[Source.AXL],
    evidence=lambda view: {"getCCMVersion": view.cluster.version},
)
def version_known(view: ClusterView) -> Verdict | None:
    if view.cluster.version.value:
        return PASSED
    return unknown(
        f"The version of {view.cluster.name} is not known.", view.cluster.version
    )
