"""The SIP Proxy section: does the proxy of each node answer?"""

from diagnostics.judge.peer import listed
from diagnostics.judge.tests import NodeView, Scope, Section, test
from diagnostics.judge.verdict import PASSED, Fix, Verdict, failed, information, warning


@test(
    Section.SIP_PROXY,
    Scope.NODE,
    "sip_answers",
    "Verify that the SIP proxy of each node answers over TCP and UDP.",
    asks="SIP OPTIONS over UDP and TCP",
    failed="It answers over neither.",
    warning="It answers over one of them.",
    information="It was not asked.",
    remedy="Check the SIP Proxy service, the node's SIP port, and firewalls.",
    source="S15",
    evidence=lambda view: {
        f"SIP OPTIONS, {name}": answer
        for name, answer in view.node.sip.items()
        if name in ("UDP", "TCP")
    },
)
def sip_answers(view: NodeView) -> Verdict | None:
    asked = {
        name: view.node.sip[name] for name in ("UDP", "TCP") if name in view.node.sip
    }
    if not asked:
        return information(f"The SIP proxy of {view.node.name} was not asked.")
    down = {
        name: answer.reason if answer.value is None else f"status {answer.value.status}"
        for name, answer in asked.items()
        if answer.value is None or not answer.value.up
    }
    if not down:
        return PASSED
    say = failed if len(down) == len(asked) else warning
    return say(
        f"No good answer over {listed(down)}: {next(iter(down.values()))}",
        "Check the SIP Proxy service, the node's SIP port, and firewalls.",
        Fix("services:show", view.node.id),
    )


@test(
    Section.SIP_PROXY,
    Scope.NODE,
    "sip_tls_answers",
    "Verify that the SIP proxy of each node answers over TLS.",
    asks="SIP OPTIONS over TLS, on the port of server authentication",
    information="It does not; that matters only where a peer prefers TLS.",
    remedy="Check the SIP TLS port of the node: 5061 and 5062 are sometimes swapped.",
    source="S15, wire facts",
    evidence=lambda view: {
        f"SIP OPTIONS, {name}": answer
        for name, answer in view.node.sip.items()
        if name == "TLS"
    },
)
def sip_tls_answers(view: NodeView) -> Verdict | None:
    answer = view.node.sip.get("TLS")
    if answer is None:
        return information(f"The SIP proxy of {view.node.name} was not asked.")
    if answer.value and (answer.value.up or answer.value.peer_auth_refused):
        return PASSED
    why = f"status {answer.value.status}." if answer.value else answer.reason
    return information(f"No good answer over TLS: {why}")
