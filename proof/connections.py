"""From canary rows to canaries that can be signed in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import presence
import wire
from clusters.connections import trust_of, with_credentials
from clusters.models import Cluster, Node
from presence import PresenceCode, State
from proof import canaries
from proof.models import CanaryUser, PresenceCertificate
from wire import Code, NodeAddress, Secret, Trust, WireError

Kind = PresenceCertificate.Kind

# For each node that is tried.
FIND_DEADLINE = 12.0
_CONFIRM = (
    "Confirm the certificate {kind} of {node} on the page Presence canary of its "
    "cluster."
)
_PASSWORD = "Enter its XMPP password on the page Presence canary of {cluster}."
_ACCOUNT = (
    "Enter the application user for presence on the page Presence canary of {cluster}."
)


@dataclass(frozen=True)
class CanaryHome:
    """A canary user at its home node, and its state there."""

    user: CanaryUser
    node: Node
    canary: presence.ServiceCanary
    state: State | None


def find_home(user: CanaryUser) -> CanaryHome:
    """Sign the user in at one node after the other, until one is its home.

    Raises:
        WireError: at none of them; the reason of the first node that gave one.
    """
    refused: WireError | None = None
    for node in candidate_nodes(user):
        try:
            canary = canary_at(user, node)
            state = wire.run_loop(presence.own_state(canary, deadline=FIND_DEADLINE))
        except WireError as error:
            refused = refused or explain_error(error, Kind.CUP, node)
            if error.code not in (PresenceCode.USER, Code.CERTIFICATE_UNKNOWN):
                break
        else:
            canaries.remember_home(user, node)
            return CanaryHome(user, node, canary, state)
    raise refused or no_node(user)


def no_node(user: CanaryUser) -> WireError:
    message = f"The cluster {user.row.cluster} has no node in the console."
    return WireError(Code.VALUE, message, remedy="Discover the cluster.")


def candidate_nodes(user: CanaryUser) -> Iterator[Node]:
    """Give the nodes of the cluster, the one that was home last first."""
    cluster = user.row.cluster
    nodes = list(Node.objects.filter(cluster=cluster).select_related("cluster"))
    nodes.sort(key=lambda node: (node.pk != user.home_node_id, not node.is_publisher))
    yield from nodes


def canary_at(user: CanaryUser, node: Node) -> presence.ServiceCanary:
    row = user.row
    if not row.presence_username:
        remedy = _ACCOUNT.format(cluster=row.cluster)
        raise WireError(Code.VALUE, "No application user is entered.", remedy=remedy)
    address = with_credentials(
        node, row.presence_username, row.unseal("presence_password")
    )
    address = replace(address, trust=presence_trust(node, Kind.CUP))
    domain = row.cluster.domain
    return presence.ServiceCanary(address, row.presence_port, user.userid, domain)


def presence_trust(node: Node, kind: str) -> Trust:
    """What a node must prove to a proof: each of its certificates has its own pin."""
    if node.cluster.tls_mode == Cluster.TlsMode.CA:
        return trust_of(node)
    known = PresenceCertificate.objects.filter(node=node, kind=kind).first()
    if known is None:
        return Trust()
    return Trust(fingerprint=known.fingerprint, legacy=node.cluster.legacy_tls)


def explain_error(error: WireError, kind: str, node: Node) -> WireError:
    """Give an error about a certificate the remedy of this interface."""
    if error.code in (Code.CERTIFICATE_UNKNOWN, Code.CERTIFICATE_CHANGED):
        error.remedy = _CONFIRM.format(node=node, kind=kind)
    return error


def sip_canary(user: CanaryUser, transport: str) -> presence.SipCanary:
    """The user at the proxy of its home node, or of the publisher."""
    address = address_of(user, Kind.CUP, user.digest_password)
    domain = user.row.cluster.domain
    return presence.SipCanary(address, transport, user.userid, domain)


def xmpp_canary(user: CanaryUser) -> presence.XmppCanary:
    """The user at its home node, or at the publisher."""
    password, cluster = user.xmpp_password, user.row.cluster
    if not password:
        message = f"No XMPP password of {user.userid} is entered."
        remedy = _PASSWORD.format(cluster=cluster)
        raise WireError(Code.VALUE, message, remedy=remedy)
    address = address_of(user, Kind.XMPP, password)
    port = user.row.xmpp_port
    return presence.XmppCanary(address, port, user.userid, cluster.domain)


def address_of(user: CanaryUser, kind: str, password: Secret) -> NodeAddress:
    """The home node with the user's own password, and the certificate it must show."""
    node = next(candidate_nodes(user), None)
    if node is None:
        raise no_node(user)
    address = with_credentials(node, user.userid, password)
    return replace(address, trust=presence_trust(node, kind))
