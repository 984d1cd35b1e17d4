"""The product's own pages of clusters that are provisioned by them.

A peer may be known to work by its users while its entry cannot be read; the next change
would fail, so that it is a problem of its own.
"""

from django.urls import reverse

from clusters.models import Cluster
from overview.found import FAILED, UNKNOWN, Affected, Found, ProblemBook, name_subject
from pages import PageCode
from wire import Code

# The account is refused: nothing is read or changed until a person corrects it.
REFUSED = {
    PageCode.SIGN_IN.value: "pages_password",
    PageCode.ACCOUNT.value: "pages_password",
    PageCode.LOCKED.value: "pages_username",
    PageCode.DENIED.value: "pages_username",
}
# The field of the cluster or of its publisher where the others are corrected.
CLUSTER_FIELDS = {
    PageCode.SESSION_LIMIT.value: "pages_username",
    PageCode.LANGUAGE.value: "pages_username",
    Code.UNAUTHORIZED.value: "pages_username",
    Code.FORBIDDEN.value: "pages_username",
    Code.PROTOCOL.value: "pages_port",
    Code.REFUSED.value: "pages_port",
    Code.TLS.value: "legacy_tls",
}
NODE_FIELDS = {
    PageCode.HOST.value: "address",
    PageCode.OTHER_NODE.value: "address",
    Code.REDIRECT.value: "address",
}
SERVICES = (Code.UNAVAILABLE.value,)


def report_pages(book: ProblemBook) -> None:
    for cluster in book.clusters.values():
        unread = cluster.by_pages and cluster.pages_error_code
        if unread and not book.blocking(cluster.pk):
            found = book.report(pages_problem(cluster))
            book.at_pages[cluster.pk].append(found.affect(Affected.of(cluster)))


def pages_problem(cluster: Cluster) -> Found:
    code = cluster.pages_error_code
    name, severity = "pages_unread", UNKNOWN
    if code in REFUSED:
        name, severity = "pages_account_refused", FAILED
    node = cluster.publisher
    known = (node.name, node.address) if node else ()
    text = name_subject(cluster.pages_error, f"Pages of {cluster}", *known)
    url = fix_of(cluster, code)
    return Found(f"{name}:{cluster.pk}", name, severity, text, url, cluster.pk)


def fix_of(cluster: Cluster, code: str) -> str:
    """Return the page, and on it the field, where what the error proposes is done."""
    if field := REFUSED.get(code) or CLUSTER_FIELDS.get(code):
        page = reverse("clusters:edit_cluster", args=[cluster.pk])
        return f"{page}#id_{field}"
    if cluster.publisher and code in NODE_FIELDS:
        page = reverse("clusters:edit_node", args=[cluster.publisher.pk])
        return f"{page}#id_{NODE_FIELDS[code]}"
    if cluster.publisher and code in SERVICES:
        return reverse("services:show", args=[cluster.publisher.pk])
    # The pages are described there, for a report.
    return f"{cluster.get_absolute_url()}#pages"
