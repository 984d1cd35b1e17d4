"""Checking peers: which clusters that takes, and the jobs that do it."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

import wire
from accounts.audit import CONSOLE, Actor
from diagnostics.collect import collect, resolve_all
from diagnostics.facts import Facts
from diagnostics.record import record
from diagnostics.service_readings import allowed
from diagnostics.targets import clusters_of, peers_of
from jobs.locks import Busy
from jobs.models import Job
from peers.changes import queue_of
from peers.connections import policy
from peers.models import Cluster, Node, Peer

TOTAL = 45.0
# So many peers in one step: a step's collection fits into TOTAL.
CHUNK = 50


def submit_check(
    peers: Sequence[Peer], actor: Actor = CONSOLE, *, until_verified: int = 0
) -> Job:
    """Submit a check of peers; of one peer, the check that runs already will do.

    Args:
        until_verified: seconds to repeat the check for, until all is good.
    """
    one = peers[0] if len(peers) == 1 else None
    lock = f"verify:{one.pk}" if one and until_verified else f"check:{one and one.pk}"
    try:
        return Job.objects.submit(
            "check-peers",
            steps_for(peers),
            target=one,
            label="" if one else f"{len(peers)} peers",
            clusters={peer.cluster_id for peer in peers},
            arguments={
                "peers": [str(peer.pk) for peer in peers],
                "until_verified": until_verified,
            },
            locks=[lock] if one else [],
            user=actor.user,
            address=actor.address,
            queue=queue_of(one.cluster) if one else "",
        )
    except Busy as busy:
        return busy.job


def steps_for(peers: Sequence[Peer]) -> list[tuple[str, str]]:
    if len(peers) == 1:
        return [("check-0", f"Check {peers[0]}")]
    firsts = range(0, len(peers), CHUNK)
    return [
        (f"check-{n}", f"Check peers {first + 1} to {min(first + CHUNK, len(peers))}")
        for n, first in enumerate(firsts)
    ]


def running_check(peer: Peer) -> Job | None:
    """Return the unfinished job that will renew the peer's status, if there is one."""
    about = Q(target_id=str(peer.pk)) | Q(kind="check-peers", target_id="")
    jobs: list[Job] = list(Job.objects.active().filter(about))
    for job in jobs:
        if job.target_id or str(peer.pk) in job.arguments.get("peers", ()):
            return job
    return None


def check(peers: Iterable[Peer]) -> dict[str, str]:
    """Check peers now, both sides in one collection; return outcomes by peer id."""
    return record(collect_for(list(peers)))


def check_with_back(peer: Peer) -> dict[str, str]:
    """Check a peer and the one that points back, whose status hangs on it as well.

    Returns the outcome of the peer alone. Both need the same two clusters, so that the
    other side costs little.
    """
    back = [row for row in reverses([peer]) if not row.removing]
    outcomes = check([peer, *back])
    return {pk: outcome for pk, outcome in outcomes.items() if pk == str(peer.pk)}


def collect_for(
    peers: list[Peer], *, also: Iterable[Any] = (), **options: Any
) -> Facts:
    """Collect the facts of these peers, of all clusters they touch, and of others."""
    find_remotes(peers)
    touched = {*map(UUID, also)}
    touched |= {peer.cluster_id for peer in peers}
    touched |= {peer.remote_cluster_id for peer in peers if peer.remote_cluster_id}
    rows = Cluster.objects.filter(pk__in=touched).prefetch_related("nodes")
    clusters = clusters_of(rows)
    with allowed(clusters) as clusters:
        return collect(
            clusters,
            peers_of(peers, clusters),
            held=peers_of(reverses(peers), clusters),
            **({"total": TOTAL} | options),
        )


def find_remotes(peers: list[Peer]) -> None:
    """Learn by DNS which managed cluster an address leads to, where no name tells."""
    strangers = [peer for peer in peers if peer.remote_cluster_id is None]
    if not strangers:
        return
    found = wire.run(resolve_all([peer.address for peer in strangers], policy()))
    owners = {
        text.casefold(): cluster
        for name, address, cluster in Node.objects.values_list(
            "name", "address", "cluster"
        )
        for text in (name, address)
    }
    for peer, hosts in zip(strangers, found, strict=True):
        led_to = {owners[host] for host in hosts if host in owners} - {peer.cluster_id}
        if len(led_to) == 1:
            peer.remote_cluster_id = led_to.pop()
            Peer.objects.filter(pk=peer.pk).update(
                remote_cluster=peer.remote_cluster_id
            )


def reverses(peers: Iterable[Peer]) -> list[Peer]:
    """Return the console's own entries that point back, in one query."""
    peers = [peer for peer in peers if peer.remote_cluster_id]
    wanted = {(peer.remote_cluster_id, peer.cluster_id) for peer in peers}
    rows = Peer.objects.filter(
        cluster__in={home for home, _ in wanted},
        remote_cluster__in={remote for _, remote in wanted},
    ).defer("entries")
    return [row for row in rows if (row.cluster_id, row.remote_cluster_id) in wanted]
