"""Nodes that cannot be used, and their certificates."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster, Node
from overview.found import (
    FAILED,
    UNKNOWN,
    WARNING,
    Affected,
    Found,
    ProblemBook,
    name_subject,
)
from services.models import SILENT
from wire import Code

EXPIRES_SOON = timedelta(days=30)
# The cluster's own user is refused, or its password cannot be opened.
REFUSED = {
    Code.UNAUTHORIZED.value: "refused the AXL user name or password",
    Code.FORBIDDEN.value: "does not allow its AXL user to use AXL",
    "secret": "cannot be signed in to: the stored password cannot be opened",
}
# The field of the node where AXL that cannot be used is corrected.
NODE_FIELDS = {
    Code.ADDRESS: "address",
    Code.UNRESOLVABLE: "address",
    Code.REDIRECT: "address",
    Code.SINGLE_SIGN_ON: "address",
    Code.PROTOCOL: "axl_port",
}
SERVICES = (Code.AXL_OFF, Code.UNAVAILABLE)
UNPROVEN = {
    Code.CERTIFICATE_CHANGED.value: ("certificate_changed", FAILED),
    Code.CERTIFICATE_UNKNOWN.value: ("certificate_unconfirmed", WARNING),
}


def report_nodes(book: ProblemBook) -> None:
    for cluster in book.clusters.values():
        nodes = list(cluster.nodes.all())
        if not any(node.is_publisher for node in nodes):
            report_no_publisher(book, cluster)
        for node in nodes:
            node.cluster = cluster
            report_certificate(book, node)
        report_contacts(book, cluster, nodes)
        if cluster.checked_at is None and not book.blocking(cluster.pk):
            report_unchecked(book, cluster)
        for node in nodes:
            report_services(book, node)


def report_no_publisher(book: ProblemBook, cluster: Cluster) -> None:
    found = Found(
        f"no_publisher:{cluster.pk}",
        "no_publisher",
        UNKNOWN,
        f"{cluster} has no publisher in the console, so it cannot be checked.",
        reverse("clusters:add_node", args=[cluster.pk]),
        cluster.pk,
    )
    book.at_cluster[cluster.pk].append(book.report(found))


def report_unchecked(book: ProblemBook, cluster: Cluster) -> None:
    found = Found(
        f"cluster_unchecked:{cluster.pk}",
        "cluster_unchecked",
        UNKNOWN,
        f"{cluster} has not been checked yet.",
        cluster.get_absolute_url(),
        cluster.pk,
    )
    book.at_cluster[cluster.pk].append(book.report(found))


def report_certificate(book: ProblemBook, node: Node) -> None:
    state = node.CertificateState
    if node.cluster.tls_mode == Cluster.TlsMode.PINNED:
        if node.certificate_state == state.CHANGED:
            text = (
                f"The certificate of {node} has changed. Contact is suspended until "
                "you confirm the new one."
            )
            report_block(
                book,
                node,
                certificate_problem(node, "certificate_changed", FAILED, text),
            )
            return
        # One that does not answer has nothing to confirm.
        if node.certificate_state == state.UNKNOWN and node.contact_code not in SILENT:
            text = f"The certificate of {node} is not confirmed, so it is not checked."
            found = certificate_problem(node, "certificate_unconfirmed", WARNING, text)
            report_block(book, node, found)
            return
    report_expiry(book, node)


def report_expiry(book: ProblemBook, node: Node) -> None:
    ends = node.certificate_not_after
    if ends is None or ends - timezone.now() >= EXPIRES_SOON:
        return
    days = (ends - timezone.now()).days
    if days < 0:
        text = f"The certificate of {node} has expired ({ends:%Y-%m-%d})."
        found = certificate_problem(node, "certificate_expired", FAILED, text)
    else:
        when = "in 1 day" if days == 1 else f"in {days} days"
        text = f"The certificate of {node} expires {when}, on {ends:%Y-%m-%d}."
        found = certificate_problem(node, "certificate_expiring", WARNING, text)
    # It is still used: only what is said of the certificate follows from it.
    book.expiring[node.pk] = book.report(found).affect(Affected.node(node))


def certificate_problem(node: Node, code: str, severity: str, text: str) -> Found:
    url = reverse("clusters:certificate", args=[node.pk])
    return Found(f"{code}:{node.pk}", code, severity, text, url, node.cluster_id)


def report_block(book: ProblemBook, node: Node, found: Found) -> None:
    """Report what keeps a node from being read; a publisher's keeps its cluster."""
    found = book.report(found).affect(Affected.node(node))
    book.at_node[node.pk].append(found)
    if node.is_publisher:
        book.at_cluster[node.cluster_id].append(found)


