"""Both clusters of a peer compared: users missing, extra, or on another node."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from directory.columns import Codes, HashIndex, Mask, User
from directory.hashing import Hashes, Places, positions_of
from directory.home_nodes import is_unlisted
from directory.ownership import NOBODY, Directory, UserListing
from peers.models import Peer, PeerOutcome

MISSING = "missing"
EXTRA = "extra"
ELSEWHERE = "elsewhere"
LISTS = (MISSING, EXTRA, ELSEWHERE)


@dataclass(frozen=True)
class UserHome:
    """Where a user lives, by somebody's word."""

    cluster: str
    node: str

    def __str__(self) -> str:
        return f"{self.node} ({self.cluster})" if self.cluster else self.node


@dataclass(frozen=True)
class UserDifference:
    """One user about whom the two clusters disagree.

    Args:
        says: where the home cluster of the peer believes the user to live.
        lives: where the user really lives, as that cluster itself tells.
        settling: it changed so recently that the sync agent may not have noticed.
    """

    user: User
    says: UserHome | None
    lives: UserHome | None
    settling: bool


@dataclass(frozen=True)
class Differences:
    """Users who differ: their hashes, and the row of each on either cluster (or -1)."""

    hashes: Hashes
    home_rows: Places
    remote_rows: Places
    settling: Mask

    def __len__(self) -> int:
        return len(self.hashes)


class Compared:
    """What the peer's home cluster has of the remote cluster's users, against theirs.

    Args:
        home: the cluster on which the peer entry is; it holds the copies.
        remote: the cluster to which it points; the users are its own.
    """

    def __init__(
        self, directory: Directory, home: UserListing, remote: UserListing
    ) -> None:
        self.directory = directory
        self.home = home
        self.remote = remote
        self.copies = home.of(remote.number)
        self.users = remote.own
        self._earlier = Earlier(home, remote)

    @property
    def home_count(self) -> int:
        return len(self.copies.hashes)

    @property
    def remote_count(self) -> int:
        return len(self.users.hashes)

    @property
    def taken_at(self) -> datetime:
        return min(self.home.snapshot.taken_at, self.remote.snapshot.taken_at)

    @cached_property
    def _same(self) -> bool:
        return np.array_equal(self.copies.hashes, self.users.hashes)

    @cached_property
    def missing(self) -> Differences:
        """Users of the remote cluster whom the home cluster does not show as such."""
        lacking = self._lacking(self.users.hashes, self.copies.hashes)
        hashes = self.users.hashes[lacking]
        return Differences(
            hashes,
            self._rows(self.home.assigned, hashes),
            self.users.rows[lacking].astype(np.int64),
            self._earlier.differed(hashes, copied=False, there=True),
        )

    @cached_property
    def extra(self) -> Differences:
        """Users shown as the remote cluster's whom it does not have."""
        lacking = self._lacking(self.copies.hashes, self.users.hashes)
        hashes = self.copies.hashes[lacking]
        everybody = self.remote.columns.index["userid"]
        return Differences(
            hashes,
            self.copies.rows[lacking].astype(np.int64),
            self._rows(everybody, hashes),
            self._earlier.differed(hashes, copied=True, there=False),
        )

    @cached_property
    def displaced(self) -> Differences:
        """Users on both clusters, shown on another node than they are on."""
        places = (
            np.arange(len(self.copies.hashes))
            if self._same
            else positions_of(self.copies.hashes, self.users.hashes)
        )
        both = places >= 0
        here = self.copies.rows[both]
        there = self.users.rows[places[both]]
        moved = self.home.node_codes[here] != self.remote.node_codes[there]
        hashes = self.copies.hashes[both][moved]
        return Differences(
            hashes,
            here[moved].astype(np.int64),
            there[moved].astype(np.int64),
            self._earlier.moved(hashes),
        )

    @cached_property
    def elsewhere(self) -> list[tuple[str, Differences]]:
        """Users homed elsewhere than the copy says, by the list they come from."""
        says = self._homes_of_rows(self.home, self.missing.home_rows)
        lives = self.directory.homes_of(self.extra.hashes)
        return [
            (MISSING, choose_differences(self.missing, says != NOBODY)),
            (EXTRA, choose_differences(self.extra, lives != NOBODY)),
            (ELSEWHERE, self.displaced),
        ]

    def _homes_of_rows(self, listing: UserListing, rows: Places) -> Codes:
        homes = listing.homes[rows] if len(rows) else np.empty(0, np.int16)
        return np.where(rows < 0, NOBODY, homes).astype(np.int16)

    def _lacking(self, ours: Hashes, theirs: Hashes) -> Mask:
        if self._same:
            return np.zeros(len(ours), np.bool_)
        return positions_of(ours, theirs) < 0

    def _rows(self, index: HashIndex, hashes: Hashes) -> Places:
        places = positions_of(hashes, index.hashes)
        if not len(index.rows):
            return places
        return np.where(places < 0, -1, index.rows[places].astype(np.int64))

    # --- In numbers, and in words ---------------------------------------------------

    def count(self, name: str) -> int:
        if name == ELSEWHERE:
            return sum(len(differences) for _, differences in self.elsewhere)
        return len(self.missing if name == MISSING else self.extra)

    @property
    def different(self) -> int:
        """How many users differ, each once."""
        return len(self.missing) + len(self.extra) + len(self.displaced)

    @property
    def settling(self) -> int:
        parts = (self.missing, self.extra, self.displaced)
        return sum(int(part.settling.sum()) for part in parts)

    @property
    def outcome(self) -> PeerOutcome:
        if not self.different:
            return PeerOutcome.PASSED
        lasting = self.different - self.settling
        if lasting <= settings.DIRECTORY_TOLERANCE:
            return PeerOutcome.WARNING
        unlisted = self._unlisted & ~self.missing.settling
        listed = lasting - int(unlisted.sum())
        within = listed <= settings.DIRECTORY_TOLERANCE
        return PeerOutcome.UNKNOWN if within else PeerOutcome.FAILED

    @property
    def _unlisted(self) -> Mask:
        """Which of the missing are shown on a node that the node table does not list.

        Whose node that is nobody knows: it may be theirs.
        """
        columns, rows = self.home.columns, self.missing.home_rows
        unlisted = np.array([is_unlisted(name) for name in columns.nodes], np.bool_)
        found = rows >= 0
        mask = np.zeros(len(rows), np.bool_)
        mask[found] = unlisted[columns.node[rows[found]]]
        return mask

    def entries(self, name: str, search: str = "") -> list[UserDifference]:
        """The users of one list in the order of their ids."""
        term = search.lower().strip()
        entries = [
            entry
            for entry in self._all(name)
            if term in entry.user.userid.lower()
            or term in entry.user.directory_uri.lower()
        ]
        return sorted(entries, key=lambda entry: entry.user.userid.lower())

    def _all(self, name: str) -> Iterator[UserDifference]:
        if name == ELSEWHERE:
            for source, differences in self.elsewhere:
                yield from self._entries(source, differences)
        elif name == MISSING:
            yield from self._entries(MISSING, self.missing)
        else:
            yield from self._entries(EXTRA, self.extra)

    def _entries(self, source: str, found: Differences) -> Iterator[UserDifference]:
        lives = self.directory.homes_of(found.hashes) if source == EXTRA else None
        for place in range(len(found)):
            here, there = int(found.home_rows[place]), int(found.remote_rows[place])
            says = self._home(self.home, here)
            if lives is None:
                home = self._home(self.remote, there)
            else:
                home = self._found(int(lives[place]), self.home.columns.user(here))
            listing, row = (
                (self.home, here) if source == EXTRA else (self.remote, there)
            )
            user = listing.columns.user(row)
            yield UserDifference(user, says, home, bool(found.settling[place]))

    def _home(self, listing: UserListing, row: int) -> UserHome | None:
        if row < 0:
            return None
        node = listing.columns.nodes[listing.columns.node[row]]
        return UserHome(self.directory.name(listing.home_of(row)), node or "no node")

    def _found(self, number: int, user: User) -> UserHome | None:
        listing = self.directory.listings.get(number)
        for row, _ in listing.find("userid", user.userid) if listing else ():
            if listing and listing.home_of(row) == number:
                return self._home(listing, row)
        return None


