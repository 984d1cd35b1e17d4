"""The Inter-Clustering section: both sides of every peering."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from diagnostics.facts import ClusterFacts, Facts, PeerFacts
from diagnostics.judge import peer as entries
from diagnostics.judge.peer import PeerView, listed
from diagnostics.judge.tests import ClusterView, Scope, Section, test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Outcome,
    Verdict,
    failed,
    information,
    unknown,
    warning,
)
from wire import platforms

# The product's own threshold for a periodic sync that is stuck.
STUCK = timedelta(hours=2)

_peer = partial(test, Section.INTER_CLUSTERING, Scope.PEER)
_cluster = partial(test, Section.INTER_CLUSTERING, Scope.CLUSTER)
_mesh = partial(test, Section.INTER_CLUSTERING, Scope.MESH)


@_cluster(
    "peers_exist",
    "Verify if there are any inter-cluster peer entries.",
    asks="the console's peers and the cluster's own peer table",
    information="There are none, so nothing is carried to other clusters.",
    remedy="Add a peer, or leave it so if the cluster stands alone.",
    source="S6",
)
def peers_exist(view: ClusterView) -> Verdict | None:
    held = any(peer.home == view.cluster.id for peer in held_peers(view.facts))
    if held or view.cluster.peers.value:
        return PASSED
    return information(
        "There are no inter-cluster peer entries currently provisioned.",
        "Add a peer, or leave it so if the cluster stands alone.",
        Fix("peers:add_peer"),
    )


def held_peers(facts: Facts) -> Iterator[PeerFacts]:
    """Give every peer of the console once, tried or only held."""
    yield from facts.peers.values()
    for held in facts.held.values():
        if held.id not in facts.peers:
            yield held


_peer(
    "address",
    "Verify that the address of each peer resolves and leads to the remote publisher.",
    asks="DNS, A, AAAA and SRV, from the console",
    failed="The name does not resolve, or leads to no known node of the cluster.",
    warning="It leads to a node that is not the publisher.",
    remedy="Correct the address, or the DNS record.",
    source="S0, S2",
)(entries.address)

_peer(
    "connect",
    "Verify the reachability of each peer.",
    asks="a TCP connection to the AXL port of the peer address",
    failed="Nothing answers there; the problem says in which way.",
    remedy="Check that the node is up, then the network path.",
    source="S2",
)(entries.connect)

_peer(
    "certificate",
    "Verify that each peer presents the confirmed certificate.",
    asks="a TLS handshake with the peer address",
    failed="It is another one, or it has expired.",
    warning="It expires within 30 days.",
    information="None is confirmed to compare it with.",
    remedy="Compare the fingerprint with the node and confirm it.",
    source="S1, S4",
)(entries.certificate)

_peer(
    "axl",
    "Verify that the AXL service of each peer answers.",
    asks="the count of publisher nodes, as the Intercluster Sync Agent does",
    failed="Something else than AXL answers, or AXL is off.",
    information="It could not be asked; the problem says why.",
    remedy="Activate the Cisco AXL Web Service on the remote publisher.",
    source="S2",
)(entries.axl)

_peer(
    "credentials",
    "Verify that each peer accepts the user name and password, and the user's role.",
    asks="the same question, with the peer's own user name and password",
    failed="401: they are wrong. 403: the user has lost its role.",
    information="They were not sent, for the node did not prove who it is.",
    remedy="Correct them, or give the user the role Standard AXL API Access.",
    source="S2, S21",
)(entries.credentials)


@_cluster(
    "sync_agent",
    "Verify that the Cisco Intercluster Sync Agent service is running.",
    asks="the Control Center of every node",
    failed="It is not started on a node.",
    information="A node does not tell; unreachable is not stopped.",
    remedy="Start it on every node.",
    source="S0, S1",
)
def sync_agent(view: ClusterView) -> Verdict | None:
    return entries.sync_agent(view.cluster)


_peer(
    "reverse_peer",
    "Verify that each peer has an entry back on the remote cluster.",
    asks="the remote cluster's own peer table",
    failed="The peering is one-sided.",
    information="The remote cluster's peers cannot be read.",
    remedy="Add the peer on the remote cluster too.",
    source="S10",
)(entries.reverse_peer)

_peer(
    "protocol_match",
    "Verify that both sides of each peering prefer the same protocol.",
    asks="both clusters' peer tables, else the console's peers",
    failed="They differ.",
    information="The other side is not known.",
    remedy="Set the same on both sides; TCP is recommended.",
    source="S0",
)(entries.protocol_match)

_peer(
    "sip",
    "Verify that the SIP proxy of each peer answers over the preferred protocol.",
    asks="SIP OPTIONS to the peer address",
    failed="No answer, or 408 or 503.",
    information="The port wants a client certificate, so SIP itself was not seen.",
    remedy="Check the SIP Proxy service of the remote publisher, and firewalls.",
    source="S15",
)(entries.sip)

_peer(
    "provisioned",
    "Verify that each peer is on its cluster as it is wanted.",
    asks="the home cluster's own peer table",
    failed="It is missing there, or was changed there.",
    information="The home cluster's peers cannot be read.",
    remedy="Save the peer again.",
    source="S1",
)(entries.provisioned)

_peer(
    "associated_users",
    "Verify that the associated users of each peer equal the users of its cluster.",
    asks="users per node, on both clusters, in one collection",
    failed="They differ; the problem says by how many and in which direction.",
    information="One of the two numbers is not known.",
    remedy="Mend what else is wrong, then restart the Intercluster Sync Agent.",
    source="S0, S1",
)(entries.associated_users)


@_peer(
    "duplicate_peer",
    "Verify that no cluster is peered twice.",
    asks="the console's peers and the node inventory",
    failed="Two peers lead to the same cluster.",
    remedy="Delete the one that is not the publisher's.",
    source="S33",
)
def duplicate_peer(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    own = view.peer.address.casefold()
    others = [
        entry.address
        for entry in view.home.peers.value or ()
        if view.remote.owns(entry.address) and entry.address.casefold() != own
    ]
    if others:
        return failed(
            f"{view.home.name} also has a peer for {listed(others)}, which is "
            f"{view.remote.name} too.",
            "Keep the peer of the publisher and delete the other.",
            view.page,
        )
    return PASSED


@_peer(
    "address_is_name",
    "Verify that the address of each peer is the node name of the remote publisher.",
    asks="the node names in the remote cluster's processnode table",
    warning="It leads there, but is not the name that defines the node.",
    information="The node names of the remote cluster are not known.",
    remedy="Enter the name exactly as in the remote cluster's topology.",
    source="S1; before 9.x an IP address is right (S0)",
)
def address_is_name(view: PeerView) -> Verdict | None:
    remote = view.remote
    if remote is None or remote.profile.peer_is_ip_only or remote.generation == "cup8":
        return None
    resolution = view.peer.resolution.value
    if resolution and resolution.is_srv:
        return None
    if remote.process_nodes.value is None:
        return unknown("The names of its nodes are not known.", remote.process_nodes)
    names = [node.name for node in remote.process_nodes.value]
    if view.peer.address.casefold() in {name.casefold() for name in names}:
        return PASSED
    return warning(
        f"{view.peer.address} is not a node name of {remote.name}: {listed(names)}.",
        "Enter the publisher's name exactly as its own topology names it.",
        view.page,
    )


@_peer(
    "stale_sync",
    "Verify that the users of each peer were carried completely within two hours.",
    asks="the history of checks: when the two counts were last equal",
    failed="They have not been equal for two hours.",
    information="They never were, or are not known.",
    remedy="Restart the Intercluster Sync Agent on the home publisher.",
    source="S1, S7",
)
def stale_sync(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    verdict = entries.associated_users(view)
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    if view.equal_at is None:
        return information("The two counts were never seen equal.")
    since = view.at - view.equal_at
    if since > STUCK:
        return failed(
            f"Users were last carried completely {since.total_seconds() / 3600:.0f} "
            "hours ago.",
            "Restart the Intercluster Sync Agent on the home publisher.",
            view.page,
        )
    return PASSED


@_cluster(
    "mesh_complete",
    "Verify that there is a peer for every other cluster of the domain.",
    asks="the console's peers, and the cluster's own peer table",
    failed="Clusters are missing.",
    remedy="Complete the mesh.",
    source="S17",
)
def mesh_complete(view: ClusterView) -> Verdict | None:
    here = view.cluster
    others = [c for c in view.facts.everybody if same_domain(here, c)]
    if not others:
        return None
    missing = [c.name for c in others if not has_peer(view.facts, here, c)]
    if len(missing) == len(others):
        return information(f"{here.name} has no peers at all; it may stand alone.")
    if missing:
        return failed(
            f"{here.name} has no peer for {listed(missing)}.",
            "Add the missing peers: each cluster of a domain needs one for every "
            "other.",
            Fix("peers:add_peer"),
        )
    return PASSED


def same_domain(here: ClusterFacts, other: ClusterFacts) -> bool:
    return here.id != other.id and here.domain.casefold() == other.domain.casefold()


def has_peer(facts: Facts, here: ClusterFacts, other: ClusterFacts) -> bool:
    return (here.id, other.id) in facts.held or here.entry_for(other) is not None


@_cluster(
    "unknown_entries",
    "Verify that the console knows every peer entry of the cluster.",
    asks="the cluster's own peer table",
    warning="The cluster has entries that the console does not hold.",
    information="The cluster's peers cannot be read.",
    remedy="Add them to the console, or delete them on the cluster.",
    source="S10",
)
def unknown_entries(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if here.peers.value is None:
        return unknown(f"The peers of {here.name} cannot be read.", here.peers)
    held = {p.address.casefold() for p in held_peers(view.facts) if p.home == here.id}
    strange = [e.address for e in here.peers.value if e.address.casefold() not in held]
    if strange:
        return warning(
            f"{here.name} also has {listed(strange)}.",
            "Add the peer to the console, so that it is watched, or delete it there.",
            Fix("peers:add_peer"),
        )
    return PASSED


@_cluster(
    "left_users",
    "Verify that no users of clusters that are not peers were left behind.",
    asks="users per node on the cluster",
    warning="There are users of nodes that belong to no peer.",
    information="The users of the cluster are not known.",
    remedy="Restart the Intercluster Sync Agent; it removes what it left.",
    source="S33",
)
def left_users(view: ClusterView) -> Verdict | None:
    here, facts = view.cluster, view.facts
    if here.users.value is None:
        return unknown(f"The users of {here.name} are not known.", here.users)
    peers = [
        other
        for other in facts.everybody
        if other.id != here.id and has_peer(facts, here, other)
    ]
    unmanaged = [
        e
        for e in here.peers.value or ()
        if not any(c.owns(e.address) for c in facts.everybody)
    ]
    if unmanaged:
        return information(
            f"{here.name} has peers that the console does not manage, so it cannot "
            "tell their users from those left behind."
        )
    left = [
        f"{count} of {name}"
        for name, count in sorted(here.users.value.items())
        if count and not here.owns(name) and not any(c.owns(name) for c in peers)
    ]
    if left:
        return warning(
            f"{here.name} still has users of nodes that belong to no peer: "
            f"{listed(left)}.",
            "Restart the Intercluster Sync Agent on the publisher.",
            Fix("peers:show_cluster", here.id),
        )
    return PASSED


@_peer(
    "versions",
    "Verify that the releases of each peering may peer.",
    asks="the versions of both clusters",
    warning="The published rules exclude it.",
    information="Nothing is published about these two.",
    remedy="Upgrade the older cluster.",
    source="S19, S20",
)
def versions(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    for cluster in (view.home, view.remote):
        if not cluster.version.value:
            what = f"The version of {cluster.name} is not known."
            return unknown(what, cluster.version)
    one, other = view.home.version.value or "", view.remote.version.value or ""
    try:
        may = platforms.may_peer(one, other)
    except ValueError:
        return information(f"{one} or {other} is not a version that is understood.")
    if may is None:
        return information(
            f"Nothing is published about {one} with {other}.",
            "Look at the compatibility matrix of the newer release.",
        )
    if not may:
        return warning(
            f"The vendor does not support {one} on {view.home.name} as a peer of "
            f"{other} on {view.remote.name}.",
            "Upgrade the older cluster.",
        )
    return PASSED


@_mesh(
    "mesh_size",
    "Verify that the mesh has no more clusters than its releases support.",
    asks="the number of clusters",
    warning="There are more.",
    remedy="Divide the mesh by domains.",
    source="S1",
)
def mesh_size(facts: Facts) -> Verdict | None:
    most = [c.profile.max_clusters for c in facts.everybody if c.generation]
    limits = [limit for limit in most if limit]
    if not limits:
        return None
    count = len(facts.everybody)
    if count > min(limits):
        return warning(
            f"There are {count} clusters; {min(limits)} are supported.",
            "Divide the mesh by domains.",
        )
    return PASSED
