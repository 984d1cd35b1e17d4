"""The other clusters that a cluster shows, managed by the console or not.

Users have nodes for home, and the node table lists nodes without users; entries of the
peer table, or of the product's own pages, name publishers. None of these says to which
cluster a node belongs, so that `mesh.grouping` puts the nodes of unmanaged clusters
together as far as something says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from clusters.inventory import node_ownership
from clusters.models import Cluster, Node
from clusters.ownership import Ownership
from mesh.grouping import NODES, PAGES, TABLE, USERS, Trace, group_traces
from mesh.models import ObservedPeerTable, UsersSeen
from mesh.node_names import is_publisher
from wire import plain_host

# What names the publisher comes first.
PREFERENCE = (TABLE, PAGES, USERS, NODES)


@dataclass(frozen=True)
class Neighbour:
    """Another cluster, as clusters that the console manages show it.

    Args:
        traces: every name under which one of them shows it.
        cluster: the managed cluster that it is; None where it is none.
        publisher: the publisher's address in the console, of a managed one.
    """

    traces: tuple[Trace, ...]
    cluster: Cluster | None = None
    publisher: str = ""

    @cached_property
    def address(self) -> str:
        """What *Add cluster* begins with: an entry's address, else a node's name."""
        entries = {one.name for one in self.traces if one.by in (TABLE, PAGES)}
        named = {name for name in self.nodes if is_publisher(name)}
        return self.publisher or min(entries or named or set(self.nodes))

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        names = {plain_host(one.name): one.name for one in self.traces}
        return tuple(sorted(names.values()))

    @cached_property
    def users(self) -> int | None:
        """Its users, as the cluster counts them that has most; None: nobody counted."""
        counts: dict[UUID, int] = {}
        for one in self.traces:
            if one.users is not None:
                counts[one.home.pk] = counts.get(one.home.pk, 0) + one.users
        return max(counts.values(), default=None)

    @cached_property
    def evidence(self) -> tuple[Trace, ...]:
        """The newest trace of each kind, the best first; that of users with all."""
        newest = sorted(self.traces, key=lambda one: one.at)
        by = {one.by: one for one in newest}
        if USERS in by:
            by[USERS] = replace(by[USERS], users=self.users)
        return tuple(by[kind] for kind in PREFERENCE if kind in by)

    @property
    def seen_by(self) -> str:
        return self.evidence[0].by

    @property
    def seen_at(self) -> datetime:
        return self.evidence[0].at

    @property
    def homes(self) -> list[Cluster]:
        found = {one.home.pk: one.home for one in self.traces}
        return sorted(found.values(), key=lambda home: home.name)


def neighbours_of(clusters: Iterable[Cluster]) -> list[Neighbour]:
    """What each of these clusters shows, those that are not managed first."""
    found = [
        replace(one, traces=tuple(t for t in one.traces if t.home == home))
        for one in Reader(clusters).found()
        for home in one.homes
    ]
    return sorted(
        found,
        key=lambda one: (one.cluster is not None, one.homes[0].name, one.address),
    )


def unmanaged_neighbours(clusters: Iterable[Cluster]) -> list[Neighbour]:
    """Each cluster that the console does not manage, once."""
    found = [one for one in Reader(clusters).found() if one.cluster is None]
    return sorted(found, key=lambda one: one.address)


class Reader:
    """Reads neighbours out of what clusters showed."""

    def __init__(self, homes: Iterable[Cluster]) -> None:
        self.homes = {cluster.pk: cluster for cluster in homes}
        self.owners: Ownership[UUID] = node_ownership()
        # Only those in sight; another one is not mentioned at all.
        self.managed = Cluster.objects.in_bulk()
        self.publishers = {
            node.cluster_id: node.address
            for node in Node.objects.filter(role=Node.Role.PUBLISHER)
        }

    def found(self) -> Iterator[Neighbour]:
        rows = UsersSeen.objects.filter(pk__in=self.homes)
        traces = [one for row in rows for one in self.in_counts(row)]
        addresses = {name: ips for row in rows for name, ips in row.addresses.items()}
        tables = ObservedPeerTable.objects.filter(pk__in=self.homes)
        traces += [one for row in tables for one in self.in_entries(row)]
        known: dict[UUID, list[Trace]] = {}
        strange = []
        for one in traces:
            owner = self.owners.of(one.name)
            if owner is None:
                strange.append(one)
            elif owner != one.home.pk:
                known.setdefault(owner, []).append(one)
        for pk, found in known.items():
            if cluster := self.managed.get(pk):
                yield Neighbour(tuple(found), cluster, self.publishers.get(pk, ""))
        for group in group_traces(strange, addresses):
            yield Neighbour(tuple(group))

    def in_counts(self, row: UsersSeen) -> Iterator[Trace]:
        """Nodes of other clusters, by the users on them and by the node table."""
        home, at = self.homes[row.pk], row.read_at
        own = Ownership((name, True) for name in row.own_nodes)
        for name, users in row.users.items():
            if name and not own.candidates(name):
                yield Trace(home, name, USERS, at, users)
        # Without its own list of nodes, its own cannot be told from others.
        for name, subcluster in row.nodes if row.own_nodes else ():
            if name and not own.candidates(name):
                yield Trace(home, name, NODES, at, subcluster=subcluster)

    def in_entries(self, row: ObservedPeerTable) -> Iterator[Trace]:
        by = PAGES if row.by_pages else TABLE
        for entry in row.all:
            if entry.address:
                yield Trace(self.homes[row.pk], entry.address, by, row.read_at)
