"""Which cluster a peer leads to, found again when nodes change."""

from django.db.models import Q

from accounts.cluster_limits import all_clusters
from clusters.models import Node
from clusters.ownership import spellings_of
from peers import inventory
from peers.models import Peer
from wire import plain_host


def relink_peers(node: Node, before: Node | None = None) -> None:
    """Find the remote cluster again of the peers that point to a node.

    Args:
        before: the node before it was edited.
    """
    nodes = [node, before] if before else [node]
    names = {name for node in nodes for name in (node.name, node.address)}
    query = Q()
    for host in set().union(*map(spellings_of, names)):
        query |= Q(address__iexact=host)
    with all_clusters():
        for peer in Peer.objects.filter(query):
            remote = inventory.known_source().owner(peer.address)
            if remote is None and before and is_unchanged(peer, before):
                continue
            Peer.objects.filter(pk=peer.pk).mark_remote(remote.pk if remote else None)


def is_unchanged(peer: Peer, before: Node) -> bool:
    """Whether a peer belongs to the cluster of a node by the name that it had.

    A node that is renamed is still the same machine; one that moved is not.
    """
    if before.cluster_id != peer.remote_cluster_id:
        return False
    return plain_host(peer.address) in spellings_of(before.name) - spellings_of(
        before.address
    )
