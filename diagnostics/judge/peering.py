"""The Inter-Clustering section: how each peering is configured."""

from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError

from diagnostics.facts import is_address
from diagnostics.judge import peer as entries
from diagnostics.judge.entry import STUCK
from diagnostics.judge.evidence import (
    both_counts,
    both_versions,
    home_entry,
    remote_entries,
    remote_names,
    trust_and_entries,
)
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import Level, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Outcome,
    Verdict,
    failed,
    information,
    listed_texts,
    unknown,
    warning,
)
from peers.mask import validate_mask
from wire import plain_host, platforms
from wire.platforms import Peering

_peer = partial(register_test, Section.INTER_CLUSTERING, Level.PEER)
FORCE_SYNC = (
    "Force Manual Sync with the Tomcat certificates on the home cluster, then restart "
    "the Intercluster Sync Agent."
)


@_peer(
    "duplicate_peer",
    "Verify that no cluster is peered twice.",
    asks="the console's peers and the node inventory",
    failed="Two peers lead to the same cluster.",
    information="The cluster's peers cannot be read.",
    remedy="Delete the one that is not the publisher's.",
    sources=[Source.MONITORING_9],
    evidence=remote_entries,
)
def duplicate_peer(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    if not view.home.peers.known:
        what = f"The peers of {view.home.name} cannot be read."
        return unknown(what, view.home.peers)
    own = plain_host(view.peer.address)
    alike = [one.address for one in view.entries if plain_host(one.address) == own]
    others = [one.address for one in view.entries if one.address not in alike]
    others += alike[1:]
    if others:
        return failed(
            f"{view.home.name} also has a peer for {listed_texts(others)}, which is "
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
    sources=[Source.GUIDE_12, Source.GUIDE_7, Source.ARCHITECTURE],
    evidence=remote_names,
)
def address_is_name(view: PeerView) -> Verdict | None:
    remote = view.remote
    if remote is None or remote.profile.peer_may_be_ip:
        return None
    if view.home.profile.peer_may_be_ip and is_address(view.peer.address):
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
        f"{view.peer.address} is not a node name of {remote.name}: "
        f"{listed_texts(names)}.",
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
    sources=[Source.GUIDE_12, Source.FEATURES_12],
    evidence=both_counts,
)
def stale_sync(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    verdict = entries.associated_users(view)
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    equal_at = view.peer.trail.equal_at
    if equal_at is None:
        return information("The two counts were never seen equal.")
    since = view.at - equal_at
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
    "Verify that the releases of each peering are compatible.",
    asks="the versions of both clusters",
    warning="The published rules exclude it.",
    information="Nothing is published about these two, or they may peer only during a "
    "staged upgrade.",
    remedy="Upgrade the older cluster.",
    sources=[Source.COMPATIBILITY, Source.INSTALLING_9],
    evidence=both_versions,
)
def judge_versions(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    for cluster in (view.home, view.remote):
        if not cluster.version.value:
            what = f"The version of {cluster.name} is not known."
            return unknown(what, cluster.version)
    one, other = view.home.version.value or "", view.remote.version.value or ""
    try:
        published = platforms.peering_of(one, other)
    except ValueError:
        return information(f"{one} or {other} is not a version that is understood.")
    both = f"{one} on {view.home.name} and {other} on {view.remote.name}"
    match published:
        case Peering.SUPPORTED:
            return PASSED
        case Peering.UPGRADE:
            return information(
                f"{both} may peer only during a staged upgrade.",
                "Finish the upgrade of the older cluster.",
            )
        case Peering.UNKNOWN:
            return information(
                f"Nothing is published about {one} with {other}.",
                "Look at the compatibility matrix of the newer release.",
            )
    return warning(
        f"The vendor does not support {both} as peers.", "Upgrade the older cluster."
    )


@_peer(
    "protocol_recommended",
    "Verify that each peer prefers the recommended protocol.",
    asks="the home cluster's own peer table, otherwise the console's peer",
    information="It prefers another one than TCP, or its protocol is not known.",
    remedy="Prefer TCP on both clusters, unless there is a reason not to.",
    sources=[Source.GUIDE_7, Source.GUIDE_12],
    evidence=home_entry,
)
def protocol_recommended(view: PeerView) -> Verdict | None:
    protocol = preferred_protocol(view)
    if protocol.casefold() == "tcp":
        return PASSED
    return information(
        f"{view.home.name} prefers {protocol or 'an unknown protocol'} here; TCP is "
        "recommended for all clusters.",
        "Set TCP on both clusters, unless there is a reason not to.",
        view.page,
    )


def preferred_protocol(view: PeerView) -> str:
    return view.entry.protocol if view.entry else view.peer.protocol


@_peer(
    "certificates_exchanged",
    "Verify that each TLS-enabled inter-cluster peer has successfully exchanged "
    "security certificates.",
    asks="the trust lists of the home cluster's nodes, as they were read last through "
    "the certificate interface (14 and later)",
    failed="A node of the home cluster does not trust a certificate of the remote one, "
    "trusts an old one, or one has expired.",
    warning="One expires within 30 days.",
    information="The trust lists are not known and the peer prefers TLS.",
    remedy="Force Manual Sync with the Tomcat certificates, then restart the "
    "Intercluster Sync Agent.",
    sources=[Source.GUIDE_12, Source.CERTIFICATES],
    evidence=trust_and_entries,
)
def certificates_exchanged(view: PeerView) -> Verdict | None:
    known = view.exchanged
    if known and known.outcome == "passed":
        return PASSED
    if known and known.outcome == "failed":
        return failed(known.problem, FORCE_SYNC, Fix("exchange:pair", view.peer.id))
    if known and known.outcome == "warning":
        return warning(
            f"A certificate of the remote cluster expires in {known.days} days.",
            "Renew it, then Force Manual Sync with the Tomcat certificates.",
            Fix("exchange:pair", view.peer.id),
        )
    back = view.entry_back.protocol if view.entry_back else ""
    if "tls" not in {preferred_protocol(view).casefold(), back.casefold()}:
        return None
    why = known.problem if known else ""
    return information(
        f"It is not known which certificates {view.home.name} trusts. {why}".strip(),
        "Look at Certificate Status on the cluster's own peer page. Where a "
        "certificate is marked with an X: Force Manual Sync with the Tomcat "
        "certificates, then restart the Intercluster Sync Agent.",
        view.page,
    )


@_peer(
    "mask",
    "Verify that the External Phone Number Mask of each peer can be applied.",
    asks="the home cluster's own peer table, otherwise the console's peer",
    warning="It is malformed, or gives every user the same number.",
    information="The release has no such mask.",
    remedy="Digits first, then an X for each digit of the extension.",
    sources=[Source.GUIDE_7, Source.MASKS],
    evidence=home_entry,
)
def judge_mask(view: PeerView) -> Verdict | None:
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
