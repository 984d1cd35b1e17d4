"""Whose user is this: which cluster is the home of a user, by the user's home node."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from clusters.models import Cluster, Node
from directory import store
from directory.columns import (
    ENABLED,
    Codes,
    Columns,
    HashIndex,
    Mask,
    User,
)
from directory.hashing import Hashes, fold_case, positions_of
from directory.models import Snapshot

# Homes that are no managed cluster.
NOBODY = -1  # the user is assigned to no node
UNKNOWN_CLUSTER = -2  # the node belongs to no cluster that the console knows
NONE = HashIndex(np.empty(0, np.uint64), np.empty(0, np.uint32))


class UserListing:
    """One cluster, and its users as a snapshot has them.

    A row is a user of the cluster's own where the home node is one of its nodes, and
    a copy of another cluster's user where it is one of the other's.
    """

    def __init__(
        self, number: int, cluster: Cluster, snapshot: Snapshot, homes: "Homes"
    ) -> None:
        self.number = number
        self.cluster = cluster
        self.snapshot = snapshot
        self._homes = homes
        self._others: dict[UUID, UserListing] = {}

    def at(self, snapshot: Snapshot) -> "UserListing":
        """The same cluster by another snapshot."""
        if snapshot.pk == self.snapshot.pk:
            return self
        if snapshot.pk not in self._others:
            other = UserListing(self.number, self.cluster, snapshot, self._homes)
            self._others[snapshot.pk] = other
        return self._others[snapshot.pk]

    def before(self, moment: datetime) -> "UserListing":
        """The cluster by its newest snapshot before a moment, otherwise its oldest."""
        older = (one for one in self._history if one.taken_at <= moment)
        return self.at(next(older, self._history[-1]))

    @cached_property
    def _history(self) -> list[Snapshot]:
        snapshots = Snapshot.objects.filter(cluster=self.cluster).order_by("-taken_at")
        return list(snapshots.only("cluster", "taken_at", "size")) or [self.snapshot]

    @cached_property
    def columns(self) -> Columns:
        return store.columns_of(self.snapshot)

    @cached_property
    def _homes_by_node(self) -> Codes:
        return np.array([self._homes.of(node) for node in self.columns.nodes], np.int16)

    @cached_property
    def homes(self) -> Codes:
        """The home cluster of each row, as its number."""
        homes: Codes = self._homes_by_node[self.columns.node]
        return homes

    @cached_property
    def _by_home(self) -> dict[int, HashIndex]:
        """The user ids of each home, still in the order of their hashes."""
        index = self.columns.index["userid"]
        homes = self.homes[index.rows]
        order = np.argsort(homes, kind="stable")
        found, starts = np.unique(homes[order], return_index=True)
        parts = np.split(order, starts[1:])
        return {
            int(home): HashIndex(index.hashes[part], index.rows[part])
            for home, part in zip(found, parts, strict=False)
        }

    def of(self, home: int) -> HashIndex:
        """The users whose home is this cluster."""
        return self._by_home.get(home, NONE)

    @property
    def own(self) -> HashIndex:
        return self.of(self.number)

    @cached_property
    def assigned(self) -> HashIndex:
        """The users who have a home node."""
        return self.columns.index["userid"].chosen(self.homes != NOBODY)

    @cached_property
    def own_numbers(self) -> HashIndex:
        return self.columns.index["number"].chosen(self.homes == self.number)

    @cached_property
    def node_codes(self) -> npt.NDArray[np.int32]:
        """A code for the node of each row, the same on every cluster."""
        codes = np.array([self._homes.code(n) for n in self.columns.nodes], np.int32)
        rows: npt.NDArray[np.int32] = codes[self.columns.node]
        return rows

    @cached_property
    def present(self) -> Mask:
        """The rows of users who may sign in here: its own, and those assigned to no
        node whom the cluster itself says to be enabled."""
        waiting = (self.homes == NOBODY) & self.columns.flagged(ENABLED)
        present: Mask = (self.homes == self.number) | waiting
        return present

    def home_of(self, row: int) -> int:
        return self._homes.of(self.columns.nodes[self.columns.node[row]])

    def find(self, kind: str, value: str) -> list[tuple[int, User]]:
        return self.columns.find(kind, value)

    def count(self, home: int) -> int:
        """How many users of that home it has, without a look at the columns."""
        nodes: dict[str, int] = self.snapshot.nodes
        return sum(n for node, n in nodes.items() if self._homes.of(node) == home)


class Homes:
    """Which cluster a node belongs to, by any of the node's names."""

    def __init__(self, numbers: dict[UUID, int], snapshots: Iterable[Snapshot]) -> None:
        self._numbers: dict[str, int] = {"": NOBODY}
        self._codes: dict[str, int] = {}
        for snapshot in snapshots:
            for name in snapshot.own_nodes:
                number = numbers.get(snapshot.cluster_id, UNKNOWN_CLUSTER)
                self._numbers.setdefault(fold_case(name), number)
        # What the administrator registered counts more than what a cluster tells.
        known = Node.objects.order_by("pk").values_list("cluster", "name", "address")
        for cluster, *names in known:
            for name in names:
                self._numbers[fold_case(name)] = numbers.get(cluster, UNKNOWN_CLUSTER)

    def code(self, node: str) -> int:
        return self._codes.setdefault(fold_case(node), len(self._codes))

    def of(self, node: str) -> int:
        return self._numbers.get(fold_case(node), UNKNOWN_CLUSTER)


class Directory:
    """The users of all clusters, by the newest snapshot of each."""

    def __init__(self, snapshots: dict[UUID, Snapshot] | None = None) -> None:
        if snapshots is None:
            snapshots = store.latest_snapshots()
        self.clusters = list(Cluster.objects.order_by("name"))
        numbers = {one.pk: number for number, one in enumerate(self.clusters)}
        self.homes = Homes(numbers, snapshots.values())
        self.numbers = numbers
        self.listings = {
            number: UserListing(number, one, snapshots[one.pk], self.homes)
            for number, one in enumerate(self.clusters)
            if one.pk in snapshots
        }

    @property
    def unread(self) -> list[Cluster]:
        """The clusters of which there is no snapshot."""
        return [c for n, c in enumerate(self.clusters) if n not in self.listings]

    def listing(self, cluster: UUID | None) -> UserListing | None:
        number = self.numbers.get(cluster) if cluster else None
        return None if number is None else self.listings.get(number)

    def name(self, number: int) -> str:
        return self.clusters[number].name if number >= 0 else ""

    def homes_of(self, sought: Hashes) -> Codes:
        """The cluster that has each of these users as its own, or NOBODY."""
        homes = np.full(len(sought), NOBODY, np.int16)
        if not len(sought):
            return homes
        for listing in self.listings.values():
            homes[positions_of(sought, listing.own.hashes) >= 0] = listing.number
        return homes

    @property
    def key(self) -> tuple[Any, ...]:
        """What its answers depend on."""
        snapshots = tuple(listing.snapshot.pk for listing in self.listings.values())
        return snapshots, tuple(sorted(self.homes._numbers.items()))
