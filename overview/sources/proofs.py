"""What the newest proof of each peer found, where no other cause explains it.

What keeps a canary from being signed in is one cause for all peers of its cluster, and
what keeps presence from arriving one for both directions of a peering.
"""

from clusters.models import Cluster
from overview.found import Affected, Found, ProblemBook
from presence import Stage
from proof.models import Proof

# Stages that say something about one cluster alone: that of the watcher, or the other.
_OF_HOME, _OF_REMOTE = (Stage.NOT_SIGNED_IN,), (Stage.NOT_SET,)


def report_proofs(book: ProblemBook) -> None:
    for proof in failed_proofs():
        peer = proof.peer
        if book.of_peer[peer.pk] and proof.outcome == Proof.Outcome.FAILED:
            continue
        cluster = cluster_at_fault(proof)
        found = of_cluster(proof, cluster) if cluster else of_peering(proof)
        label = f"{peer.address} on {peer.cluster.name}"
        affected = Affected("peer", str(peer.pk), label, str(peer.cluster_id))
        book.report(found).affect(affected)


def cluster_at_fault(proof: Proof) -> Cluster | None:
    if proof.stage in _OF_HOME:
        return proof.peer.cluster
    return proof.peer.remote_cluster if proof.stage in _OF_REMOTE else None


def of_cluster(proof: Proof, cluster: Cluster) -> Found:
    return Found(
        f"presence:{cluster.pk}:{proof.code}",
        "peer_presence",
        proof.outcome,
        proof.problem,
        f"{cluster.get_absolute_url()}#canary-head",
        cluster.pk,
        whole=True,
        since=proof.at,
    )


def of_peering(proof: Proof) -> Found:
    peer = proof.peer
    both = sorted(str(pk) for pk in (peer.cluster_id, peer.remote_cluster_id))
    return Found(
        f"presence:{':'.join(both)}:{proof.code}",
        "peer_presence",
        proof.outcome,
        proof.problem,
        f"{peer.get_absolute_url()}#status",
        peer.cluster_id,
        touches=frozenset(filter(None, [peer.remote_cluster_id])),
        whole=True,
        since=proof.at,
    )


def failed_proofs() -> list[Proof]:
    """The newest proofs that did not pass, of peerings that still have canaries."""
    found = Proof.objects.newest().provable().exclude(outcome=Proof.Outcome.PASSED)
    return list(found.order_by("peer__cluster__name", "peer__address"))
