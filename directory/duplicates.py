"""Values that should be one user's alone, and addresses that are none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

import numpy as np

from directory.columns import INVALID_URI, Mask, User
from directory.hashing import Hashes, fold_case, positions_of
from directory.ownership import Directory, UserListing

Kind = Literal["userid", "directory_uri", "mail_id", "empty_uri", "invalid_uri"]
SHARED: tuple[Kind, ...] = ("userid", "directory_uri", "mail_id")
KINDS: dict[Kind, str] = {
    "userid": "Same user ID",
    "directory_uri": "Same directory URI",
    "mail_id": "Same mail ID",
    "empty_uri": "No directory URI",
    "invalid_uri": "Invalid directory URI",
}


@dataclass(frozen=True)
class Holder:
    """A user who has the value, on the cluster that is the user's own."""

    listing: UserListing
    user: User


@dataclass(frozen=True)
class Duplicate:
    """A value that several users have, or the one user whose address is none."""

    kind: Kind
    value: str
    holders: tuple[Holder, ...]

    @property
    def userid(self) -> str:
        return self.holders[0].user.userid


def shared_hashes(directory: Directory, kind: Kind) -> Hashes:
    """The hashes that stand more than once among the users of all clusters."""
    parts = [
        listing.columns.index[kind].chosen(listing.present).hashes
        for listing in directory.listings.values()
    ]
    if not parts:
        return np.empty(0, np.uint64)
    every = np.concatenate(parts)
    every.sort()
    return np.unique(every[1:][every[1:] == every[:-1]])


def shared_values(directory: Directory, kind: Kind) -> list[Duplicate]:
    """All values of a kind that several users have, with these users."""
    hashes = shared_hashes(directory, kind)
    holders: dict[str, list[Holder]] = {}
    for listing in directory.listings.values():
        for user in users_having(listing, kind, hashes):
            holders.setdefault(fold_case(user.value(kind)), []).append(
                Holder(listing, user)
            )
    return [
        Duplicate(kind, value, tuple(users))
        for value, users in sorted(holders.items())
        if len(users) > 1  # else two values have the same hash
    ]


def users_having(listing: UserListing, kind: Kind, sought: Hashes) -> Iterator[User]:
    index = listing.columns.index[kind].chosen(listing.present)
    return listing.columns.users(index.rows[positions_of(index.hashes, sought) >= 0])


def without_uri(listing: UserListing) -> Mask:
    empty = listing.present.copy()
    empty[listing.columns.index["directory_uri"].rows] = False
    return empty


def with_invalid_uri(listing: UserListing) -> Mask:
    return listing.present & listing.columns.flagged(INVALID_URI)


ALONE: dict[Kind, Callable[[UserListing], Mask]] = {
    "empty_uri": without_uri,
    "invalid_uri": with_invalid_uri,
}


def lone_values(directory: Directory, kind: Kind) -> list[Duplicate]:
    """The users with such a directory URI, where the release has directory URIs."""
    found = [
        Duplicate(kind, user.directory_uri, (Holder(listing, user),))
        for listing in directory.listings.values()
        if "directoryuri" not in listing.snapshot.absent
        for user in listing.columns.users(np.flatnonzero(ALONE[kind](listing)))
    ]
    return sorted(found, key=lambda one: fold_case(one.userid))


def find_duplicates(directory: Directory, *kinds: Kind) -> list[Duplicate]:
    """The complete lists of these kinds, one after the other."""
    return [
        one for kind in kinds for one in _cached_duplicates(AnswerKey(directory, kind))
    ]


class AnswerKey:
    """What an answer depends on, for remembering it while nothing new is known."""

    def __init__(self, directory: Directory, kind: Kind) -> None:
        self.directory = directory
        self.kind = kind
        self._key = (directory.key, kind)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnswerKey) and self._key == other._key


@lru_cache(maxsize=len(KINDS))
def _cached_duplicates(key: AnswerKey) -> tuple[Duplicate, ...]:
    seek = shared_values if key.kind in SHARED else lone_values
    return tuple(seek(key.directory, key.kind))


def choose_duplicates(
    found: Sequence[Duplicate], cluster: UUID | None, search: str
) -> list[Duplicate]:
    """Those with a user on the cluster and with the text in a user id or the value."""
    term = fold_case(search.strip())
    return [
        one
        for one in found
        if (
            cluster is None or any(h.listing.cluster.pk == cluster for h in one.holders)
        )
        and (
            term in fold_case(one.value)
            or any(term in fold_case(h.user.userid) for h in one.holders)
        )
    ]
