"""Users whom a cluster still shows from a cluster with which it has no peering."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from accounts import cluster_limits
from clusters.models import Cluster
from directory.columns import User
from directory.home_nodes import is_unlisted
from directory.ownership import NOBODY, Directory, UserListing
from peers.models import Peer


@dataclass(frozen=True)
class Leftovers:
    """What one cluster has left of one other.

    Args:
        remote: whose users they are; None where no managed cluster has their nodes.
    """

    listing: UserListing
    home: int
    remote: Cluster | None
    count: int

    @property
    def cluster(self) -> Cluster:
        return self.listing.cluster

    @property
    def remote_name(self) -> str:
        return self.remote.name if self.remote else "no managed cluster"

    def users(self) -> Iterator[User]:
        rows = np.flatnonzero(self.listing.homes == self.home)
        return self.listing.columns.users(rows)

    def found(self, search: str = "") -> list[User]:
        """The users with this text in the user id or the URI, in order of the ids."""
        term = search.lower().strip()
        users = [
            user
            for user in self.users()
            if term in user.userid.lower() or term in user.directory_uri.lower()
        ]
        return sorted(users, key=lambda user: user.userid.lower())


def find_leftovers(directory: Directory) -> list[Leftovers]:
    """All leftovers; only the snapshots' counts are looked at, not their columns."""
    remotes = remotes_by_cluster()
    return [
        Leftovers(listing, home, cluster, count)
        for listing in directory.listings.values()
        for home, count in sorted(homes_in(directory, listing).items())
        for cluster in [directory.clusters[home] if home >= 0 else None]
        if is_unexplained(directory, cluster, remotes.get(listing.cluster.pk, set()))
    ]


def remotes_by_cluster() -> dict[UUID, set[UUID | None]]:
    """The clusters to which the peers of each cluster point."""
    remotes: dict[UUID, set[UUID | None]] = {}
    for home, remote in Peer.objects.values_list("cluster", "remote_cluster"):
        remotes.setdefault(home, set()).add(remote)
    return remotes


def homes_in(directory: Directory, listing: UserListing) -> dict[int, int]:
    """How many users of each other home a cluster has, as far as that is known."""
    homes: Counter[int] = Counter()
    for node, count in listing.snapshot.nodes.items():
        if not is_unlisted(node):
            homes[directory.homes.of(node)] += count
    return {
        n: homes[n] for n in homes if n not in (NOBODY, listing.number) and homes[n]
    }


def is_unexplained(
    directory: Directory, cluster: Cluster | None, remotes: set[UUID | None]
) -> bool:
    """Whether none of the peers can be why users of the cluster are shown.

    Nodes that nobody knows may be those of a peer's cluster that was never read, or
    is not managed; for who does not see all clusters, those of a hidden one.
    """
    if cluster is not None:
        return cluster.pk not in remotes
    return cluster_limits.current_limit() is None and all(
        map(directory.listing, remotes)
    )


def leftovers_between(
    directory: Directory, cluster: str, remote: str
) -> Leftovers | None:
    """Those of one cluster on another by their ids, the second empty for strangers."""
    for one in find_leftovers(directory):
        theirs = str(one.remote.pk) if one.remote else ""
        if (str(one.cluster.pk), theirs) == (cluster, remote):
            return one
    return None


class Leftover(NamedTuple):
    """One user of those."""

    leftovers: Leftovers
    user: User


class LeftoverList(Sequence[Leftover]):
    """All users of several leftovers as one list; millions need not be made for it."""

    def __init__(self, parts: Sequence[Leftovers], search: str = "") -> None:
        self._parts = parts
        self._found = [one.found(search) for one in parts] if search else None

    def __len__(self) -> int:
        if self._found is not None:
            return sum(map(len, self._found))
        return sum(one.count for one in self._parts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(islice(iter(self), index.start, index.stop))
        return next(islice(iter(self), index, None))

    def __iter__(self) -> Iterator[Leftover]:
        for place, one in enumerate(self._parts):
            for user in one.users() if self._found is None else self._found[place]:
                yield Leftover(one, user)
