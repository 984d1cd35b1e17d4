"""The Inter-Clustering section: how each peering is configured."""

from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError

from diagnostics.judge import peer as entries
from diagnostics.judge.evidence import (
    both_counts,
    both_entries,
    both_versions,
    entries_there,
    entry_here,
    names_there,
)
from diagnostics.judge.peer import PeerView, listed
from diagnostics.judge.tests import Scope, Section, test
from diagnostics.judge.verdict import (
    PASSED,
    Outcome,
    Verdict,
    failed,
    information,
    unknown,
    warning,
)
from peers.mask import validate_mask
from wire import platforms

# The product's own threshold for a periodic sync that is stuck.
STUCK = timedelta(hours=2)

_peer = partial(test, Section.INTER_CLUSTERING, Scope.PEER)


@_peer(
    "duplicate_peer",
    "Verify that no cluster is peered twice.",
    asks="the console's peers and the node inventory",
    failed="Two peers lead to the same cluster.",
    information="The cluster's peers cannot be read.",
    remedy="Delete the one that is not the publisher's.",
    source="S33",
    evidence=entries_there,
)
def duplicate_peer(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    if not view.home.peers.known:
        what = f"The peers of {view.home.name} cannot be read."
        return unknown(what, view.home.peers)
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
    evidence=names_there,
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
    evidence=both_counts,
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
    if since < timedelta():
        return information("The two counts were last equal at a time yet to come.")
    if since > STUCK:
        return failed(
            f"Users were last carried completely {since.total_seconds() / 3600:.0f} "
            "hours ago.",
            "Restart the Intercluster Sync Agent on the home publisher.",
            view.page,
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
    evidence=both_versions,
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


@_peer(
    "protocol_recommended",
    "Verify that each peer prefers the recommended protocol.",
    asks="the home cluster's own peer table, else the console's peer",
    information="It prefers another one than TCP, or its protocol is not known.",
    remedy="Prefer TCP on both sides, unless there is a reason not to.",
    source="S0, S1",
    evidence=entry_here,
)
def protocol_recommended(view: PeerView) -> Verdict | None:
    protocol = preferred(view)
    if protocol.casefold() == "tcp":
        return PASSED
    return information(
        f"{view.home.name} prefers {protocol or 'an unknown protocol'} here; TCP is "
        "recommended for all clusters.",
        "Set TCP on both sides, unless there is a reason not to.",
        view.page,
    )


def preferred(view: PeerView) -> str:
    return view.entry.protocol if view.entry else view.peer.protocol


@_peer(
    "certificates_exchanged",
    "Verify that each TLS-enabled inter-cluster peer has successfully exchanged "
    "security certificates.",
    asks="nobody: no public interface tells which certificates a cluster trusts",
    information="A peer prefers TLS; only the cluster's own page can tell.",
    remedy="Look at Certificate Status there; then Force Manual Sync.",
    source="S1, S4",
    evidence=both_entries,
)
def certificates_exchanged(view: PeerView) -> Verdict | None:
    back = view.entry_back.protocol if view.entry_back else ""
    if "tls" not in {preferred(view).casefold(), back.casefold()}:
        return None
    return information(
        "Which certificates a cluster trusts cannot be read from outside.",
        "Look at Certificate Status on the cluster's own peer page. Where a "
        "certificate is marked with an X: Force Manual Sync with the Tomcat "
        "certificates, then restart the Intercluster Sync Agent.",
        view.page,
    )


@_peer(
    "mask",
    "Verify that the External Phone Number Mask of each peer can be applied.",
    asks="the home cluster's own peer table, else the console's peer",
    warning="It is malformed, or gives every user the same number.",
    information="The release has no such mask.",
    remedy="Digits first, then an X for each digit of the extension.",
    source="S0, S42",
    evidence=entry_here,
)
def mask(view: PeerView) -> Verdict | None:
    entry = view.entry
    text = (entry.external_phone_number_mask if entry else view.peer.mask) or ""
    if not text:
        return None
    if not view.home.profile.has_mask:
        return information(
            f"The release of {view.home.name} has no mask; {text} has no effect."
        )
    if problem := wrong_mask(text):
        return warning(f"{text}: {problem}", "Correct the mask.", view.page)
    return PASSED


def wrong_mask(text: str) -> str:
    try:
        validate_mask(text)
    except ValidationError as error:
        return str(error.message)
    return "" if "X" in text else "without an X every user gets the same number."
