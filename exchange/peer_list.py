"""The vendor's check marks of a peer, rebuilt: the remote cluster's certificates."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from exchange.judge import WORST, Sum, TrustOutcome, TrustState
from exchange.pairs import load_certificates, unknown_because
from peers.models import Peer

FORCE_SYNC = (
    "Force Manual Sync with the Tomcat certificates on this cluster, then restart the "
    "Intercluster Sync Agent."
)
NOBODY = "The peer address belongs to no cluster that you can access."


@dataclass(frozen=True)
class Line:
    """One certificate of the remote cluster, and whether this one trusts it."""

    node: str
    service: str
    sum: Sum

    @property
    def outcome(self) -> TrustOutcome:
        return self.sum.outcome

    @property
    def state(self) -> TrustState:
        return self.sum.state

    @property
    def days(self) -> int | None:
        return self.sum.days

    @property
    def expired(self) -> bool:
        return self.days is not None and self.days < 0

    @property
    def wrong_on(self) -> list[str]:
        """The nodes of this cluster that do not trust it."""
        bad = (TrustState.MISSING, TrustState.OLD)
        return [one.home.name for one in self.sum.checks if one.state in bad]

    @property
    def because(self) -> str:
        return unknown_because(self.sum) if self.state is TrustState.UNKNOWN else ""


@dataclass(frozen=True)
class PeerList:
    """The certificates of a peer."""

    lines: list[Line] = field(default_factory=list)
    # Why there is nothing to list.
    problem: str = ""
    oldest: datetime | None = None

    @property
    def outcome(self) -> TrustOutcome:
        found = {line.outcome for line in self.lines}
        return next((one for one in WORST if one in found), TrustOutcome.UNKNOWN)

    @property
    def solution(self) -> str:
        bad = any(
            line.state in (TrustState.MISSING, TrustState.OLD) for line in self.lines
        )
        return FORCE_SYNC if bad else ""


def peer_list(peer: Peer) -> PeerList:
    """Judge each certificate of the remote cluster."""
    if peer.remote_cluster_id is None:
        return PeerList(problem=NOBODY)
    found = load_certificates(peer.cluster_id, peer.remote_cluster_id)
    home, remote = str(peer.cluster_id), str(peer.remote_cluster_id)
    if home not in found.clusters or remote not in found.clusters:
        return PeerList(problem=NOBODY)
    lines = list(lines_of(found.by_certificate(home, remote)))
    if not found.read:
        return PeerList(problem="The certificates of both clusters were not read yet.")
    return PeerList(lines, oldest=found.oldest)


def lines_of(sums: list[Sum]) -> Iterator[Line]:
    for one in sums:
        first = one.checks[0]
        yield Line(first.remote.name, first.service, one)
