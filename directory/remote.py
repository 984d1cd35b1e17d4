"""The directory numbers on both sides of a peer that is being written."""

from uuid import UUID

from accounts.scope import admits
from directory.homes import Directory, Side
from peers.mask import apply_mask
from peers.models import Cluster, Peer, owner_of


def directions(
    home: UUID | None, address: str
) -> tuple[Cluster | None, list[str], list[str | None]]:
    """The remote cluster of a peer address, its numbers, and those of the home
    cluster as the remote cluster sees them."""
    remote = owner_of(address) if address else None
    if remote is None or not admits(remote.pk):
        return None, [], []
    directory = Directory()
    numbers = numbers_of(directory.side(remote.pk))
    back = Peer.objects.filter(cluster=remote, remote_cluster=home).first()
    if home is None or back is None:
        return remote, numbers, []
    mask = back.external_phone_number_mask
    own = numbers_of(directory.side(home))
    return remote, numbers, [apply_mask(mask, number) for number in own]


def numbers_of(side: Side | None) -> list[str]:
    """The directory numbers of a cluster's own users."""
    if side is None:
        return []
    return [user.number for user in side.columns.users(side.own_numbers.rows)]
