"""The SIP Proxy section: does the proxy of each node answer?"""

from diagnostics.judge.sources import Source
from diagnostics.judge.tests import Level, NodeView, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    listed_texts,
    unknown,
    warning,
)

SWAPPED = (
    "Check the SIP TLS port of the node in the console: the ports of server "
    "authentication (5061) and of peer authentication (5062) are sometimes swapped."
)


@register_test(
    Section.SIP_PROXY,
    Level.NODE,
    "sip_answers",
    "Verify that the SIP proxy of each node answers over TCP and UDP.",
    asks="SIP OPTIONS over UDP and TCP",
    failed="It answers over neither.",
    warning="It answers over one of them.",
    information="It was not asked.",
    remedy="Check the SIP Proxy service, the node's SIP port, and firewalls.",
    sources=[Source.PORTS],
    evidence=lambda view: {
        f"SIP OPTIONS, {name}": answer
        for name, answer in view.node.sip.items()
        if name in ("UDP", "TCP")
    },
)
def sip_answers(view: NodeView) -> Verdict | None:
    answers = {
        name: view.node.sip[name] for name in ("UDP", "TCP") if name in view.node.sip
    }
    if not answers:
        return information(f"The SIP proxy of {view.node.name} was not asked.")
    down = {
        name: answer.reason if answer.value is None else f"status {answer.value.status}"
        for name, answer in answers.items()
        if answer.value is None or not answer.value.up
    }
    if not down:
        return PASSED
    late = [name for name in down if answers[name].late]
    if len(late) == len(down):
        over = listed_texts(late)
        what = f"The SIP proxy of {view.node.name} was not asked over {over}."
        return unknown(what, answers[late[0]])
    verdict = failed if len(down) == len(answers) and not late else warning
    return verdict(
        f"No good answer over {listed_texts(down)}: {next(iter(down.values()))}",
        "Check the SIP Proxy service, the node's SIP port, and firewalls.",
        Fix("services:show", view.node.id),
    )


@register_test(
    Section.SIP_PROXY,
    Level.NODE,
    "sip_tls_answers",
    "Verify that the SIP proxy of each node answers over TLS.",
    asks="SIP OPTIONS over TLS, on the port of server authentication",
    information="It does not, or it wants a client certificate; that matters only "
    "where a peer prefers TLS.",
    remedy="Check the SIP TLS port of the node: 5061 and 5062 are sometimes swapped.",
    sources=[Source.PORTS],
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
    if answer.value is None:
        return information(f"No good answer over TLS: {answer.reason}", answer.remedy)
    if answer.value.peer_auth_refused:
        return information(
            f"The SIP TLS port of {view.node.name} wants a client certificate, so SIP "
            "was not tested.",
            SWAPPED,
            Fix("clusters:edit_node", view.node.id, field="sip_tls_port"),
        )
    if answer.value.up:
        return PASSED
    return information(f"No good answer over TLS: status {answer.value.status}.")
