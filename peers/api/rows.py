"""The peers of a list as REST shows them, read and written without models.

`PeerSerializer` says what a peer looks like; a test holds the two together. A page of
500 costs a third this way.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from peers.drift import side_by_side
from peers.models import Peer

PLAIN = (
    "address",
    "username",
    "protocol",
    "external_phone_number_mask",
    "provisioning_state",
    "associated_users",
    "remote_users",
)
COLUMNS = (
    "id",
    "cluster_id",
    "remote_cluster_id",
    "password",
    "outcome",
    "checked_at",
    "entries",
    "created_at",
    "updated_at",
    "drift",
    "removing",
    *PLAIN,
)


def listed(peers: QuerySet[Peer]) -> QuerySet[Peer, tuple[Any, ...]]:
    """The columns of these peers, without the tables beside."""
    return peers.select_related(None).values_list(*COLUMNS)


def as_shown(row: tuple[Any, ...]) -> dict[str, Any]:
    """One row of `listed`, in the names and the order of the serializer."""
    pk, cluster, remote, password, outcome, checked, entries, *rest = row
    made, edited, found, removing, *plain = rest
    address, username, protocol, mask, state, associated, remote_users = plain
    drifted = found and not removing and state == Peer.ProvisioningState.APPLIED
    return {
        "id": str(pk),
        "cluster": str(cluster),
        "remote_cluster": str(remote) if remote else None,
        "address": address,
        "username": username,
        "password_set": bool(password),
        "protocol": protocol,
        "external_phone_number_mask": mask,
        "provisioning_state": state,
        "drift": side_by_side(dict(zip(PLAIN, plain, strict=True)), found)
        if drifted
        else {},
        "associated_users": associated,
        "remote_users": remote_users,
        "status": {
            "outcome": outcome,
            "checked_at": told(checked),
            "entries": entries,
        },
        "created_at": told(made),
        "updated_at": told(edited),
    }


def told(at: datetime | None) -> str | None:
    """A time as the serializer writes it."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
