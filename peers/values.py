"""The values of a peer that pages, REST, the audit trail and clusters show."""

from peers.models import Peer
from wire import PeerEntry

PEER_FIELDS = (
    "address",
    "username",
    "protocol",
    "external_phone_number_mask",
)


def visible_values(row: Peer | PeerEntry) -> dict[str, str]:
    """The values of a peer, or of a cluster's entry, without the password."""
    return {name: getattr(row, name) for name in PEER_FIELDS}
