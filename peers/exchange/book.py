"""What an import asks of the console: read once, and kept up with what it changes."""

import copy
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from accounts.scope import admits, unlimited
from peers import editing
from peers.exchange.reading import CLUSTER, Entry
from peers.models import Cluster, Node, Peer
from rest.models import Revised

R = TypeVar("R", Cluster, Node, Peer)
T = TypeVar("T")

# So many values are asked for at once; databases take only so many.
PART = 500


class Index(Generic[R]):
    """Rows by whatever they are looked up by, in the order they came."""

    def __init__(self, keys: Callable[[R], Iterable[Hashable]]) -> None:
        self.keys: Callable[[R], Iterable[Hashable]] = keys
        self.rows: dict[Hashable, dict[UUID, R]] = defaultdict(dict)
        self.filed: dict[UUID, set[Hashable]] = {}

    def put(self, row: R) -> None:
        """File a row, or file it anew after a change."""
        for key in self.filed.get(row.pk, ()):
            del self.rows[key][row.pk]
        self.filed[row.pk] = set(self.keys(row))
        for key in self.filed[row.pk]:
            self.rows[key][row.pk] = row

    def all(self, key: Hashable) -> list[R]:
        return list(self.rows[key].values()) if key in self.rows else []

    def first(self, key: Hashable, *, but: UUID | None = None) -> R | None:
        """The first row, but not this one."""
        found = self.rows[key].items() if key in self.rows else ()
        return next((row for pk, row in found if pk != but), None)

    def count(self, key: Hashable) -> int:
        return len(self.rows[key]) if key in self.rows else 0


class Book:
    """All clusters and nodes, and the peers that entries of the file touch.

    It answers the rules (`peers.lookups.Source`). It is of all clusters, whoever asks;
    `cluster` and `nodes` give only what whoever asks may see.
    """

    def __init__(self) -> None:
        self.clusters: Index[Cluster] = Index(lambda row: (row.pk, row.name))
        self.hosts: Index[Node] = Index(
            lambda row: (row.pk, row.cluster_id, row.name.lower(), row.address.lower())
        )
        self.peers: Index[Peer] = Index(
            lambda row: (
                row.cluster_id,
                (row.cluster_id, row.remote_cluster_id),
                (row.cluster_id, row.address.lower()),
                row.address.lower(),
            )
        )
        # The jobs that keep peers from being edited, by the peers' ids.
        self.held = editing.held_peers()
        # All that was read, by which it is told whether it is still so.
        self.state: set[tuple[object, ...]] = set()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Book":
        """Read what judging these entries takes."""
        book = cls()
        with unlimited():
            for cluster in Cluster.objects.all():
                book.note(cluster)
                book.clusters.put(cluster)
            for node in Node.objects.all():
                book.note(node)
                node.cluster = book.clusters.all(node.cluster_id)[0]
                book.hosts.put(node)
            for peer in book.peers_near(entries):
                book.note(peer, peer.removing, peer.remote_cluster_id)
                book.put_peer(peer)
        return book

    def hold(self) -> None:
        """Let no plan and no other import write until this transaction ends.

        They have not committed yet what they add, so it cannot be seen.
        """
        with unlimited():
            editing.hold_clusters(self.clusters.filed)

    def note(self, row: Revised, *more: object) -> None:
        self.state.add((row.pk, row.revision, *more))

    def peers_near(self, entries: Iterable[Entry]) -> Iterator[Peer]:
        """Peers of the clusters in the file, and those that point to them or will."""
        names, hosts = set(), set()
        for entry in entries:
            values = entry.values
            names.add(values.get("name" if entry.kind == CLUSTER else "cluster", ""))
            hosts |= {values.get("publisher_name"), values.get("publisher_address")}
        homes = [c.pk for name in names for c in self.clusters.all(name.strip())]
        told = {host.strip().lower() for host in hosts if host}
        peers = Peer.objects.defer("entries")
        for part in parts(homes):
            yield from peers.filter(Q(cluster__in=part) | Q(remote_cluster__in=part))
        for some in parts(told):
            yield from peers.annotate(host=Lower("address")).filter(host__in=some)

    def put_peer(self, peer: Peer) -> None:
        peer.cluster = self.clusters.all(peer.cluster_id)[0]
        remote = peer.remote_cluster_id
        peer.remote_cluster = self.clusters.first(remote) if remote else None
        self.peers.put(peer)

    def cluster(self, name: str) -> Cluster | None:
        """The cluster of this name, if whoever asks may see it."""
        found = self.clusters.first(name)
        return found if found and admits(found.pk) else None

    def peer(self, home: Cluster, address: str) -> Peer | None:
        return self.peers.first((home.pk, address.lower()))

    def owner(self, host: str) -> Cluster | None:
        owners = {node.cluster_id for node in self.hosts.all(host.lower())}
        found = [self.clusters.all(pk)[0] for pk in owners]
        return min(found, key=lambda cluster: cluster.name, default=None)

    def nodes(self, cluster: Cluster) -> Sequence[Node]:
        return self.hosts.all(cluster.pk) if admits(cluster.pk) else []

    def twin(self, node: Node) -> Node | None:
        address = node.address.lower()
        for other in self.hosts.all(address):
            same = other.address.lower() == address and other.axl_port == node.axl_port
            if same and other.pk != node.pk:
                return other
        return None

    def namesake(self, peer: Peer) -> Peer | None:
        return self.peers.first((peer.cluster_id, peer.address.lower()), but=peer.pk)

    def beside(self, peer: Peer, remote: Cluster) -> Peer | None:
        return self.peers.first((peer.cluster_id, remote.pk), but=peer.pk)

    def matching(self, peer: Peer) -> Peer | None:
        remote = peer.remote_cluster_id
        return self.peers.first((remote, peer.cluster_id)) if remote else None

    def count(self, cluster: Cluster) -> int:
        return self.peers.count(cluster.pk)

    def accept_cluster(self, cluster: Cluster) -> None:
        self.clusters.put(saved(cluster))

    def accept_node(self, node: Node) -> None:
        """Take a node in, and find the cluster again of the peers that point to it."""
        before = self.hosts.first(node.pk)
        node = saved(node)
        self.hosts.put(node)
        either = [one for one in (before, node) if one]
        hosts = {host.lower() for one in either for host in (one.name, one.address)}
        for host in hosts:
            for peer in self.peers.all(host):
                peer = copy.copy(peer)
                peer.remote_cluster = self.owner(host)
                self.peers.put(peer)

    def accept_peer(self, peer: Peer) -> None:
        self.peers.put(saved(peer))


def saved(row: R) -> R:
    """A copy of the row as it is once it is saved."""
    row = copy.copy(row)
    if not row._state.adding:
        row.revision += 1
    row._state.adding = False
    return row


def parts(values: Iterable[T]) -> Iterator[list[T]]:
    listed = list(values)
    for start in range(0, len(listed), PART):
        yield listed[start : start + PART]