def report_contacts(book: ProblemBook, cluster: Cluster, nodes: list[Node]) -> None:
    silent = [node for node in nodes if node.contact_code in SILENT]
    if len(silent) > 1 and len(silent) == len(nodes):
        url = cluster.get_absolute_url()
        text = f"No node of {cluster} answers. {silent[0].contact_error}"
        key = f"cluster_unreachable:{cluster.pk}"
        found = Found(key, "cluster_unreachable", FAILED, text, url, cluster.pk)
        for node in silent:
            report_block(book, node, found)
        return
    for node in nodes:
        if node.contact_code and not book.at_node[node.pk]:
            report_block(book, node, contact_problem(node))


def contact_problem(node: Node) -> Found:
    """Say why AXL of the node cannot be used."""
    code, cluster = node.contact_code, node.cluster
    if code in REFUSED:
        name = "credentials_refused" if code != Code.FORBIDDEN else "role_missing"
        wrong = "axl_password" if code != Code.FORBIDDEN else "axl_username"
        who = f"{cluster}'s publisher" if node.is_publisher else str(node)
        return Found(
            f"{name}:{cluster.pk}",
            name,
            FAILED,
            f"{who} {REFUSED[code]}.",
            f"{reverse('clusters:edit_cluster', args=[cluster.pk])}#id_{wrong}",
            cluster.pk,
        )
    name, severity = "node_axl", FAILED
    if code in SILENT:
        name = "node_unreachable"
    elif code in UNPROVEN:
        name, severity = UNPROVEN[code]
    elif code == "late":
        name, severity = "node_late", UNKNOWN
    text = node.contact_error or "AXL cannot be used."
    text = name_subject(text, node.name, node.address)
    url = fix_of(node, code)
    return Found(f"{name}:{node.pk}", name, severity, text, url, cluster.pk)


def fix_of(node: Node, code: str) -> str:
    """Return the page, and on it the field, where what its error proposes is done."""
    if code == Code.TLS:
        page = reverse("clusters:edit_cluster", args=[node.cluster_id])
        return f"{page}#id_legacy_tls"
    if code == Code.VERSION:
        # Discovery is started there.
        return str(node.cluster.get_absolute_url())
    if code in NODE_FIELDS:
        page = reverse("clusters:edit_node", args=[node.pk])
        return f"{page}#id_{NODE_FIELDS[Code(code)]}"
    if code in UNPROVEN:
        return reverse("clusters:certificate", args=[node.pk])
    if code in SERVICES:
        return reverse("services:show", args=[node.pk])
    return str(node.get_absolute_url())


def report_services(book: ProblemBook, node: Node) -> None:
    """The node can be used and does not show its services."""
    reading = getattr(node, "reading", None)
    if reading is None or not reading.error_code or book.at_node[node.pk]:
        return
    url = reverse("services:show", args=[node.pk])
    if reading.error_code in REFUSED:
        field = "username" if reading.error_code == Code.FORBIDDEN else "password"
        page = reverse("clusters:edit_cluster", args=[node.cluster_id])
        url = f"{page}#id_axl_{field}"
    found = Found(
        f"services_unread:{node.cluster_id}:{reading.error_code}",
        "services_unread",
        UNKNOWN,
        f"The services of {node} could not be read. {reading.error}",
        url,
        node.cluster_id,
    )
    found = book.report(found).affect(Affected.node(node))
    book.at_services[node.pk].append(found)
