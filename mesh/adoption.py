"""A mesh that was there before the console: its peerings become peers at once.

Nothing is written to a cluster. What a cluster shows in its peer table is taken as it
stands there; where no table can be read, users that equal those of the other cluster
prove the entry, and its values are those that the console would write.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.audit import Actor
from clusters.inventory import node_ownership
from clusters.models import Cluster
from clusters.ownership import Ownership
from diagnostics.jobs.check import CheckPeers
from mesh import applying
from mesh.grouping import PAGES, TABLE, USERS
from mesh.intent import Credentials, peering_user
from mesh.models import ObservedPeerTable, UsersSeen
from mesh.plan import address_for
from peers.models import Peer
from peers.values import visible_values
from wire import PeerEntry, Secret

HELD = "The console has this peer."


@dataclass(frozen=True)
class PeeringEvidence:
    """An entry that a cluster shows for another, or why none is seen.

    Args:
        values: those of the peer; empty where nothing is adopted.
        by: `table`, `pages` or `users`.
        assumed: the names of those values that the cluster did not show.
        reason: why it is not adopted; empty where it is.
        held: whether the console has the peer already.
    """

    home: Cluster
    remote: Cluster
    values: Mapping[str, str]
    by: str = ""
    reason: str = ""
    held: bool = False
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adoption:
    """What became of a mesh: the new peers, and the pairs that were left out."""

    adopted: list[Peer]
    skipped: list[PeeringEvidence]


class Observer:
    """Says of each pair of clusters what the home cluster shows of the remote one."""

    def __init__(
        self, clusters: Iterable[Cluster], credentials: Mapping[UUID, Credentials]
    ) -> None:
        self.clusters = list(clusters)
        self.credentials = credentials
        self.owners: Ownership[UUID] = node_ownership()
        pks = [cluster.pk for cluster in self.clusters]
        self.tables = ObservedPeerTable.objects.in_bulk(pks)
        rows = UsersSeen.objects.filter(pk__in=pks)
        self.counts = {row.pk: self.by_owner(row) for row in rows}
        self.unlisted = {row.pk: row.users.get("", 0) for row in rows}
        self.held = set(
            Peer.objects.order_by().values_list("cluster", "remote_cluster")
        )

    def by_owner(self, row: UsersSeen) -> Counter[UUID | None]:
        """Count the users that a cluster shows by the cluster that they belong to."""
        counts: Counter[UUID | None] = Counter()
        for name, number in row.users.items():
            counts[self.owners.of(name)] += number
        return counts

    def sightings(self) -> Iterator[PeeringEvidence]:
        for home, remote in permutations(self.clusters, 2):
            yield self.evidence_of(home, remote)

    def evidence_of(self, home: Cluster, remote: Cluster) -> PeeringEvidence:
        if (home.pk, remote.pk) in self.held:
            return PeeringEvidence(
                home, remote, {}, reason="The console has this peer.", held=True
            )
        table = self.tables.get(home.pk)
        if table is not None:
            return self.in_table(home, remote, table)
        return self.by_users(home, remote)

    def in_table(
        self, home: Cluster, remote: Cluster, table: ObservedPeerTable
    ) -> PeeringEvidence:
        by = PAGES if table.by_pages else TABLE
        entries = [e for e in table.all if self.owners.of(e.address) == remote.pk]
        if not entries:
            reason = f"{home} has no entry for {remote}."
            return PeeringEvidence(home, remote, {}, by, reason)
        values = self.values_in(entries[0], remote)
        seen = visible_values(entries[0])
        assumed = tuple(name for name in ("username", "protocol") if not seen[name])
        return PeeringEvidence(home, remote, values, by, assumed=assumed)

    def values_in(self, entry: PeerEntry, remote: Cluster) -> dict[str, str]:
        """The values of an entry; what its table does not tell is the usual one."""
        values = visible_values(entry)
        values["protocol"] = values["protocol"] or Peer.Protocol.TCP
        values["username"] = values["username"] or self.user_of(remote).username
        return values

    def by_users(self, home: Cluster, remote: Cluster) -> PeeringEvidence:
        here, there = self.count(home, remote), self.count(remote, remote)
        if here is None or there is None:
            unread = home if here is None else remote
            reason = f"{unread} has not been read yet; run a sweep."
            return PeeringEvidence(home, remote, {}, "", reason)
        if not here or here != there:
            reason = f"{home} has {here} of the {there} users of {remote}."
            if not here and self.unlisted.get(home.pk):
                reason = (
                    f"{home} has users on nodes that its node table does not list; "
                    f"whether they are those of {remote} is not known."
                )
            return PeeringEvidence(home, remote, {}, USERS, reason)
        values = {
            "address": address_for(home, remote),
            "username": self.user_of(remote).username,
            "protocol": Peer.Protocol.TCP.value,
            "external_phone_number_mask": "",
        }
        assumed = tuple(name for name in values if name != "address")
        return PeeringEvidence(home, remote, values, USERS, assumed=assumed)

    def count(self, where: Cluster, whose: Cluster) -> int | None:
        """Count the users of one cluster on another, None where nobody counted."""
        counts = self.counts.get(where.pk)
        return None if counts is None else counts[whose.pk]

    def user_of(self, remote: Cluster) -> Credentials:
        return self.credentials.get(remote.pk) or peering_user(remote)

    def password_for(self, evidence: PeeringEvidence) -> Secret:
        """The password of the entry's user, where the console knows it."""
        user = self.user_of(evidence.remote)
        known = user.username == evidence.values["username"]
        return user.password if known else Secret("")


def adopt_peerings(
    clusters: Iterable[Cluster],
    actor: Actor,
    credentials: Mapping[UUID, Credentials] | None = None,
) -> Adoption:
    """Take every peering that these clusters show into the console; check them all."""
    observer = Observer(clusters, credentials or {})
    adopted, skipped = [], []
    with transaction.atomic():
        for one in observer.sightings():
            if one.reason:
                skipped.append(one)
                continue
            try:
                password = observer.password_for(one).reveal()
                adopted.append(applying.take_in(one, password, actor))
            except ValidationError as error:
                reason = " ".join(error.messages)
                skipped.append(
                    PeeringEvidence(one.home, one.remote, {}, one.by, reason)
                )
        if adopted:
            CheckPeers.submit(adopted, actor)
    return Adoption(adopted, skipped)
