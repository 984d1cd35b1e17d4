"""The rules of peers, the same for pages and REST.

Errors block a save and stand at a field; warnings inform, and the save goes on. The
rules of peers are data: docs/rules.md lists them, with where each is from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from clusters.addressing import Addressing, different_domains, different_schemes
from clusters.models import Cluster, Node
from clusters.ownership import Ownership
from clusters.rules import Errors, publisher_among
from peers import inventory
from peers.models import Peer
from wire import WireError, parse_host, platforms
from wire.platforms import Peering

Check = Callable[[Peer], str]

# The most clusters that the vendor supports in one mesh.
LARGEST_MESH = 30

ERROR, WARNING = "error", "warning"
GUIDE = "7.x guide"
CONSOLE = "this console"


@dataclass(frozen=True)
class Rule:
    """A rule of peers: the check gives a sentence where it is broken, else nothing."""

    id: str
    severity: str
    sentence: str
    source: str
    check: Check
    field: str = ""


PEER_RULES: list[Rule] = []


def rule(
    id: str, severity: str, sentence: str, source: str, *, field: str = ""
) -> Callable[[Check], Check]:
    """Enter a check among the rules; they are asked in the order of this file."""

    def enter(check: Check) -> Check:
        PEER_RULES.append(Rule(id, severity, sentence, source, check, field))
        return check

    return enter


def peer_errors(peer: Peer) -> Errors:
    """The first rule that each field breaks; its id is the code of the error."""
    if peer.removing:
        error = ValidationError("This peer is being removed.", "removing")
        return {NON_FIELD_ERRORS: error}
    if not peer.address or not peer.cluster_id:
        return {}
    errors: Errors = {}
    for one in PEER_RULES:
        if one.severity == ERROR and one.field not in errors:
            sentence = one.check(peer)
            if sentence:
                errors[one.field] = ValidationError(sentence, one.id)
    return errors


def peer_warnings(peer: Peer) -> dict[str, str]:
    """What an administrator should know about a peer that may be saved, by rule."""
    return {
        one.id: sentence
        for one in PEER_RULES
        if one.severity == WARNING and (sentence := one.check(peer))
    }


@rule(
    "own-node",
    ERROR,
    "A peer does not point to a node of its own home cluster.",
    "peer page of the product",
    field="address",
)
def own_node(peer: Peer) -> str:
    own = node_called(peer.address, peer.cluster)
    if own is None:
        return ""
    return (
        f"{peer.address} is {name_used(own, peer.address)} of the home cluster "
        f"{peer.cluster} itself; enter the publisher of the remote cluster."
    )


@rule(
    "same-address",
    ERROR,
    "A home cluster has one peer per address.",
    CONSOLE,
    field="address",
)
def same_address(peer: Peer) -> str:
    if inventory.known_source().namesake(peer):
        return f"{peer.cluster} has a peer with the address {peer.address} already."
    return ""


@rule(
    "same-cluster",
    ERROR,
    "A home cluster has one peer per remote cluster; a second node of it is none.",
    "alarm InterclusterSyncAgentPeerDuplicate",
    field="address",
)
def same_cluster(peer: Peer) -> str:
    remote = inventory.known_source().owner(peer.address)
    twin = inventory.known_source().beside(peer, remote) if remote else None
    if twin is None:
        return ""
    return f"{peer.cluster} has a peer for {remote} already: {twin.address}."


@rule(
    "home-publisher",
    WARNING,
    "The home cluster has a publisher, and its certificate is confirmed.",
    CONSOLE,
)
def home_publisher(peer: Peer) -> str:
    publisher = known_publisher(peer.cluster)
    if publisher is None:
        return f"{peer.cluster} has no publisher in the console, so nothing reaches it."
    if not publisher.trusted:
        return (
            f"The certificate of {publisher} is not confirmed, so nothing is sent "
            "to it yet."
        )
    return ""


@rule(
    "known-remote",
    WARNING,
    "The peer address is a node of a managed cluster.",
    CONSOLE,
)
def known_remote(peer: Peer) -> str:
    if peer.remote_cluster is not None:
        return ""
    if is_name(peer.address):
        return (
            f"No cluster in the console has a node {peer.address}. If it is a DNS SRV "
            "name, the check resolves it and names the nodes behind it; otherwise the "
            "remote cluster needs its own entry for this one."
        )
    return (
        f"No cluster in the console has a node {peer.address}. The remote cluster "
        "needs its own entry for this one; the console cannot check whether it has it."
    )


@rule(
    "publisher",
    WARNING,
    "A peer points to the publisher, not to a subscriber.",
    f"{GUIDE}; IM and Presence 12.5",
)
def to_publisher(peer: Peer) -> str:
    remote, node = peer.remote_cluster, remote_node(peer)
    publisher = known_publisher(remote) if remote else None
    if node is None or node.is_publisher or publisher is None:
        return ""
    return (
        f"{peer.address} is a subscriber of {remote}; peers belong between publishers: "
        f"{publisher}."
    )


@rule(
    "exact-name",
    WARNING,
    "From 9.x on, the peer address is exactly the name of the remote node; 8.x also "
    "takes its IP address.",
    "IM and Presence 12.5; planning documents of 8.x",
)
def exact_name(peer: Peer) -> str:
    node = remote_node(peer)
    if node is None or not peer.cluster.generation:
        return ""
    profile = peer.cluster.profile
    if profile.peer_is_ip_only or node.name.lower() == peer.address:
        return ""
    if profile.peer_may_be_ip and not is_name(peer.address):
        return ""
    return (
        f"The node at {peer.address} is named {node.name} on {peer.remote_cluster}; "
        "enter exactly that name."
    )


@rule(
    "address-on-7",
    WARNING,
    "On 7.x, the peer address is the IP address of the remote publisher.",
    GUIDE,
)
def address_on_7(peer: Peer) -> str:
    known = peer.cluster.generation
    if not known or not peer.cluster.profile.peer_is_ip_only:
        return ""
    node = remote_node(peer)
    if not is_name(peer.address) or node is None:
        return ""  # an SRV name is allowed, and belongs to no node
    product = peer.cluster.profile.product
    return f"{product} 7.x wants the IP address of {node}, not its name."


@rule(
    "mask-field",
    WARNING,
    "Only releases up to 8.x have a field for the external phone number mask.",
    f"{GUIDE}; IM and Presence 12.5 has no such step",
)
def mask_field(peer: Peer) -> str:
    cluster = peer.cluster
    if not (peer.external_phone_number_mask and cluster.generation):
        return ""
    if cluster.profile.has_mask:
        return ""
    return f"{cluster.profile.product} has no field for a phone number mask."


@rule(
    "same-domain",
    WARNING,
    "Both clusters have the same default presence domain.",
    "IM and Presence 12.5(1)SU1; earlier releases: one mesh per domain",
)
def same_domain(peer: Peer) -> str:
    return different_domains(*sides_of(peer)) if peer.remote_cluster else ""


@rule(
    "same-address-scheme",
    WARNING,
    "Both clusters have the same IM address scheme.",
    "IM and Presence 12.5(1)SU1",
)
def same_address_scheme(peer: Peer) -> str:
    return different_schemes(*sides_of(peer)) if peer.remote_cluster else ""


def sides_of(peer: Peer) -> tuple[Addressing, Addressing]:
    remote = cast(Cluster, peer.remote_cluster)
    return Addressing.of(peer.cluster), Addressing.of(remote)


@rule(
    "versions",
    WARNING,
    "Both versions are published to peer with one another.",
    "compatibility matrices of 12.5, 14 and 15; release notes of 9.x",
)
def check_versions(peer: Peer) -> str:
    remote = peer.remote_cluster
    if remote is None or not (peer.cluster.version and remote.version):
        return ""
    try:
        published = platforms.peering_of(peer.cluster.version, remote.version)
    except ValueError:
        return ""
    both = f"{peer.cluster.version} and {remote.version}"
    match published:
        case Peering.SUPPORTED:
            return ""
        case Peering.UPGRADE:
            return f"{both} may peer only during a staged upgrade."
        case Peering.UNKNOWN:
            return f"Nothing certain is published about peers of {both}."
    return f"The vendor does not support peers of {both}."


@rule(
    "user-sync",
    WARNING,
    "The Sync Agent of both clusters has finished its users before a peer is added.",
    "IM and Presence 12.5",
)
def user_sync(peer: Peer) -> str:
    """By what each cluster's check read last, or where else a person can look."""
    unknown = []
    for cluster in (peer.cluster, peer.remote_cluster):
        if cluster is None:
            continue
        if cluster.users_synced is False:
            return (
                f"The Sync Agent of {cluster} has not finished its users: "
                f"{cluster.user_sync} Add the peer when it has."
            )
        if cluster.users_synced is None:
            unknown.append(cluster.name)
    if not unknown:
        return ""
    return (
        f"Whether the Sync Agent of {' and '.join(unknown)} has finished its users is "
        "not known: see Diagnostics > System Troubleshooter there before the peer is "
        "added."
    )


