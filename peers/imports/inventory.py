"""What an import asks of the console: read once, and kept up with what it changes."""

import copy
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from accounts.cluster_limits import all_clusters, limit_admits
from base.revisions import Revised
from clusters.editing import hold_clusters
from clusters.inventory import clusters_by_name
from clusters.models import Cluster, Node
from clusters.ownership import Ownership, spellings_of
from peers import relations
from peers.imports.parse import CLUSTER, FileEntry
from peers.locks import held_peers
from peers.models import Peer
from wire import plain_host

R = TypeVar("R", Cluster, Node, Peer)
T = TypeVar("T")

# What marks a name in whatever case among the keys of clusters.
NAME = "name"

# So many values are asked for at once; databases take only so many.
PART = 500


class RowIndex(Generic[R]):
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

    def count(self, key: Hashable, *, but: UUID) -> int:
        """How many rows, without this one."""
        found = self.rows.get(key, {})
        return len(found) - (but in found)


class ImportBook:
    """All clusters and nodes, and the peers that entries of the file touch.

    It answers the rules (`peers.inventory.Source`). It is of all clusters, whoever
    asks; `cluster` and `nodes` give only what whoever asks may see.
    """

    def __init__(self) -> None:
        self.clusters: RowIndex[Cluster] = RowIndex(
            lambda row: (row.pk, row.name, (NAME, row.name.casefold()))
        )
        self.hosts: RowIndex[Node] = RowIndex(
            lambda row: (
                row.pk,
                row.cluster_id,
                *spellings_of(row.name),
                *spellings_of(row.address),
            )
        )
        self.peers: RowIndex[Peer] = RowIndex(
            lambda row: (
                row.cluster_id,
                (row.cluster_id, row.remote_cluster_id),
                (row.cluster_id, row.address.lower()),
                plain_host(row.address),
            )
        )
        # The jobs that keep peers from being edited, by the peers' ids.
        self.held = held_peers()
        # All that was read, by which it is told whether it is still so.
        self.state: set[tuple[object, ...]] = set()

    @classmethod
    def of(cls, entries: Iterable[FileEntry]) -> "ImportBook":
        """Read what judging these entries takes."""
        book = cls()
        with all_clusters():
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
        with all_clusters():
            hold_clusters(self.clusters.filed)

    def note(self, row: Revised, *more: object) -> None:
        self.state.add((row.pk, row.revision, *more))

    def peers_near(self, entries: Iterable[FileEntry]) -> Iterator[Peer]:
        """Peers of the clusters in the file, and those that point to them or will."""
        names, hosts = set(), set()
        for entry in entries:
            values = entry.values
            names.add(values.get("name" if entry.kind == CLUSTER else "cluster", ""))
            hosts |= {values.get("publisher_name"), values.get("publisher_address")}
        spelled = {(NAME, name.strip().casefold()) for name in names}
        homes = [cluster.pk for key in spelled for cluster in self.clusters.all(key)]
        addresses = set().union(*(spellings_of(host) for host in hosts if host))
        peers = Peer.objects.defer("entries")
        for part in in_parts(homes):
            yield from peers.filter(Q(cluster__in=part) | Q(remote_cluster__in=part))
        for some in in_parts(addresses):
            yield from peers.annotate(host=Lower("address")).filter(host__in=some)

    def put_peer(self, peer: Peer) -> None:
        peer.cluster = self.clusters.all(peer.cluster_id)[0]
        remote = peer.remote_cluster_id
        peer.remote_cluster = self.clusters.first(remote) if remote else None
        self.peers.put(peer)

    def cluster(self, name: str) -> Cluster | None:
        """The cluster of this name, or the only one that differs from it in case.

        None where the current user may not see it.
        """
        exact = self.clusters.all(name)
        found = exact or self.clusters.all((NAME, name.casefold()))
        seen = [cluster for cluster in found if limit_admits(cluster.pk)]
        return seen[0] if len(seen) == 1 else None

    def peer(self, home: Cluster, address: str) -> Peer | None:
        return self.peers.first((home.pk, address.lower()))

    def owner(self, host: str) -> Cluster | None:
        nodes = self.hosts.all(plain_host(host))
        owner = Ownership(clusters_by_name(nodes)).of(host)
        return self.clusters.first(owner.pk) if owner else None

    def nodes(self, cluster: Cluster) -> Sequence[Node]:
        return self.hosts.all(cluster.pk) if limit_admits(cluster.pk) else []

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

    def count_others(self, peer: Peer) -> int:
        return self.peers.count(peer.cluster_id, but=peer.pk)

    def accept_cluster(self, cluster: Cluster) -> None:
        self.clusters.put(as_saved(cluster))

    def accept_node(self, node: Node) -> None:
        """Take a node in, and find the cluster again of the peers that point to it."""
        before = self.hosts.first(node.pk)
        node = as_saved(node)
        self.hosts.put(node)
        either = [one for one in (before, node) if one]
        names = {name for one in either for name in (one.name, one.address)}
        for host in set().union(*map(spellings_of, names)):
            for peer in self.peers.all(host):
                peer = copy.copy(peer)
                remote = self.owner(peer.address)
                if remote is None and before and relations.is_unchanged(peer, before):
                    continue
                peer.remote_cluster = remote
                self.peers.put(peer)

    def accept_peer(self, peer: Peer) -> None:
        self.peers.put(as_saved(peer))


def as_saved(row: R) -> R:
    """A copy of the row as it is once it is saved."""
    row = copy.copy(row)
    if not row._state.adding:
        row.revision += 1
    row._state.adding = False
    return row


def in_parts(values: Iterable[T]) -> Iterator[list[T]]:
    listed = list(values)
    for start in range(0, len(listed), PART):
        yield listed[start : start + PART]
