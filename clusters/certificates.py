"""The certificate that a node presents, and its confirmation."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from base.revisions import Stale
from clusters.jobs.present import ask_workers, is_asked_here
from clusters.jobs.test import reach_again
from clusters.models import Cluster, Node
from clusters.presented import Presented, ask_nodes
from clusters.signals import certificate_returned
from wire import Certificate, Code, WireError


class FingerprintDiffers(Exception):
    """The node presents another certificate than the one to be confirmed."""


def present_certificate(node: Node) -> Certificate:
    """Return what the node presents now; the only question asked within a request.

    Raises:
        WireError: it presents none, or nobody could ask it.
    """
    certificate, error = present_certificates([node])[node]
    if certificate is None:
        raise error or WireError(Code.PROTOCOL, node=node.name)
    return certificate


def present_certificates(nodes: Iterable[Node]) -> dict[Node, Presented]:
    """Return what each node presents now, or why it does not, all asked at once; those
    of a site that has workers by these."""
    nodes = list(nodes)
    here = [node for node in nodes if is_asked_here(node)]
    there = [node for node in nodes if node not in here]
    with ask_workers(there) as answers:
        return ask_nodes(here) | answers()


def trust_certificate(node: Node, fingerprint: str, actor: Actor) -> None:
    """Confirm the certificate that the node presents now.

    Raises:
        FingerprintDiffers: it presents another one.
        WireError: it does not answer.
    """
    _trust_certificate(node, present_certificate(node), fingerprint, actor)
    _use_trusted({node.cluster_id}, actor)


def trust_many(given: Mapping[Node, str], actor: Actor) -> list[str]:
    """Confirm the certificates of nodes; return why some of them were not."""
    refused, trusted = [], set()
    for node, (certificate, error) in present_certificates(given).items():
        try:
            if certificate is None:
                raise error or FingerprintDiffers(f"{node} presents no certificate.")
            _trust_certificate(node, certificate, given[node], actor)
            trusted.add(node.cluster_id)
        except (FingerprintDiffers, WireError, Stale) as problem:
            refused.append(str(problem))
    _use_trusted(trusted, actor)
    return refused


def _use_trusted(clusters: Iterable[UUID], actor: Actor) -> None:
    """Look again at clusters of which the last certificate was confirmed.

    One whose release is not known yet is discovered first.
    """
    rows = Cluster.objects.filter(pk__in=clusters).exclude(version="")
    for cluster in rows.prefetch_related("nodes"):
        if all(node.trusted for node in cluster.nodes.all()):
            reach_again(cluster, actor)
            certificate_returned.send(sender=Node, cluster=cluster)


def _trust_certificate(
    node: Node, certificate: Certificate, fingerprint: str, actor: Actor
) -> None:
    given = fingerprint.replace(":", "").strip().lower()
    if certificate.fingerprint != given:
        raise FingerprintDiffers(
            f"{node} presents the fingerprint {certificate.fingerprint}, "
            "not the one you confirmed. Look at it again."
        )
    with transaction.atomic():
        changes = {"fingerprint": [node.certificate_fingerprint, given]}
        node.trust(certificate.fingerprint, certificate.not_after)
        audit.append_entry(actor, "trust certificate", node, changes)
