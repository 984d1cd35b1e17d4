"""Finding out by DNS to which cluster a peer leads."""

import wire
from clusters.connections import cluster_policy
from clusters.inventory import node_ownership
from clusters.models import Cluster
from clusters.requests import is_near
from diagnostics.collect import resolve_all
from diagnostics.collect_peer import RESOLVE
from peers.models import Peer


def find_remotes(peers: list[Peer], *, seconds: float = RESOLVE) -> None:
    """Learn by DNS which managed cluster an address leads to, where no name tells.

    The peers of other sites are looked up by their workers.
    """
    without_remote = [peer for peer in peers if peer.remote_cluster_id is None]
    if not without_remote:
        return
    homes = {peer.cluster_id for peer in without_remote}
    near = {one.pk for one in Cluster.objects.filter(pk__in=homes) if is_near(one)}
    without_remote = [peer for peer in without_remote if peer.cluster_id in near]
    addresses = [peer.address for peer in without_remote]
    found = wire.run_loop(resolve_all(addresses, cluster_policy(), seconds))
    owners = node_ownership()
    for peer, hosts in zip(without_remote, found, strict=True):
        led_to = set(map(owners.of, hosts)) - {None, peer.cluster_id}
        if len(led_to) == 1:
            peer.remote_cluster_id = led_to.pop()
            Peer.objects.filter(pk=peer.pk).mark_remote(peer.remote_cluster_id)
