"""From the console's rows to what a collection is to ask, read before it begins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.secrets import SecretError
from clusters.connections import cluster_policy, trust_of
from clusters.editions import edition_of
from clusters.models import Cluster, Node
from clusters.page_visits import Account, account_of
from clusters.peer_tables import readable_table_of
from diagnostics.answers import Failure
from diagnostics.facts import Attestation
from diagnostics.user_trail import UserTrail
from peers.models import Peer
from wire import (
    Code,
    Limiter,
    NodeAddress,
    PeerTable,
    Policy,
    Secret,
    ServiceStatus,
    WireError,
)

UNOPENED = Failure(
    "secret",
    "The stored password cannot be opened.",
    "Type the password again, or restore the key file that sealed it.",
)


@dataclass(frozen=True)
class NodeTarget:
    """A node, and why it may not be sent anything, if so."""

    id: str
    name: str
    publisher: bool
    confirmed: str
    address: NodeAddress
    resolved: tuple[str, ...] = ()
    blocked: Failure | None = None
    # What was read a moment ago, else the leave to read it.
    services: tuple[ServiceStatus, ...] | None = None
    limiter: Limiter | None = None


@dataclass(frozen=True)
class ClusterTarget:
    """A cluster to collect facts of; no peer table: its peers cannot be read."""

    id: str
    name: str
    domain: str
    generation: str | None
    direct: bool
    table: PeerTable | None
    nodes: tuple[NodeTarget, ...]
    address_scheme: str = ""
    by_pages: bool = False
    # None: the pages are not read, or cannot be; then it says why.
    pages: Account | None = None
    pages_blocked: Failure | None = None
    edition: str = ""
    # Whether a person entered or confirmed the mapping of the peer table.
    table_confirmed: bool = True

    @property
    def publisher(self) -> NodeTarget | None:
        return next((node for node in self.nodes if node.publisher), None)


@dataclass(frozen=True)
class PeerTarget:
    """A peer to try: its own user and password, at nodes of the remote cluster."""

    id: str
    home: str
    remote: str | None
    address: str
    username: str
    password: Secret | None
    protocol: str
    mask: str
    candidates: tuple[NodeTarget, ...]
    policy: Policy
    added_at: datetime | None = None
    trail: UserTrail = UserTrail()
    attested: Attestation | None = None
    revision: int = 0
    assumed: tuple[str, ...] = ()


def clusters_of(clusters: Iterable[Cluster]) -> list[ClusterTarget]:
    """Describe clusters, whose nodes are prefetched."""
    return [_cluster(cluster) for cluster in clusters]


def _cluster(cluster: Cluster) -> ClusterTarget:
    pages, blocked = _pages(cluster) if cluster.by_pages else (None, None)
    return ClusterTarget(
        id=str(cluster.pk),
        name=cluster.name,
        domain=cluster.domain,
        address_scheme=cluster.address_scheme,
        generation=cluster.generation,
        direct=cluster.direct,
        table=_table(cluster),
        nodes=_nodes(cluster),
        by_pages=cluster.by_pages,
        pages=pages,
        pages_blocked=blocked,
        edition=edition_of(cluster),
        table_confirmed=bool(cluster.peer_table),
    )


def _pages(cluster: Cluster) -> tuple[Account | None, Failure | None]:
    try:
        return account_of(cluster), None
    except WireError as error:
        return None, Failure.of(error)


def _table(cluster: Cluster) -> PeerTable | None:
    try:
        return readable_table_of(cluster)
    except (ValueError, KeyError, TypeError):
        return None


def _nodes(cluster: Cluster) -> tuple[NodeTarget, ...]:
    password = _password(cluster, "axl_password")
    nodes = []
    for node in cluster.nodes.all():
        node.cluster = cluster  # spares a query for each node
        nodes.append(_node(node, password))
    return tuple(nodes)


def _password(holder: Cluster | Peer, field: str) -> Secret | None:
    try:
        return holder.unseal(field)
    except SecretError:
        return None


def _node(node: Node, password: Secret | None) -> NodeTarget:
    blocked = UNOPENED if password is None else None
    if node.certificate_state == Node.CertificateState.CHANGED:
        blocked = Failure.of(WireError(Code.CERTIFICATE_CHANGED, node=node.name))
    return NodeTarget(
        id=str(node.pk),
        name=node.name,
        publisher=node.is_publisher,
        confirmed=node.certificate_fingerprint,
        resolved=tuple(node.resolved.split()),
        address=NodeAddress(
            name=node.name,
            address=node.address,
            axl_port=node.axl_port,
            sip_port=node.sip_port,
            sip_tls_port=node.sip_tls_port,
            sip_peer_tls_port=node.sip_peer_tls_port,
            username=node.cluster.axl_username,
            password=password or Secret(""),
            trust=trust_of(node),
            policy=cluster_policy(),
            generation=node.cluster.generation,
            axl_version=node.axl_version or None,
            control_center=node.control_center or None,
        ),
        blocked=blocked,
    )


def peers_of(
    peers: Iterable[Peer], clusters: Iterable[ClusterTarget]
) -> list[PeerTarget]:
    """Describe peers, whose clusters are among those given."""
    nodes = {cluster.id: cluster.nodes for cluster in clusters}
    where = cluster_policy()
    return [
        PeerTarget(
            id=str(peer.pk),
            home=str(peer.cluster_id),
            remote=str(peer.remote_cluster_id) if peer.remote_cluster_id else None,
            address=peer.address,
            username=peer.username,
            password=_password(peer, "password"),
            protocol=peer.protocol,
            mask=peer.external_phone_number_mask,
            candidates=nodes.get(str(peer.remote_cluster_id), ()),
            policy=where,
            added_at=peer.created_at,
            trail=UserTrail.from_dict(peer.user_trail),
            attested=attestation_of(peer),
            revision=peer.revision,
            assumed=tuple(peer.assumed),
        )
        for peer in peers
    ]


def attestation_of(peer: Peer) -> Attestation | None:
    """Give the word of a person that still is about the peer as it is."""
    word = peer.valid_attestation
    if not word:
        return None
    return Attestation(word["by"], datetime.fromisoformat(word["at"]), word["note"])
