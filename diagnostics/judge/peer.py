"""What is true of one peer: the judgements behind its twelve entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from diagnostics.facts import ClusterFacts, Facts, NodeFacts, PeerFacts
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    caused_by,
    failed,
    information,
    unknown,
    warning,
)
from wire import Code, PeerEntry

EXPIRES_SOON = 30
STATUSES, UNTOLD = {"started", "stopped", "starting", "stopping"}, "untold"
# A dead first DNS server delays every look-up, by milliseconds.
SLOW_NAME = 5000.0
# The answer came from AXL itself, so the service is up whatever it said.
ANSWERED = {Code.UNAUTHORIZED, Code.FORBIDDEN, Code.FAULT, Code.THROTTLED}
# Nothing was sent, because the node did not prove who it is.
UNPROVEN = {
    Code.CERTIFICATE_CHANGED,
    Code.CERTIFICATE_INVALID,
    Code.CERTIFICATE_UNKNOWN,
}
NOT_MANAGED = "The remote cluster is not managed by this console."
WAYS_OUT = "Take over the cluster's values, or write the wanted ones again."
ADD_CLUSTER = "Add the remote cluster, so that both sides can be checked."


@dataclass(frozen=True)
class PeerView:
    """A peer with the facts of both its clusters."""

    peer: PeerFacts
    home: ClusterFacts
    remote: ClusterFacts | None
    back: PeerFacts | None
    at: datetime
    equal_at: datetime | None = None

    @classmethod
    def of(cls, facts: Facts, peer: PeerFacts) -> "PeerView":
        remote = facts.clusters.get(peer.remote) if peer.remote else None
        back = facts.peer_of(remote.id, peer.home) if remote else None
        home, equal_at = facts.clusters[peer.home], facts.equal_at.get(peer.id)
        return cls(peer, home, remote, back, facts.at, equal_at)

    @property
    def page(self) -> Fix:
        return Fix("peers:edit_peer", self.peer.id)

    @property
    def target(self) -> NodeFacts | None:
        nodes = self.remote.nodes if self.remote else ()
        return next((node for node in nodes if node.id == self.peer.target), None)

    @property
    def entry(self) -> PeerEntry | None:
        """The row of this peer in the home cluster's own table."""
        return self.home.entries.get(self.peer.address.casefold())

    @property
    def moved(self) -> PeerEntry | None:
        """The row that points to the remote cluster under an address not wanted."""
        if self.entry or self.remote is None:
            return None
        return self.home.entry_for(self.remote)

    @property
    def drift(self) -> Fix:
        """Where the cluster's values are taken over, or ours written again."""
        return Fix("peers:drift", self.peer.id)

    @property
    def entry_back(self) -> PeerEntry | None:
        """The row on the remote cluster that points to the home cluster."""
        if self.remote is None:
            return None
        known = self.back and self.remote.entries.get(self.back.address.casefold())
        return known or self.remote.entry_for(self.home)


def address(view: PeerView) -> Verdict:
    peer = view.peer
    if peer.resolution.failure:
        failure = peer.resolution.failure
        return failed(failure.message, failure.remedy, view.page)
    if not peer.resolution.known:
        return unknown("Whether the address resolves is not known.", peer.resolution)
    target = view.target
    if view.remote and target is None:
        return failed(
            f"{peer.address} leads to none of the known nodes of {view.remote.name}.",
            "Enter the remote publisher's node name or address, or discover the "
            "remote cluster again.",
            view.page,
        )
    if target and not target.publisher:
        return warning(
            f"{peer.address} is {target.name}, which is not the publisher of its "
            "cluster.",
            "Enter the address of the remote publisher.",
            view.page,
        )
    took = peer.resolution.duration_ms or 0
    if took > SLOW_NAME:
        return warning(
            f"The look-up of {peer.address} took {took / 1000:.0f} s.",
            "Check the DNS servers: a dead first server delays every look-up.",
        )
    return PASSED


def connect(view: PeerView) -> Verdict:
    answer = view.peer.connect
    if answer.failure:
        return failed(answer.failure.message, answer.failure.remedy, view.page)
    if not answer.known:
        return caused_by("No connection could be tried.", "the address")
    return PASSED


