"""From the stored rows to nodes that can be judged, and the judgement of each peer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.utils import timezone

from clusters.models import Cluster, Generation, Node
from exchange.judge import (
    Held,
    Shelf,
    Sum,
    TrustCheck,
    TrustNode,
    TrustOutcome,
    TrustState,
    TrustStore,
    checks_of,
    outcome_of,
)
from exchange.models import KnownCertificate, NodeCertificates
from peers.models import Peer

NOT_READ = "It was not read yet."


@dataclass(frozen=True)
class TrustCluster:
    """A cluster with its nodes, the publisher first."""

    id: str
    name: str
    site: str
    nodes: tuple[TrustNode, ...]
    has_account: bool = False


class TrustCell(NamedTuple):
    """What is known of one node and one remote cluster."""

    state: TrustState
    outcome: TrustOutcome
    days: int | None


class Wanted(NamedTuple):
    """The certificates of a cluster by service, and the days until the first ends."""

    ids: dict[str, frozenset[int]]
    days: int


def holds_all(home: TrustNode, wanted: dict[str, frozenset[int]]) -> bool:
    return all(
        service in home.trusts and ids <= home.trusts[service].ids
        for service, ids in wanted.items()
    )


@dataclass(frozen=True)
class TrustData:
    """All nodes in sight, what they present and trust, and which clusters peer."""

    clusters: dict[str, TrustCluster]
    # By home and remote cluster: the key of the peer.
    peers: dict[tuple[str, str], str]
    shelf: Shelf
    now: datetime

    @cached_property
    def read(self) -> list[TrustNode]:
        return [node for node in self.nodes if node.seen_at]

    @property
    def nodes(self) -> Iterator[TrustNode]:
        for cluster in self.clusters.values():
            yield from cluster.nodes

    @property
    def oldest(self) -> datetime | None:
        return min((node.seen_at for node in self.read if node.seen_at), default=None)

    def of_node(self, home: TrustNode, remote: TrustCluster) -> Sum:
        """Whether one node trusts the certificates of a remote cluster."""
        return Sum(tuple(checks_of(home, remote.nodes, self.shelf, self.now)))

    def cell(self, home: TrustNode, remote: TrustCluster) -> TrustCell:
        """The same in a word; a mesh asks for thousands, nearly all of them well."""
        wanted = self.wanted[remote.id]
        if wanted and home.is_fresh(self.now) and holds_all(home, wanted.ids):
            outcome = outcome_of(TrustState.TRUSTED, wanted.days)
            return TrustCell(TrustState.TRUSTED, outcome, wanted.days)
        found = self.of_node(home, remote)
        return TrustCell(found.state, found.outcome, found.days)

    @cached_property
    def wanted(self) -> "dict[str, Wanted | None]":
        """What others must trust of each cluster; None where it is not known whole."""
        return {pk: self._wanted(one) for pk, one in self.clusters.items()}

    def _wanted(self, cluster: TrustCluster) -> "Wanted | None":
        ids: dict[str, set[int]] = {}
        days: list[int] = []
        for node in cluster.nodes:
            for service in node.services:
                one = node.identities.get(service)
                if one is None or not node.is_fresh(self.now):
                    return None
                ids.setdefault(service, set()).add(one.id)
                days.append(one.days_left(self.now))
        if not ids:
            return None
        return Wanted({k: frozenset(v) for k, v in ids.items()}, min(days))

    def by_certificate(self, home: str, remote: str) -> "list[Sum]":
        """Whether a cluster trusts each certificate of a remote one, on all nodes."""
        found: dict[tuple[str, str], list[TrustCheck]] = {}
        there = self.clusters[remote]
        for node in self.clusters[home].nodes:
            for check in checks_of(node, there.nodes, self.shelf, self.now):
                found.setdefault((check.remote.id, check.service), []).append(check)
        return [Sum(tuple(those)) for those in found.values()]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Give the home and remote cluster of each peer between clusters in sight."""
        for home, remote in self.peers:
            if home in self.clusters and remote in self.clusters:
                yield home, remote

    def identities(self) -> Iterator[tuple[TrustNode, str, Held | None]]:
        """Give what every node presents."""
        for node in self.nodes:
            for service, one in sorted(node.identities.items()):
                yield node, service, one


