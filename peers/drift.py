"""Entries that were changed on a cluster behind the console's back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clusters.ownership import Ownership
from peers.models import Peer
from peers.values import PEER_FIELDS, visible_values
from wire import PeerEntry

# Knows no node: only the same spelling is the same address.
EXACT: Ownership[Any] = Ownership()


@dataclass(frozen=True)
class Difference:
    """A field of a peer, as it is wanted and as the cluster has it."""

    name: str
    label: str
    wanted: str
    cluster: str


def drift_of(
    wanted: Mapping[str, str],
    entry: PeerEntry,
    machines: Ownership[Any] = EXACT,
) -> dict[str, str]:
    """The values of a cluster's entry that are not those desired.

    Args:
        machines: whose nodes addresses are; another spelling of one is no drift.
    """
    found = visible_values(entry)
    if machines.same(found["address"], wanted["address"]):
        del found["address"]
    if not found["protocol"]:  # a code that nobody knows yet is no other protocol
        del found["protocol"]
    return {name: value for name, value in found.items() if value != wanted[name]}


def side_by_side(
    wanted: dict[str, str], found: dict[str, str]
) -> dict[str, dict[str, str]]:
    """Each field that differs with both its values, as REST shows them."""
    return {
        name: {"wanted": wanted[name], "cluster": found[name]}
        for name in PEER_FIELDS
        if name in found
    }


def differences_of(peer: Peer) -> list[Difference]:
    """All fields of a peer whose entry was changed, or removed; none if neither."""
    if not (peer.drifted or peer.removed_there):
        return []
    found = []
    for name in PEER_FIELDS:
        desired = getattr(peer, name)
        theirs = "" if peer.removed_there else peer.drift.get(name, desired)
        label = str(Peer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        found.append(Difference(name, label, desired, theirs))
    return found
