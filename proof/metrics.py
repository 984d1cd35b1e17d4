"""What monitoring reads of proofs; what was never proven has no sample."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric

from diagnostics.metrics import metric_family
from proof.models import Proof

# A pair of clusters may have several peers, so that the address names one.
LABELS = ("cluster", "remote", "address")


class ProofCollector:
    """The newest proof of each peer that may be seen."""

    def collect(self) -> Iterator[Metric]:
        rows = [(names_of(row), row) for row in Proof.objects.newest()]
        yield metric_family(
            "presence_outcome",
            "1 for the outcome that the newest proof of a peer has.",
            (*LABELS, "outcome"),
            (((*names, row.outcome), 1) for names, row in rows),
        )
        yield metric_family(
            "presence_latency_seconds",
            "How long presence took to arrive in the newest proof of a peer.",
            LABELS,
            (
                (names, row.latency_ms / 1000)
                for names, row in rows
                if row.latency_ms is not None
            ),
        )
        yield metric_family(
            "presence_message_seconds",
            "How long a message there and back took in the newest proof of a peer.",
            LABELS,
            (
                (names, row.message_ms / 1000)
                for names, row in rows
                if row.message_ms is not None
            ),
        )
        yield metric_family(
            "presence_proof_timestamp_seconds",
            "When the newest proof of a peer was made.",
            LABELS,
            ((names, row.at.timestamp()) for names, row in rows),
        )


def register_metrics(registry: CollectorRegistry) -> None:
    registry.register(ProofCollector())


def names_of(row: Proof) -> tuple[str, ...]:
    peer = row.peer
    remote = peer.remote_cluster.name if peer.remote_cluster else ""
    return peer.cluster.name, remote, peer.address