def certificate(view: PeerView) -> Verdict:
    answer, target = view.peer.certificate, view.target
    page = Fix("peers:certificate", target.id) if target else None
    if view.peer.axl.code in UNPROVEN - {Code.CERTIFICATE_UNKNOWN}:
        failure = view.peer.axl.failure
        return failed(failure.message, failure.remedy, page)  # type: ignore[union-attr]
    if answer.failure and view.peer.connect.known:
        return failed(answer.failure.message, answer.failure.remedy, page)
    if answer.value is None:
        return caused_by("The certificate could not be read.", "no connection")
    days = answer.value.days_left(view.at)
    if days < 0:
        return failed(
            f"The certificate expired {-days} days ago.",
            "Regenerate the node's Tomcat certificate, then confirm the new one.",
            page,
        )
    if target is None:
        return information(
            f"{NOT_MANAGED} Its certificate was read, and there is no confirmed one "
            "to compare it with.",
            ADD_CLUSTER,
            Fix("peers:add_cluster"),
        )
    if view.peer.axl.code == Code.CERTIFICATE_UNKNOWN:
        return information(view.peer.axl.reason, view.peer.axl.remedy, page)
    if days < EXPIRES_SOON:
        return warning(
            f"The certificate expires in {days} days.",
            "Plan its renewal; the new one must be confirmed here.",
            page,
        )
    return PASSED


def axl(view: PeerView) -> Verdict:
    answer = view.peer.axl
    if answer.known or answer.code in ANSWERED:
        return PASSED
    if answer.failure is None:
        return _not_tried(view, "AXL was not asked.")
    if view.peer.connect.failure:
        return caused_by("AXL did not answer.", "no connection")
    if answer.code in UNPROVEN:
        return _unproven("AXL was not asked")
    return failed(answer.failure.message, answer.failure.remedy, view.page)


def credentials(view: PeerView) -> Verdict:
    answer = view.peer.axl
    if answer.known:
        return PASSED
    if answer.failure is None:
        return _not_tried(view, "The user name and password were not sent.")
    if answer.code in UNPROVEN:
        return _unproven("The user name and password were not sent")
    if answer.code in (Code.UNAUTHORIZED, Code.FORBIDDEN, "secret"):
        return failed(answer.failure.message, answer.failure.remedy, view.page)
    return information(
        "Whether the user name and password are accepted is not known. Caused by: "
        f"{answer.failure.message}",
        answer.failure.remedy,
        view.page,
    )


def _not_tried(view: PeerView, what: str) -> Verdict:
    if view.remote is None:
        return information(
            f"{what} {NOT_MANAGED}", ADD_CLUSTER, Fix("peers:add_cluster")
        )
    return caused_by(what, "no connection to a known node")


def _unproven(what: str) -> Verdict:
    return caused_by(
        f"{what}: credentials go only to a confirmed certificate.", "the certificate"
    )


def sync_agent_local(view: PeerView) -> Verdict:
    return sync_agent(view.home)


def sync_agent_remote(view: PeerView) -> Verdict:
    if view.remote is None:
        return _needs_other_side("The Intercluster Sync Agent there is not visible.")
    return sync_agent(view.remote)


def sync_agent(cluster: ClusterFacts) -> Verdict:
    """Judge the Intercluster Sync Agent on every node of a cluster."""
    name = cluster.profile.sync_agent
    if not cluster.nodes:
        return information(f"{cluster.name} has no nodes.", "Discover the cluster.")
    unread = [node for node in cluster.nodes if _status_of(node, name) == UNTOLD]
    down = [
        f"{_status_of(node, name)} on {node.name}"
        for node in cluster.nodes
        if node not in unread and _status_of(node, name) != "started"
    ]
    if down:
        first = next(n for n in cluster.nodes if f"on {n.name}" in down[0])
        return failed(
            f"{name} is {listed(down)}.",
            "Start it on every node of the cluster.",
            Fix("services:show", first.id),
        )
    if unread:
        names = listed([node.name for node in unread])
        if unread[0].services.known:
            return information(f"The status of {name} on {names} is not understood.")
        return unknown(
            f"The services of {names} could not be read.", unread[0].services
        )
    return PASSED


def _status_of(node: NodeFacts, name: str) -> str:
    if not node.services.known:
        return UNTOLD
    service = node.service(name)
    return status_word(service.status) if service else "not installed"


def status_word(status: str) -> str:
    """Give a status in the words that are understood, any other as untold."""
    word = status.strip().casefold()
    return word if word in STATUSES else UNTOLD


def _needs_other_side(what: str) -> Verdict:
    return information(f"{what} {NOT_MANAGED}", ADD_CLUSTER, Fix("peers:add_cluster"))


