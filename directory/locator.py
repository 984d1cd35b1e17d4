"""Where is this user, who sees the user there, and why does somebody not?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from accounts import cluster_limits
from clusters.models import Cluster
from directory.addresses import bare_address, digits_in, rewrite_host, sip_uri
from directory.columns import User
from directory.hashing import fold_case, hash_of
from directory.mask_numbers import Masked, mask_number
from directory.ownership import NOBODY, Directory, UserListing
from peers.models import Peer, PeerOutcome

MOST_MATCHES = 50
# Snapshots of one job are at most so far apart.
TOGETHER = timedelta(minutes=5)
SEEN = "seen"
HOME = "home"
ELSEWHERE = "elsewhere"
DIFFERENT = "different"
LEFTOVER = "leftover"
ABSENT = "absent"
UNREAD = "unread"
LABELS = {
    HOME: "Home",
    ABSENT: "No",
    ELSEWHERE: "Wrong home cluster",
    LEFTOVER: "Yes, without a peering",
    DIFFERENT: "Yes, but it differs",
    UNREAD: "Not known",
    SEEN: "Yes",
}
ORDER = list(LABELS)


@dataclass
class View:
    """What one cluster knows of a user, and how it would reach the user.

    Args:
        state: home, seen, different (other attributes than at home), elsewhere (it
            believes the user to live on another node or cluster), leftover (it has
            no peer that points to the home cluster), absent, unread.
        sentence: the state in words, with the reason where it is not good.
        entry: the SIP entry of the peer's last check, where there is one.
    """

    cluster: Cluster
    state: str
    sentence: str
    outcome: str
    listing: UserListing | None = None
    user: User | None = None
    peer: Peer | None = None
    rewritten: str = ""
    next_hop: str = ""
    entry: dict[str, Any] | None = None
    masked: Masked | None = None

    @property
    def label(self) -> str:
        return LABELS[self.state]


@dataclass
class Located:
    """A user at home, and as the other clusters see the user."""

    user: User
    home: UserListing | None
    homes: list[UserListing] = field(default_factory=list)
    views: list[View] = field(default_factory=list)

    @property
    def node(self) -> str:
        return self.user.node if self.home else ""

    @cached_property
    def sip_uri(self) -> str:
        user, home = self.user, self.home
        if user.directory_uri:
            return sip_uri(user.directory_uri)
        domain = home.cluster.domain if home else ""
        return sip_uri(f"{user.userid}@{domain}") if domain else ""

    @property
    def rewritten_uri(self) -> str:
        return rewrite_host(self.sip_uri, self.node)

    @property
    def worst_first(self) -> list[View]:
        return sorted(self.views, key=lambda view: ORDER.index(view.state))

    @property
    def others(self) -> int:
        return sum(view.state != HOME for view in self.views)

    @property
    def seen(self) -> int:
        return sum(view.state == SEEN for view in self.views)

    @property
    def copies(self) -> list[View]:
        return [v for v in self.views if v.user is not None and v.state != HOME]

    @property
    def masked(self) -> Masked | None:
        """The number under the mask that other clusters apply, if they agree on one."""
        masks = {v.masked.mask: v.masked for v in self.views if v.masked}
        used = [masked for mask, masked in masks.items() if mask]
        return used[0] if len(used) == 1 else None


def candidate_users(directory: Directory, text: str) -> list[str]:
    """The user ids that a user id, an address or a number may mean; exact ones first.

    Numbers are also sought as the extension that a peer's mask makes them of.
    """
    found: dict[str, str] = {}
    address = bare_address(text)
    for kind in ("userid", "directory_uri", "mail_id"):
        # A user id may look like an address in brackets, or with a scheme.
        collect_matches(found, directory, kind, [text, address])
    if number := digits_in(text):
        collect_matches(found, directory, "number", unmask_number(number))
    if not found and "@" in address:
        collect_matches(found, directory, "userid", [address.rpartition("@")[0]])
    return list(found.values())[:MOST_MATCHES]


def collect_matches(
    found: dict[str, str], directory: Directory, kind: str, values: Iterable[str]
) -> None:
    for value in values:
        value_hash = hash_of(value)
        for listing in directory.listings.values():
            for row in listing.columns.index[kind].at(value_hash):
                user = listing.columns.user(row)
                if fold_case(user.value(kind)) == fold_case(value):
                    found.setdefault(fold_case(user.userid), user.userid)


def unmask_number(number: str) -> list[str]:
    """The number, and the extensions from which some peer's mask makes it."""
    masks = set(Peer.objects.values_list("external_phone_number_mask", flat=True))
    numbers = [number]
    for mask in masks:
        places = mask.count("X")
        literal = mask[: len(mask) - places]
        if places and len(number) == len(mask) and number.startswith(literal):
            numbers.append(number[-places:])
    return numbers


def locate_user(directory: Directory, userid: str) -> Located | None:
    """Everything about one user id; None if no cluster knows it."""
    known = {
        number: copies
        for number, listing in directory.listings.items()
        if (copies := copies_on(directory, listing, userid))
    }
    if not known:
        return None
    own = {n: copy for n, copies in known.items() for copy in copies if copy.home == n}
    first = next(iter(own.values()), None) or next(iter(known.values()))[0]
    homes = [directory.listings[number] for number in own]
    located = Located(first.user, homes[0] if homes else None, homes)
    peers = peers_to(located.home)
    located.views = [
        Viewer(located, cluster, directory.listings.get(number), peers).view(
            known.get(number, [])
        )
        for number, cluster in enumerate(directory.clusters)
    ]
    return located


