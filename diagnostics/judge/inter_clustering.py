"""The Inter-Clustering section: what each peering needs, on both clusters."""

from functools import partial

from diagnostics.judge import entry as both_ends
from diagnostics.judge import peer as entries
from diagnostics.judge.evidence import (
    both_counts,
    both_entries,
    entry_back,
    entry_or_users,
    own_table,
    sync_agents,
)
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import ClusterView, Level, Section, register_test
from diagnostics.judge.verdict import PASSED, Fix, Verdict, information

_peer = partial(register_test, Section.INTER_CLUSTERING, Level.PEER)
_cluster = partial(register_test, Section.INTER_CLUSTERING, Level.CLUSTER)


@_cluster(
    "peers_exist",
    "Verify if there are any inter-cluster peer entries.",
    asks="the console's peers and the cluster's own peer table",
    information="There are none, so nothing is carried to other clusters.",
    remedy="Add a peer, unless the cluster is meant to have none.",
    sources=[Source.TROUBLESHOOTER],
    evidence=own_table,
)
def peers_exist(view: ClusterView) -> Verdict | None:
    held = any(peer.home == view.cluster.id for peer in view.facts.every_peer)
    if held or view.cluster.peers.value:
        return PASSED
    return information(
        "There are no inter-cluster peer entries currently provisioned.",
        "Add a peer, unless the cluster is meant to have none.",
        Fix("mesh:set_up", query=f"one={view.cluster.id}"),
    )


_peer(
    "address",
    "Verify that the address of each peer resolves and leads to the remote publisher.",
    asks="DNS, A, AAAA and SRV, from the console",
    failed="The name does not resolve, or leads to no known node of the cluster.",
    warning="It leads to a node that is not the publisher, or the look-up took more "
    "than 5 seconds.",
    remedy="Correct the address, or the DNS record.",
    sources=[Source.GUIDE_7, Source.NOTE_DNS],
    evidence=lambda view: {"DNS": view.peer.resolution},
)(entries.judge_address)

_peer(
    "connect",
    "Verify the reachability of each peer.",
    asks="a TCP connection to the AXL port of the peer address",
    failed="Nothing answers there; the problem says in which way.",
    remedy="Check that the node is up, then the network path.",
    sources=[Source.NOTE_DNS],
    evidence=lambda view: {"TCP connection": view.peer.connect},
)(entries.judge_connect)

_peer(
    "certificate",
    "Verify that each peer presents the confirmed certificate.",
    asks="a TLS handshake with the peer address",
    failed="It is another one, or it has expired.",
    warning="It expires within 30 days.",
    information="None is confirmed to compare it with.",
    remedy="Compare the fingerprint with the node and confirm it.",
    sources=[Source.GUIDE_12, Source.CERTIFICATES],
    evidence=lambda view: {
        "TLS handshake": view.peer.certificate,
        "AXL": view.peer.axl,
    },
)(entries.judge_certificate)

_peer(
    "axl",
    "Verify that the AXL service of each peer answers.",
    asks="the count of publisher nodes, as the Intercluster Sync Agent does",
    failed="Something else than AXL answers, or AXL is off.",
    information="It could not be asked; the problem says why.",
    remedy="Activate the Cisco AXL Web Service on the remote publisher.",
    sources=[Source.NOTE_DNS],
    evidence=lambda view: {"AXL, count of publisher nodes": view.peer.axl},
)(entries.judge_axl)

_peer(
    "credentials",
    "Verify that each peer accepts the user name and password, and the user's role.",
    asks="the same question, with the peer's own user name and password",
    failed="401: they are wrong. 403: the user has lost its role.",
    information="They were not sent, for the node did not prove who it is.",
    remedy="Correct them, or give the user the role Standard AXL API Access.",
    sources=[Source.NOTE_DNS, Source.UPGRADE],
    evidence=lambda view: {"AXL, count of publisher nodes": view.peer.axl},
)(entries.judge_credentials)


@_cluster(
    "sync_agent",
    "Verify that the Cisco Intercluster Sync Agent service is running.",
    asks="the Control Center of every node",
    failed="It is not started on a node.",
    information="A node does not report it; unreachable is not stopped.",
    remedy="Start it on every node.",
    sources=[Source.GUIDE_7, Source.GUIDE_12],
    evidence=sync_agents,
)
def sync_agent(view: ClusterView) -> Verdict | None:
    return entries.sync_agent(view.cluster)


_peer(
    "reverse_peer",
    "Verify that each peer has a matching entry on the remote cluster.",
    asks="the remote cluster's own peer table, otherwise the users that it brings",
    failed="The peering is one-sided.",
    information="The remote cluster's peers cannot be read, and users prove nothing.",
    remedy="Add the peer on the remote cluster too.",
    sources=[Source.GUIDE_9],
    evidence=entry_back,
)(both_ends.reverse_peer)

_peer(
    "protocol_match",
    "Verify that both entries of each peering prefer the same protocol.",
    asks="both clusters' peer tables, otherwise what administrators attested",
    failed="They differ.",
    information="The matching entry is not known.",
    remedy="Set the same on both clusters; TCP is recommended.",
    sources=[Source.GUIDE_7],
    evidence=both_entries,
)(both_ends.protocol_match)

_peer(
    "sip",
    "Verify that the SIP proxy of each peer answers over the preferred protocol.",
    asks="SIP OPTIONS to the peer address",
    failed="No answer, or 408 or 503.",
    information="The port wants a client certificate, so SIP itself was not seen.",
    remedy="Check the SIP Proxy service of the remote publisher, and firewalls.",
    sources=[Source.PORTS],
    evidence=lambda view: {f"SIP OPTIONS, {view.peer.protocol}": view.peer.sip},
)(entries.judge_sip)

_peer(
    "provisioned",
    "Verify that each entry on the cluster matches the console.",
    asks="the home cluster's own peer table, otherwise the users that it brings",
    failed="It is missing there, or was changed there.",
    information="The home cluster's peers cannot be read, and users prove nothing.",
    remedy="Take over the cluster's values, or restore the console's values.",
    sources=[Source.GUIDE_12],
    evidence=entry_or_users,
)(both_ends.judge_provisioned)

_peer(
    "associated_users",
    "Verify that the associated users of each peer equal the users of its cluster.",
    asks="users per node, on both clusters, in one collection",
    failed="They differ; the problem says by how many and in which direction.",
    information="One of the two numbers is not known.",
    remedy="Fix what else is wrong, then restart the Intercluster Sync Agent.",
    sources=[Source.GUIDE_7, Source.GUIDE_12],
    evidence=both_counts,
)(entries.associated_users)
