"""Whether the entries of a peering stand on their clusters, and by what that is known.

No public interface names the peer table, so most clusters do not show their entries.
What tells as well: users of the other cluster, whom nothing but a working entry brings,
and a person who has seen the entry.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clusters.ownership import Ownership
from diagnostics.facts import Attestation, ClusterFacts, PeerFacts
from diagnostics.judge.peer import needs_remote_cluster, sync_agent
from diagnostics.judge.peer_view import PeerView, set_up
from diagnostics.judge.verdict import (
    FIX_FIRST,
    PASSED,
    Fix,
    KnownBy,
    Outcome,
    Verdict,
    failed,
    information,
    listed_texts,
    not_known,
    unknown,
    warning,
)
from diagnostics.user_trail import UserTrail
from wire import Code, PeerEntry
from wire.peer_table import PROTOCOLS

# The product's own threshold for a periodic sync that is stuck.
STUCK = timedelta(hours=2)
# For so long a change that arrived proves the entry, whatever the agent's status.
PROVEN_FOR = timedelta(days=1)
WAYS_OUT = "Take over the cluster's values, or restore the console's."
RESTORE = "Restore the entry, or delete the peer from the console."


@dataclass(frozen=True)
class EntryDirection:
    """An entry on one cluster for another, and what is known of it besides the table.

    Args:
        peer: the console's own peer of this direction, if it has one.
    """

    home: ClusterFacts
    remote: ClusterFacts
    peer: PeerFacts | None
    at: datetime
    owners: Ownership[str]

    @property
    def trail(self) -> UserTrail:
        return self.peer.trail if self.peer else UserTrail()


def judge_provisioned(view: PeerView) -> Verdict:
    home, remote = view.home, view.remote
    if home.peers.known:
        return as_observed_by(_as_observed(view), home)
    if remote is not None:
        verdict = known_otherwise(
            EntryDirection(home, remote, view.peer, view.at, view.owners)
        )
        if verdict:
            return verdict
    elif view.peer.attested:
        return as_attested(view.peer.attested)
    what = f"The peers of {home.name} cannot be read"
    fix = None
    if home.peers.code == Code.CATALOGUE:
        fix = Fix("clusters:peer_table", home.id)
    return unknown(f"{what}{_no_user_evidence(view)}.", home.peers, fix)


def _no_user_evidence(view: PeerView) -> str:
    """Say why the users do not tell either, where they were counted."""
    here, there = view.users_here, view.users_there
    if view.remote is None or here is None or there is None:
        return ""
    if not here and there:
        return f", and no users of {view.remote.name} have arrived yet"
    return f", and {here} of {there} users of {view.remote.name} prove nothing"


def _as_observed(view: PeerView) -> Verdict:
    """Judge by the cluster's own peer table."""
    home, peer, entry = view.home, view.peer, view.entry
    if view.moved:
        return failed(
            f"{home.name} has this peer under another address: {view.moved.address}; "
            f"the console expects {peer.address}.",
            WAYS_OUT,
            view.drift,
        )
    if entry is None:
        return failed(f"{home.name} does not have this peer.", RESTORE, view.drift)
    differing = [
        f"{label} {theirs or 'empty'}, the console expects {ours or 'empty'}"
        for label, ours, theirs in (
            ("user name", peer.username, entry.username),
            ("protocol", peer.protocol, protocol_of(entry) or peer.protocol),
            ("mask", peer.mask, entry.external_phone_number_mask or ""),
        )
        if ours != theirs
    ]
    if differing:
        return failed(
            f"{home.name} has {listed_texts(differing)}.", WAYS_OUT, view.drift
        )
    if view.spelling:
        reason = f"{home.name} names the same node {view.spelling}."
        return Verdict(Outcome.PASSED, reason)
    return PASSED


def protocol_of(entry: PeerEntry | None) -> str:
    """Give the protocol that an entry shows; none where its code is not known."""
    protocol = entry.protocol.upper() if entry else ""
    return protocol if protocol in PROTOCOLS else ""


def reverse_peer(view: PeerView) -> Verdict:
    remote = view.remote
    if remote is None:
        return needs_remote_cluster("Whether it has a matching entry is not visible.")
    if not remote.peers.known:
        verdict = known_otherwise(
            EntryDirection(remote, view.home, view.back, view.at, view.owners)
        )
        return verdict or unknown(
            f"{remote.name} does not show its peers.", remote.peers
        )
    if view.entry_back is None:
        verdict = failed(
            f"{remote.name} has no peer that points to {view.home.name}.",
            "A peering is two entries: add the peer on the remote cluster too.",
            set_up(remote, view.home),
        )
        return as_observed_by(verdict, remote)
    return as_observed_by(PASSED, remote)