def load_certificates(*only: Any) -> TrustData:
    """Read everything in five queries.

    Args:
        only: the clusters that are wanted; all in sight if none are given.
    """
    clusters = Cluster.objects.order_by("name")
    rows = NodeCertificates.objects.all()
    nodes = Node.objects.order_by("role", "name")
    if only:
        clusters = clusters.filter(pk__in=only)
        nodes = nodes.filter(cluster__in=only)
        rows = rows.filter(node__cluster__in=only)
    seen = {row.pk: row for row in rows}
    shelf = Shelf(held(seen if only else None))
    named = list(
        clusters.values_list("pk", "name", "site", "generation", "os_username")
    )
    xmpp = {pk: generation != Generation.CUP7 for pk, _, _, generation, _ in named}
    views: dict[Any, list[TrustNode]] = {}
    for pk, name, cluster in nodes.values_list("pk", "name", "cluster_id"):
        if cluster in xmpp:
            view = node_view(pk, name, cluster, seen.get(pk), shelf, xmpp[cluster])
            views.setdefault(cluster, []).append(view)
    peers = Peer.objects.exclude(remote_cluster=None).order_by()
    if only:
        peers = peers.filter(cluster__in=only, remote_cluster__in=only)
    return TrustData(
        {
            str(pk): TrustCluster(
                str(pk), name, site, tuple(views.get(pk, ())), bool(account)
            )
            for pk, name, site, _, account in named
        },
        {
            (str(home), str(remote)): str(pk)
            for pk, home, remote in peers.values_list(
                "pk", "cluster_id", "remote_cluster_id"
            )
        },
        shelf,
        timezone.now(),
    )


def held(rows: dict[Any, NodeCertificates] | None) -> dict[int, Held]:
    """Read the certificates that these rows name, or all."""
    found = KnownCertificate.objects.order_by()
    if rows is not None:
        found = found.filter(pk__in=named_by(rows))
    values = found.values_list(
        "pk",
        "fingerprint",
        "subject",
        "issuer",
        "common_name",
        "not_after",
        "key_hash",
        "signer_key",
    )
    return {row[0]: Held(*row) for row in values}


def named_by(rows: dict[Any, NodeCertificates]) -> set[int]:
    named: set[int] = set()
    for row in rows.values():
        named.update(pk for pk in row.identities.values() if pk is not None)
        for one in row.trusts.values():
            named.update(one["certificates"])
    return named


def node_view(
    pk: Any,
    name: str,
    cluster: Any,
    row: NodeCertificates | None,
    shelf: Shelf,
    xmpp: bool,
) -> TrustNode:
    if row is None:
        return TrustNode(str(pk), name, str(cluster), xmpp=xmpp, problem=NOT_READ)
    return TrustNode(
        str(pk),
        name,
        str(cluster),
        {
            service: shelf.by_id.get(key) if key is not None else None
            for service, key in row.identities.items()
        },
        {
            service: TrustStore(frozenset(one["certificates"]), not one["unreadable"])
            for service, one in row.trusts.items()
        },
        row.seen_by,
        row.seen_at,
        xmpp,
        row.problem,
    )


def unknown_because(found: Sum) -> str:
    """Say why it is not known whether a certificate is trusted; empty if it is."""
    for check in found.checks:
        if check.state is TrustState.UNKNOWN:
            if check.certificate is None:
                return f"The certificate of {check.remote.name} is not known."
            return check.home.problem or (
                f"The trust list of {check.home.name} could not be read whole."
            )
    return ""
