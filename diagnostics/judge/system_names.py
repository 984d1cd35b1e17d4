"""The System section: what DNS knows of each node."""

from functools import partial
from typing import Any

from diagnostics.answers import Answer
from diagnostics.facts import Facts, NodeFacts, is_address
from diagnostics.judge.peer import SLOW_NAME
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import Level, NodeView, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    caused_by,
    failed,
    information,
    listed_texts,
    unknown,
    warning,
)

_node = partial(register_test, Section.SYSTEM, Level.NODE)


def certificate_names(view: NodeView) -> dict[str, Answer[Any]]:
    names = view.node.certificate_names.items()
    return {f"DNS, {name}": answer for name, answer in names}


@_node(
    "dns_forward",
    "Verify that DNS knows the name of each node.",
    asks="DNS, A and AAAA, from the console",
    failed="It does not, or leads elsewhere.",
    warning="The look-up took more than 5 seconds: a DNS server may be dead.",
    remedy="Add the A record; check the first DNS server.",
    sources=[Source.GUIDE_12, Source.NOTE_DNS],
    evidence=lambda view: {"DNS, A and AAAA": view.node.forward},
)
def dns_forward(view: NodeView) -> Verdict | None:
    node = view.node
    if node.is_address:
        return None
    answer = node.forward
    if answer.failure:
        return failed(answer.failure.message, answer.failure.remedy)
    if answer.value is None:
        return unknown(f"{node.name} was not looked up.", answer)
    if leads_elsewhere(node):
        return failed(
            f"{node.name} leads to {listed_texts(answer.value)}, and the node is at "
            f"{node.address}.",
            "Correct the A record, or the node's address in the console.",
            Fix("clusters:edit_node", node.id, field="address"),
        )
    return slow_lookup(answer, node.name) or PASSED


def slow_lookup(answer: Answer[Any], what: str) -> Verdict | None:
    duration_ms = answer.duration_ms or 0
    if duration_ms <= SLOW_NAME:
        return None
    return warning(
        f"The look-up of {what} took {duration_ms / 1000:.0f} s.",
        "Check the DNS servers: a dead first server delays every look-up.",
    )


def leads_elsewhere(node: NodeFacts) -> bool:
    return is_address(node.address) and node.address not in (node.forward.value or ())


@_node(
    "dns_reverse",
    "Verify that DNS leads from the address of each node back to its name.",
    asks="DNS, PTR, from the console",
    failed="There is no PTR record, or it names another host.",
    warning="The look-up took more than 5 seconds: a DNS server may be dead.",
    information="No address was found to look up.",
    remedy="Add the PTR record: without it, clusters wait and then fail.",
    sources=[Source.NOTE_DNS],
    evidence=lambda view: {"DNS, PTR": view.node.backward},
)
def dns_reverse(view: NodeView) -> Verdict | None:
    node = view.node
    if node.is_address:
        return None
    answer = node.backward
    if answer.failure:
        return failed(answer.failure.message, answer.failure.remedy)
    if answer.value is None:
        return unknown(f"The address of {node.name} was not looked up.", answer)
    names = {name.casefold() for name in answer.value}
    short = {name.split(".")[0] for name in names}
    if not names:
        return failed(
            f"DNS has no PTR record for the address of {node.name}.",
            "Add it; without it, clusters wait two minutes and then fail.",
        )
    if node.name.casefold() not in names | short:
        return failed(
            f"The address of {node.name} leads back to {listed_texts(sorted(names))}.",
            "Correct the PTR record.",
        )
    return slow_lookup(answer, f"the address of {node.name}") or PASSED


@_node(
    "dns_certificate_names",
    "Verify that DNS knows every name in the certificate of each node.",
    asks="DNS, for each alternative name of the certificate",
    failed="A name does not resolve; the Intercluster Sync Agent wants them all.",
    information="The certificate could not be read, the DNS servers did not answer, or "
    "DNS does not know the node itself, which is reached by its address.",
    remedy="Add the records, or regenerate the certificate without those names.",
    sources=[Source.GUIDE_12],
    evidence=certificate_names,
)
def dns_certificate_names(view: NodeView) -> Verdict | None:
    if not view.node.certificate.known:
        return caused_by("The names are not known.", "no certificate")
    node, names = view.node, view.node.certificate_names
    missing = {name: a.failure for name, a in names.items() if a.failure}
    # Not asked, or too late to say anything.
    late = [name for name, a in names.items() if not (a.known or a.failure)]
    unread = [name for name, failure in missing.items() if failure.passing]
    if (unread or late) and len(unread) == len(missing):
        unread += late
        return unknown(f"{listed_texts(unread)} was not looked up.", names[unread[0]])
    if not missing:
        return PASSED
    unheard_of = [name for name in missing if name not in unread]
    if without_dns(node):
        return information(
            f"DNS does not know {listed_texts(unheard_of)} of the certificate, nor the "
            f"node itself, which is reached by its address {node.address}.",
            "Nothing to do in a network without DNS; otherwise add the records.",
        )
    return failed(
        f"DNS does not know {listed_texts(unheard_of)} of the certificate.",
        "Add the records: the Intercluster Sync Agent wants them all.",
    )


def without_dns(node: NodeFacts) -> bool:
    """Say whether DNS knows nothing of a node, which is reached by its address."""
    by_name = not node.is_address and node.forward.known
    known = any(answer.known for answer in node.certificate_names.values())
    return is_address(node.address) and not by_name and not known


@register_test(
    Section.SYSTEM,
    Level.MESH,
    "dns_servers",
    "Verify that each DNS server of the console answers.",
    asks="the look-ups of this run, at every server that was needed",
    warning="One kept silent while another one answered.",
    remedy="Repair it, or remove it from the DNS servers of the console.",
    sources=[Source.NOTE_DNS],
)
def dns_servers(facts: Facts) -> Verdict | None:
    if not facts.silent_servers:
        return PASSED
    return warning(
        f"No answer from {listed_texts(facts.silent_servers)}; "
        "another DNS server answered.",
        "Repair it, or remove it from CUPADMIN_DNS_SERVERS. Clusters that use the "
        "same server wait for it at each look-up.",
    )