def choose_differences(found: Differences, mask: npt.NDArray[Any]) -> Differences:
    return Differences(
        found.hashes[mask],
        found.home_rows[mask],
        found.remote_rows[mask],
        found.settling[mask],
    )


class Earlier:
    """The same two clusters before the settling time.

    What was otherwise then has changed since, and has still to settle. Where nothing
    older is kept nothing is known to have changed.
    """

    def __init__(self, home: UserListing, remote: UserListing) -> None:
        self._now = (home, remote)

    @cached_property
    def _listings(self) -> tuple[UserListing, UserListing]:
        older = min(listing.snapshot.taken_at for listing in self._now)
        moment = older - timedelta(minutes=settings.DIRECTORY_SETTLING_MINUTES)
        return self._now[0].before(moment), self._now[1].before(moment)

    def differed(self, hashes: Hashes, *, copied: bool, there: bool) -> Mask:
        """Which of these were copied, or were there, otherwise than they are now."""
        if not len(hashes) or self._listings == self._now:
            return np.zeros(len(hashes), np.bool_)
        home, remote = self._listings
        copies = home.of(remote.number).hashes
        users = remote.own.hashes
        changed: Mask = (positions_of(hashes, copies) >= 0) != copied
        changed |= (positions_of(hashes, users) >= 0) != there
        return changed

    def moved(self, hashes: Hashes) -> Mask:
        """Which of these were on another node of either cluster than they are now."""
        changed = np.zeros(len(hashes), np.bool_)
        if len(hashes):
            for now, then in zip(self._now, self._listings, strict=True):
                changed |= nodes_of(now, hashes) != nodes_of(then, hashes)
        return changed


def nodes_of(listing: UserListing, hashes: Hashes) -> npt.NDArray[np.int32]:
    """The codes of the users' nodes, -1 for who is not there."""
    index = listing.columns.index["userid"]
    places = positions_of(hashes, index.hashes)
    found = places >= 0
    codes = np.full(len(hashes), -1, np.int32)
    codes[found] = listing.node_codes[index.rows[places[found]]]
    return codes


def compare_listings(directory: Directory, peer: Peer) -> Compared | None:
    """Compare the clusters of a peer; None while one of them was never read."""
    home = directory.listing(peer.cluster_id)
    remote = directory.listing(peer.remote_cluster_id)
    return Compared(directory, home, remote) if home and remote else None
