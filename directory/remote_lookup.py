"""The directory numbers on both clusters of a peer that is being written."""

from uuid import UUID

from accounts.cluster_limits import limit_admits
from clusters.models import Cluster
from directory.ownership import Directory, UserListing
from peers import inventory
from peers.mask import apply_mask
from peers.models import Peer


def numbers_of_both(
    home: UUID | None, address: str
) -> tuple[Cluster | None, list[str], list[str | None]]:
    """The remote cluster of a peer address, its numbers, and those of the home
    cluster as the remote cluster sees them."""
    remote = inventory.known_source().owner(address) if address else None
    if remote is None or not limit_admits(remote.pk):
        return None, [], []
    directory = Directory()
    numbers = numbers_of(directory.listing(remote.pk))
    back = Peer.objects.filter(cluster=remote, remote_cluster=home).first()
    if home is None or back is None:
        return remote, numbers, []
    mask = back.external_phone_number_mask
    own = numbers_of(directory.listing(home))
    return remote, numbers, [apply_mask(mask, number) for number in own]


def numbers_of(listing: UserListing | None) -> list[str]:
    """The directory numbers of a cluster's own users."""
    if listing is None:
        return []
    return [user.number for user in listing.columns.users(listing.own_numbers.rows)]