@dataclass(frozen=True)
class Copy:
    """A row about the user, and where it says that the user lives."""

    user: User
    home: int
    believed: str


def copies_on(directory: Directory, listing: UserListing, userid: str) -> list[Copy]:
    """What a cluster has about the user; a row without a home node comes last."""
    copies = []
    everything = cluster_limits.current_limit() is None
    elsewhere = "no managed cluster" if everything else "none of your clusters"
    for row, user in listing.find("userid", userid):
        home = listing.home_of(row)
        name = directory.name(home) or elsewhere
        copies.append(Copy(user, home, f"{user.node} ({name})"))
    return sorted(copies, key=lambda c: (c.home == NOBODY, c.home != listing.number))


def peers_to(home: UserListing | None) -> dict[UUID, Peer]:
    if home is None:
        return {}
    peers = Peer.objects.filter(remote_cluster=home.cluster).order_by("-address")
    return {peer.cluster_id: peer for peer in peers.only(*ROUTE)}


class Viewer:
    """How one cluster sees a user."""

    def __init__(
        self,
        located: Located,
        cluster: Cluster,
        listing: UserListing | None,
        peers: dict[UUID, Peer],
    ) -> None:
        self.located = located
        self.cluster = cluster
        self.listing = listing
        self.peer = peers.get(cluster.pk)

    def view(self, copies: list[Copy]) -> View:
        home = self.located.home
        if self.listing is None:
            return self.as_seen(
                UNREAD, "Its users were never read.", PeerOutcome.UNKNOWN
            )
        if home is not None and self.listing.number == home.number:
            return self.as_seen(
                HOME, "The home cluster.", PeerOutcome.PASSED, copies[0]
            )
        if not copies:
            return self.as_seen(ABSENT, *self.why_absent(self.listing))
        copy = copies[0]
        if copy.home == NOBODY:
            words = "It has the user without a home node, not as another cluster's."
            return self.as_seen(ABSENT, words, PeerOutcome.FAILED)
        if home is None:
            words = f"It believes the user to live on {copy.believed}."
            return self.as_seen(ELSEWHERE, words, PeerOutcome.FAILED, copy)
        if copy.home == self.listing.number:
            words = f"It has a user of its own with this id, as {home.cluster} has."
            return self.as_seen(ELSEWHERE, words, PeerOutcome.FAILED, copy)
        return self.as_seen(*self.judge(copy), copy)

    def judge(self, copy: Copy) -> tuple[str, str, PeerOutcome]:
        """Compare a copy of another cluster's user with the user at home."""
        user = self.located.user
        if fold_case(copy.user.node) != fold_case(user.node):
            words = f"It believes the user to live on {copy.believed}; {SETTLES}"
            return ELSEWHERE, words, PeerOutcome.FAILED
        names = [
            words
            for kind, words in ATTRIBUTES.items()
            if fold_case(copy.user.value(kind)) != fold_case(user.value(kind))
        ]
        if self.peer is None:
            home = self.located.home.cluster if self.located.home else ""
            words = f"It still shows the user, but has no peer that points to {home}."
            return LEFTOVER, words, PeerOutcome.FAILED
        if names:
            words = f"Its copy has another {' and '.join(names)} than the home cluster."
            return DIFFERENT, words, PeerOutcome.WARNING
        return SEEN, "It sees the user at the right home.", PeerOutcome.PASSED

    def why_absent(self, listing: UserListing) -> tuple[str, PeerOutcome]:
        """The first thing that keeps the sync agent from carrying the user here."""
        home = self.located.home
        if home is None:
            return "It does not know the user.", PeerOutcome.UNKNOWN
        if self.peer is None:
            words = f"It has no peer that points to {home.cluster}."
            return words, PeerOutcome.FAILED
        for entry in self.peer.entries:
            if (
                entry.get("outcome") == PeerOutcome.FAILED
                and entry.get("code") != "sip"
            ):
                return str(
                    entry.get("problem") or entry.get("label")
                ), PeerOutcome.FAILED
        if listing.snapshot.taken_at < home.snapshot.taken_at - TOGETHER:
            words = "Its users were read before the home cluster's; read them again."
            return words, PeerOutcome.WARNING
        if listing.snapshot.taken_at < self.peer.created_at:
            words = "Its users were read before the peer was added; read them again."
            return words, PeerOutcome.UNKNOWN
        return f"The sync agent has not carried the user; {SETTLES}", PeerOutcome.FAILED

    def as_seen(
        self, state: str, sentence: str, outcome: PeerOutcome, copy: Copy | None = None
    ) -> View:
        view = View(self.cluster, state, sentence, outcome, listing=self.listing)
        view.user = copy.user if copy else None
        if state == HOME or self.located.home is None:
            return view
        if copy:
            view.rewritten = rewrite_host(self.located.sip_uri, copy.user.node)
        if self.peer:
            self.add_route(view, self.peer)
        return view

    def add_route(self, view: View, peer: Peer) -> None:
        """How a message to the user would leave this cluster."""
        view.peer = peer
        view.next_hop = peer.address
        view.entry = next((e for e in peer.entries if e.get("code") == "sip"), None)
        if number := self.located.user.number:
            view.masked = mask_number(peer.external_phone_number_mask, number)


ROUTE = (
    "cluster",
    "address",
    "protocol",
    "external_phone_number_mask",
    "entries",
    "checked_at",
    "created_at",
)
ATTRIBUTES = {"directory_uri": "directory URI", "mail_id": "mail ID"}
SETTLES = "after a change the clusters may take 30 minutes."