@rule(
    "both-sides",
    WARNING,
    "The remote cluster has a matching peer.",
    GUIDE,
)
def both_sides(peer: Peer) -> str:
    if peer.remote_cluster is None or inventory.known_source().matching(peer):
        return ""
    return (
        f"{peer.remote_cluster} has no matching peer for {peer.cluster} yet; users are "
        "exchanged only when both entries exist."
    )


@rule(
    "same-protocol",
    WARNING,
    "Both entries use the same preferred protocol; TCP is recommended.",
    GUIDE,
)
def same_protocol(peer: Peer) -> str:
    back = inventory.known_source().matching(peer)
    if back is None or back.protocol == peer.protocol:
        return ""
    return (
        f"The preferred protocols differ: {peer.protocol} on {peer.cluster}, "
        f"{back.protocol} on {peer.remote_cluster}. Both entries must use the same."
    )


@rule(
    "mesh-size",
    WARNING,
    f"A mesh has at most {LARGEST_MESH} clusters.",
    "IM and Presence 12.5",
)
def mesh_size(peer: Peer) -> str:
    # The home cluster, those of its other peers, and the one of this peer.
    clusters = inventory.known_source().count_others(peer) + 2
    if clusters <= LARGEST_MESH:
        return ""
    return (
        f"With this peer, {peer.cluster} belongs to a mesh of {clusters} clusters; "
        f"more than {LARGEST_MESH} are not supported."
    )


def known_publisher(cluster: Cluster) -> Node | None:
    return publisher_among(inventory.known_source().nodes(cluster))


def remote_node(peer: Peer) -> Node | None:
    """The node of the remote cluster that the peer address is."""
    remote = peer.remote_cluster
    return node_called(peer.address, remote) if remote else None


def node_called(host: str, cluster: Cluster) -> Node | None:
    nodes = inventory.known_source().nodes(cluster)
    names = ((name, node) for node in nodes for name in (node.name, node.address))
    found = Ownership(names).candidates(host)
    return min(found, key=lambda node: (not node.is_publisher, node.name), default=None)


def name_used(node: Node, host: str) -> str:
    return "a node" if node.name.casefold() == host.casefold() else f"the node {node}"


def is_name(host: str) -> bool:
    try:
        return parse_host(host).ip is None
    except WireError:
        return True
