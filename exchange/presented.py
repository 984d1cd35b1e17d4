"""What the nodes present, the certificate that expires first on top."""

from dataclasses import dataclass
from datetime import datetime

from exchange.judge import Held, TrustNode, TrustOutcome, TrustState, outcome_of
from exchange.pairs import TrustCluster, TrustData


@dataclass(frozen=True)
class Presented:
    """The certificate of one service of a node."""

    cluster: TrustCluster
    node: TrustNode
    service: str
    certificate: Held | None
    now: datetime

    @property
    def days(self) -> int | None:
        return self.certificate.days_left(self.now) if self.certificate else None

    @property
    def outcome(self) -> TrustOutcome:
        known = TrustState.TRUSTED if self.certificate else TrustState.UNKNOWN
        return outcome_of(known, self.days)


def presented_certificates(found: TrustData) -> list[Presented]:
    rows = [
        Presented(found.clusters[node.cluster], node, service, one, found.now)
        for node, service, one in found.identities()
    ]
    rows.sort(key=lambda row: (row.days is None, row.days or 0, row.node.name))
    return rows
