"""Intercluster peers, and what people keep of them."""

from peers.models.bulk import BulkDraft
from peers.models.peers import (
    SEVERITY,
    Peer,
    PeerOutcome,
    PeerQuerySet,
    evidence_in,
    is_drifted,
)
from peers.models.uploads import Upload

__all__ = [
    "SEVERITY",
    "BulkDraft",
    "PeerOutcome",
    "Peer",
    "PeerQuerySet",
    "Upload",
    "evidence_in",
    "is_drifted",
]
