"""A peer among the facts: what its judgements look at."""

from dataclasses import dataclass
from datetime import datetime

from clusters.ownership import Ownership
from diagnostics.facts import ClusterFacts, ExchangedTrust, Facts, NodeFacts, PeerFacts
from diagnostics.judge.verdict import Fix
from wire import PeerEntry, plain_host


@dataclass(frozen=True)
class PeerView:
    """A peer with the facts of both its clusters."""

    peer: PeerFacts
    home: ClusterFacts
    remote: ClusterFacts | None
    back: PeerFacts | None
    at: datetime
    owners: Ownership[str]
    exchanged: ExchangedTrust | None = None

    @classmethod
    def of(cls, facts: Facts, peer: PeerFacts) -> "PeerView":
        remote = facts.clusters.get(peer.remote) if peer.remote else None
        back = facts.peer_of(remote.id, peer.home) if remote else None
        home = facts.clusters[peer.home]
        exchanged = facts.exchanged.get((peer.home, peer.remote or ""))
        return cls(peer, home, remote, back, facts.at, facts.owners, exchanged)

    @property
    def page(self) -> Fix:
        return Fix("peers:edit_peer", self.peer.id)

    @property
    def address_field(self) -> Fix:
        return Fix("peers:edit_peer", self.peer.id, field="address")

    @property
    def target(self) -> NodeFacts | None:
        nodes = self.remote.nodes if self.remote else ()
        return next((node for node in nodes if node.id == self.peer.target), None)

    @property
    def machines(self) -> Ownership[str]:
        """Which node of the remote cluster an address is."""
        return self.remote.machines if self.remote else Ownership()

    @property
    def entry(self) -> PeerEntry | None:
        """The row of this peer in the home cluster's own table.

        Names and addresses of one node are spellings of one entry.
        """
        same = self.home.entries.get(plain_host(self.peer.address))
        alike = self.machines.same
        found = (one for one in self.entries if alike(one.address, self.peer.address))
        return same or next(found, None)

    @property
    def spelling(self) -> str:
        """Another address of the same node, if the cluster has the entry with that."""
        found = self.entry.address if self.entry else ""
        alike = plain_host(found) == plain_host(self.peer.address)
        return "" if alike else found

    @property
    def moved(self) -> PeerEntry | None:
        """The row that points to the remote cluster under an address not wanted."""
        if self.entry or self.remote is None:
            return None
        return next(iter(self.entries), None)

    @property
    def entries(self) -> tuple[PeerEntry, ...]:
        """All rows of the home cluster's table that point to the remote cluster."""
        if self.remote is None:
            return ()
        return self.home.entries_for(self.remote, self.owners)

    @property
    def drift(self) -> Fix:
        """Where the cluster's values are taken over, or ours written again."""
        return Fix("peers:drift", self.peer.id)

    @property
    def entry_back(self) -> PeerEntry | None:
        """The row on the remote cluster that points to the home cluster."""
        if self.remote is None:
            return None
        known = self.back and self.remote.entries.get(plain_host(self.back.address))
        pointing = self.remote.entries_for(self.home, self.owners)
        return known or next(iter(pointing), None)

    @property
    def users_here(self) -> int | None:
        """The users of the remote cluster that the home cluster shows."""
        return self.home.users_of(self.remote, self.owners) if self.remote else None

    @property
    def users_there(self) -> int | None:
        """The remote cluster's own users."""
        return self.remote.own_users() if self.remote else None


def set_up(one: ClusterFacts, other: ClusterFacts) -> Fix:
    """The page that makes both entries of two clusters, with both chosen."""
    return Fix("mesh:set_up", query=f"one={one.id}&other={other.id}")
