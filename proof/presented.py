"""Asking nodes for the certificates that they present to proofs."""

import presence
import wire
from clusters.connections import cluster_policy
from clusters.models import Node
from clusters.presented import CERTIFICATE_DEADLINE
from presence import ProofInterface
from proof.models import Canary, PresenceCertificate
from wire import Certificate


def port_of(node: Node, kind: str) -> int:
    """Give the port at which a certificate is read: the one that proofs use."""
    row = Canary.objects.filter(pk=node.cluster_id).first()
    row = row or Canary(cluster=node.cluster)
    if kind == PresenceCertificate.Kind.XMPP:
        return row.xmpp_port
    return (
        node.sip_tls_port if row.interface is ProofInterface.SIP else row.presence_port
    )


def fetch_certificate(node: Node, kind: str) -> Certificate:
    """Ask a node what it presents now.

    Raises:
        WireError: it presents none.
    """
    port, legacy = port_of(node, kind), node.cluster.legacy_tls
    if kind == PresenceCertificate.Kind.XMPP:
        return wire.run_loop(
            presence.fetch_starttls_certificate(
                node.address,
                port,
                cluster_policy(),
                domain=node.cluster.domain,
                server_name=node.name,
                legacy=legacy,
                deadline=CERTIFICATE_DEADLINE,
            )
        )
    return wire.run_loop(
        wire.fetch_certificate(
            node.address,
            port,
            cluster_policy(),
            server_name=node.name,
            legacy=legacy,
            deadline=CERTIFICATE_DEADLINE,
        )
    )
