"""The canaries of the two clusters of a peer."""

from collections.abc import Iterable
from uuid import UUID

from peers.models import Peer
from proof.models import Canary, canary_of


class NoCanary(Exception):
    """A cluster of the peering has no canary, or is not managed."""


def pair_of(peer: Peer) -> tuple[Canary, Canary]:
    """The canaries of both clusters of a peer: who watches, and who is watched.

    Raises:
        NoCanary: with the sentence for a person.
    """
    if peer.remote_cluster is None:
        raise NoCanary("The remote cluster is not managed by this console.")
    watcher, watched = canary_of(peer.cluster), canary_of(peer.remote_cluster)
    if watcher is None or watched is None:
        both = ((watcher, peer.cluster), (watched, peer.remote_cluster))
        missing = [cluster.name for row, cluster in both if row is None]
        raise NoCanary(f"No canary user is set for {' and '.join(missing)}.")
    return watcher, watched


def with_canaries(pk: UUID | str) -> Peer | None:
    """A peer with what its proof needs."""
    rows = Peer.objects.select_related(
        "cluster__canary_row", "remote_cluster__canary_row"
    )
    return rows.filter(pk=pk).first()


def locks_of(peers: Iterable[Peer]) -> set[str]:
    return {row.lock for peer in peers for row in pair_of(peer)}
