"""The rules of clusters, nodes and peers, the same for pages and REST.

Errors block a save and stand at a field; warnings inform, and the save goes on.
"""

from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Q, QuerySet

from peers.models import Cluster, Node, Peer

Errors = dict[str, str]

# The most clusters that the vendor supports in one mesh.
LARGEST_MESH = 30


def cluster_errors(cluster: Cluster) -> Errors:
    errors: Errors = {}
    if cluster.tls_mode == Cluster.TlsMode.CA:
        if not cluster.ca_certificate:
            errors["ca_certificate"] = "Paste the CA certificate, or pin certificates."
        if cluster.legacy_tls:
            errors["legacy_tls"] = "Legacy TLS is only for confirmed certificates."
    return errors


def node_errors(node: Node) -> Errors:
    errors: Errors = {}
    others = Node.objects.exclude(pk=node.pk).select_related("cluster")
    siblings = others.filter(cluster=node.cluster_id) if node.cluster_id else None
    twin = others.filter(address__iexact=node.address, axl_port=node.axl_port).first()
    if node.address and twin:
        errors["address"] = f"{twin} of {twin.cluster} has this address and AXL port."
    if siblings is None:
        return errors
    if node.name and siblings.filter(name__iexact=node.name).exists():
        errors["name"] = f"{node.cluster} has a node of this name."
    publisher = siblings.filter(role=Node.Role.PUBLISHER).first()
    if node.is_publisher and publisher:
        errors["role"] = f"{node.cluster} has a publisher already: {publisher}."
    return errors


def peer_errors(peer: Peer) -> Errors:
    if peer.removing:
        return {NON_FIELD_ERRORS: "This peer is being removed."}
    if not peer.address or not peer.cluster_id:
        return {}
    sentence = own_node(peer) or duplicate(peer)
    return {"address": sentence} if sentence else {}


def own_node(peer: Peer) -> str:
    own = node_called(peer.address).filter(cluster=peer.cluster_id).first()
    if own is None:
        return ""
    return (
        f"{peer.address} is {called(own, peer.address)} of the home cluster "
        f"{peer.cluster} itself; enter the publisher of the remote cluster."
    )


def duplicate(peer: Peer) -> str:
    others = Peer.objects.filter(cluster=peer.cluster_id).exclude(pk=peer.pk)
    if others.filter(address__iexact=peer.address).exists():
        return f"{peer.cluster} has a peer with the address {peer.address} already."
    remote = peer.find_remote()
    twin = others.filter(remote_cluster=remote).first() if remote else None
    if twin is None:
        return ""
    return f"{peer.cluster} has a peer for {remote} already: {twin.address}."


def peer_warnings(peer: Peer) -> list[str]:
    """What an administrator should know about a peer that may be saved."""
    warnings = [*home_warnings(peer.cluster), *remote_warnings(peer)]
    if peer.cluster.peers.count() >= LARGEST_MESH:
        warnings.append(
            f"{peer.cluster} has peers for {LARGEST_MESH} clusters or more; a mesh "
            f"of more than {LARGEST_MESH} clusters is not supported."
        )
    return warnings


def home_warnings(home: Cluster) -> list[str]:
    publisher = home.publisher
    if publisher is None:
        return [f"{home} has no publisher in the console, so nothing can reach it."]
    if not publisher.trusted:
        return [
            f"The certificate of {publisher} is not confirmed, so nothing is sent "
            "to it yet."
        ]
    return []


def remote_warnings(peer: Peer) -> list[str]:
    remote = peer.remote_cluster
    if remote is None:
        return [
            f"No cluster in the console has a node {peer.address}: whatever needs the "
            "other side cannot be checked."
        ]
    return [*target_warnings(peer, remote), *reverse_warnings(peer, remote)]


def target_warnings(peer: Peer, remote: Cluster) -> list[str]:
    node = node_called(peer.address).filter(cluster=remote).first()
    publisher = remote.publisher
    if node is None or node.is_publisher or publisher is None:
        return []
    return [
        f"{peer.address} is a subscriber of {remote}; peers belong between publishers: "
        f"{publisher}."
    ]


def reverse_warnings(peer: Peer, remote: Cluster) -> list[str]:
    back = peer.reverse
    if back is None:
        return [
            f"{remote} has no peer back to {peer.cluster} yet; users are exchanged "
            "only when both sides are set up."
        ]
    if back.protocol != peer.protocol:
        return [
            f"The preferred protocols differ: {peer.protocol} on {peer.cluster}, "
            f"{back.protocol} on {remote}. Both sides must use the same."
        ]
    return []


def node_called(host: str) -> QuerySet[Node]:
    return Node.objects.filter(Q(name__iexact=host) | Q(address__iexact=host))


def called(node: Node, host: str) -> str:
    return "a node" if node.name.casefold() == host.casefold() else f"the node {node}"
