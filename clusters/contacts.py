"""Whether a node can be used, as its last contact showed: AXL, and its certificate."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from clusters.models import Cluster, Node
from clusters.signals import certificate_returned, contact_changed
from wire import Code, WireError

# The console was never allowed to ask: that says nothing about the node.
NOT_QUERIED = (Code.CERTIFICATE_UNKNOWN, Code.POLICY)
# The node let the console in, and did not like the question.
ANSWERED = (Code.FAULT, Code.CATALOGUE, Code.VALUE, Code.NOT_OFFERED, Code.TOO_LARGE)


def store_contact(
    pk: UUID | str, at: datetime, code: str = "", error: str = ""
) -> None:
    """Store the result of a contact, unless a later one is stored already.

    Args:
        code: why AXL could not be used, a code of the wire; empty when it could.
    """
    if Node.objects.filter(pk=pk).remember_contact(at, str(code), error):
        contact_changed.send(sender=Node, pk=pk)


def remember_error(node: Node, error: WireError) -> None:
    """A certificate that changed stops every later call to the node."""
    if error.code == Code.CERTIFICATE_CHANGED:
        notice_change(node)


@transaction.atomic
def notice_change(node: Node, presented: str = "") -> None:
    """Stop all calls to a node whose certificate is not the confirmed one.

    Args:
        presented: the fingerprint that the node presents, where it is known.
    """
    if node.cluster.tls_mode != Cluster.TlsMode.PINNED or not node.remember_change():
        return
    prints = [node.certificate_fingerprint, presented] if presented else []
    audit.append_entry(
        audit.CONSOLE,
        "notice changed certificate",
        node,
        {"certificate_fingerprint": prints} if prints else {},
    )
    contact_changed.send(sender=Node, pk=node.pk)


@transaction.atomic
def notice_return(node: Node) -> None:
    """Allow calls again: the node presents the confirmed certificate as before."""
    if not node.remember_return():
        return
    states = [Node.CertificateState.CHANGED, Node.CertificateState.TRUSTED]
    audit.append_entry(
        audit.CONSOLE,
        "notice confirmed certificate",
        node,
        {"certificate_state": list(map(str, states))},
    )
    Node.objects.filter(pk=node.pk).clear_contact(Code.CERTIFICATE_CHANGED)
    certificate_returned.send(sender=Node, cluster=node.cluster)