def as_observed_by(verdict: Verdict, cluster: ClusterFacts) -> Verdict:
    """Say by what a cluster's entries were read."""
    return verdict.by(KnownBy.PAGES) if cluster.by_pages else verdict


def known_otherwise(direction: EntryDirection) -> Verdict | None:
    """Judge an entry by its users, else by a person's word; None: nothing tells."""
    verdict = by_users(direction)
    peer = direction.peer
    if verdict is None and peer and peer.attested:
        return as_attested(peer.attested)
    return verdict


def by_users(direction: EntryDirection) -> Verdict | None:
    """Judge an entry by the users that it brings; None where they prove nothing."""
    verdict = _by_users(direction)
    return verdict.by(KnownBy.USERS) if verdict else None


def _by_users(direction: EntryDirection) -> Verdict | None:
    home, remote, trail = direction.home, direction.remote, direction.trail
    here, there = home.users_of(remote, direction.owners), remote.own_users()
    if here is None or there is None:
        return None
    if here == there:
        return PASSED if here and _brings_users(direction) else None
    if trail.equal_at is None or not trail.users:
        return None
    if not here:
        return failed(
            f"The users of {remote.name} are gone from {home.name}, which had "
            f"{trail.users} of them.",
            "The entry was probably deleted: open it on the cluster's own page, or add "
            "it again.",
        )
    since = trail.differ_since or direction.at
    if direction.at - since <= STUCK:
        return PASSED
    return warning(
        f"{home.name} has not followed the users of {remote.name} for "
        f"{(direction.at - since).total_seconds() / 3600:.0f} hours.",
        "Check that the entry still exists on the cluster's own page, and that the "
        "Intercluster Sync Agent is running.",
    )


def _brings_users(direction: EntryDirection) -> bool:
    """Tell users that an entry brings from those that a deleted one left behind."""
    followed_at = direction.trail.followed_at
    if followed_at and direction.at - followed_at <= PROVEN_FOR:
        return True
    return sync_agent(direction.home).outcome is Outcome.PASSED


def as_attested(word: Attestation) -> Verdict:
    note = f" {word.note}" if word.note else ""
    sentence = f"Attested by {word.by} on {word.at:%Y-%m-%d %H:%M} UTC.{note}"
    return Verdict(Outcome.PASSED, sentence, known_by=KnownBy.ATTESTED)


def protocol_match(view: PeerView) -> Verdict:
    if view.remote is None:
        return information("The protocol of the other entry is not visible.")
    if view.remote.peers.known and view.entry_back is None:
        return not_known(
            "Nothing to compare: the remote cluster has no matching entry.", FIX_FIRST
        )
    here = _protocol(view.entry, view.peer)
    there = _protocol(view.entry_back, view.back)
    if not (here and there):
        return _not_compared(view)
    compared = view.entry and view.entry_back
    known_by = KnownBy.TABLE if compared else KnownBy.ATTESTED
    if compared and (view.home.by_pages or view.remote.by_pages):
        known_by = KnownBy.PAGES
    if here == there:
        return PASSED.by(known_by)
    return failed(
        f"{view.home.name} prefers {here}, {view.remote.name} prefers {there}.",
        "Set the same protocol on both entries; TCP is recommended.",
        Fix("peers:edit_peer", view.back.id) if view.back else view.page,
    ).by(known_by)


def _protocol(entry: PeerEntry | None, peer: PeerFacts | None) -> str:
    """Give the protocol that the cluster shows or a person has attested."""
    if entry:
        return protocol_of(entry)
    return peer.protocol if peer and peer.attested else ""


def _not_compared(view: PeerView) -> Verdict:
    """Say what the console expects, which proves nothing of the clusters."""
    here, there = view.peer.protocol, view.back.protocol if view.back else ""
    peers = [one for one in (view.peer, view.back) if one]
    assumed = any("protocol" in one.assumed for one in peers)
    if there and here != there and not assumed:
        return warning(
            f"The console expects {here} on {view.home.name} and {there} on "
            f"{view.remote.name if view.remote else ''}; the clusters do not show it.",
            "Set the same protocol on both entries; TCP is recommended.",
            view.page,
        ).by(KnownBy.NONE)
    tables = [view.home.peers, *([view.remote.peers] if view.remote else [])]
    if late := next((table for table in tables if table.late), None):
        return unknown("The preferred protocols were not compared.", late)
    return information(
        f"The clusters do not show which protocol both entries prefer; the console "
        f"expects {here}.",
        "Compare Preferred Protocol on both clusters' own pages.",
    )