def reverse_peer(view: PeerView) -> Verdict:
    remote = view.remote
    if remote is None:
        return _needs_other_side("Whether it has an entry back is not visible.")
    if not remote.peers.known:
        return unknown(f"The peers of {remote.name} cannot be read.", remote.peers)
    if view.entry_back is None:
        return failed(
            f"{remote.name} has no peer that points to {view.home.name}.",
            "A peering is two entries: add the peer on the remote cluster too.",
            Fix("peers:add_peer"),
        )
    return PASSED


def protocol_match(view: PeerView) -> Verdict:
    here = view.entry.protocol if view.entry else view.peer.protocol
    if view.remote is None:
        return _needs_other_side("The protocol of the other side is not visible.")
    there = _protocol_back(view)
    if there is None:
        if view.remote.peers.known:
            return caused_by("There is no other side to compare.", "no entry back")
        return unknown("The other side's protocol is not known.", view.remote.peers)
    if not (here and there):
        return information(
            f"{(view.remote if here else view.home).name} tells no protocol that is "
            "understood.",
            "Look at the peer on the cluster's own page.",
        )
    if here.casefold() != there.casefold():
        fix = Fix("peers:edit_peer", view.back.id) if view.back else view.page
        return failed(
            f"{view.home.name} prefers {here}, {view.remote.name} prefers {there}.",
            "Set the same protocol on both sides; TCP is recommended.",
            fix,
        )
    return PASSED


def _protocol_back(view: PeerView) -> str | None:
    if view.entry_back:
        return view.entry_back.protocol
    unread = view.remote is not None and not view.remote.peers.known
    return view.back.protocol if view.back and unread else None


def sip(view: PeerView) -> Verdict:
    answer = view.peer.sip
    if answer.failure:
        return failed(answer.failure.message, answer.failure.remedy, view.page)
    if answer.value is None:
        return caused_by("SIP was not tried.", "the address")
    if answer.value.peer_auth_refused:
        return information(
            "The port is open but wants a client certificate, so SIP was not seen.",
            "Check the SIP TLS port of the node.",
            view.page,
        )
    if not answer.value.up:
        return failed(
            f"SIP over {view.peer.protocol} answers {answer.value.status} "
            f"{answer.value.reason}.",
            "Check the SIP Proxy service on the remote publisher.",
            Fix("services:show", view.target.id) if view.target else view.page,
        )
    return PASSED


def provisioned(view: PeerView) -> Verdict:
    home, peer, entry = view.home, view.peer, view.entry
    if not home.peers.known:
        return unknown(f"The peers of {home.name} cannot be read.", home.peers)
    if view.moved:
        return failed(
            f"{home.name} has this peer under another address: {view.moved.address}, "
            f"wanted {peer.address}.",
            WAYS_OUT,
            view.drift,
        )
    if entry is None:
        return failed(
            f"{home.name} does not have this peer.",
            "Write it again, or delete it here too.",
            view.drift,
        )
    differing = [
        f"{label} is {theirs or 'empty'}, wanted {ours or 'empty'}"
        for label, ours, theirs in (
            ("the user name", peer.username, entry.username),
            ("the protocol", peer.protocol, entry.protocol or entry.protocol_raw),
            ("the mask", peer.mask, entry.external_phone_number_mask or ""),
        )
        if ours != theirs
    ]
    if differing:
        return failed(
            f"On {home.name}: {listed(differing)}.",
            WAYS_OUT,
            view.drift,
        )
    return PASSED


def associated_users(view: PeerView) -> Verdict:
    """Compare the two counts, which come from one collection and one rule of names."""
    home, remote = view.home, view.remote
    if remote is None:
        return _needs_other_side("The number of users there is not visible.")
    for cluster in (home, remote):
        if cluster.counted is None:
            return unknown(f"The users of {cluster.name} are unknown.", cluster.users)
    here, there = home.users_of(remote) or 0, remote.own_users() or 0
    if here == there:
        return PASSED
    size = abs(there - here)
    direction = "are missing" if here < there else "are too many"
    return failed(
        f"{home.name} has {here} users of {remote.name}, which has {there}: {size} "
        f"{direction} on {home.name}.",
        "Look at the entries above; when they are good, restart the Intercluster "
        "Sync Agent on the home publisher and allow it time.",
        view.page,
    )


def listed(texts: Iterable[str]) -> str:
    """Join as a sentence does, ten at most."""
    texts = list(texts)
    shown = texts[:10] + ([f"{len(texts) - 10} more"] if len(texts) > 10 else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)
