"""From the console's rows to addresses that the wire can talk to."""

from ipaddress import ip_network

from django.conf import settings

from clusters.models import Cluster, Node
from wire import Code, NodeAddress, Policy, Secret, Trust, WireError


def cluster_policy() -> Policy:
    """Where clusters may be, from the settings."""
    return Policy(
        networks=tuple(ip_network(text) for text in settings.ALLOWED_NETWORKS),
        ports=frozenset(settings.ALLOWED_PORTS),
        dns_servers=tuple(settings.DNS_SERVERS),
    )


def trust_of(node: Node) -> Trust:
    """What the node must prove before anything is sent to it."""
    cluster = node.cluster
    if cluster.tls_mode == Cluster.TlsMode.CA:
        return Trust(ca_pem=cluster.ca_certificate)
    if node.certificate_state != Node.CertificateState.TRUSTED:
        return Trust()
    return Trust(fingerprint=node.certificate_fingerprint, legacy=cluster.legacy_tls)


def address_of(node: Node) -> NodeAddress:
    """Return the node with the cluster's own credentials, decrypted just now."""
    cluster = node.cluster
    if node.certificate_state == Node.CertificateState.CHANGED:
        # Known without asking; nobody dials a node that failed its pin.
        raise WireError(Code.CERTIFICATE_CHANGED, node=node.name)
    return with_credentials(node, cluster.axl_username, cluster.unseal("axl_password"))


def with_credentials(node: Node, username: str, password: Secret) -> NodeAddress:
    return NodeAddress(
        name=node.name,
        address=node.address,
        axl_port=node.axl_port,
        sip_port=node.sip_port,
        sip_tls_port=node.sip_tls_port,
        sip_peer_tls_port=node.sip_peer_tls_port,
        username=username,
        password=password,
        trust=trust_of(node),
        policy=cluster_policy(),
        generation=node.cluster.generation,
        axl_version=node.axl_version or None,
        control_center=node.control_center or None,
    )
