"""Verifying pairs once they are written: many at a time, as seldom as will do.

Users come some time after the entries. Counting them is one short question to each
publisher. Once the counts agree the initial sync is over and the clusters are free for
the next; the check of everything follows for many pairs at once.
"""

import time
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import prefetch_related_objects

from clusters.models import Cluster
from clusters.ownership import Ownership
from clusters.requests import is_near
from diagnostics.checks import check_peers
from diagnostics.collect import count_users
from diagnostics.facts import ClusterFacts, ownership_of
from diagnostics.node_addresses import clusters_of
from jobs.models import JobStep
from jobs.run import Run
from mesh.pairs import Pair
from peers.models import Peer, PeerOutcome

# A cluster needs some seconds to carry its users after the entries were written.
VERIFY_FOR = 90.0
# Between two looks at the counts: at first, and at most.
SOON, VERIFY_EVERY = 0.5, 2.0
# A pair whose counts never agree is checked as a whole this often all the same.
CHECK_EVERY = 10.0

GOOD = "Both entries are healthy, and the numbers of users agree."


@dataclass
class PairWatch:
    """A pair that is written and not yet verified."""

    pair: Pair
    peers: list[Peer]
    since: float = field(default_factory=time.monotonic)
    checked: float = field(default_factory=time.monotonic)
    # The users are there, so the initial sync is over.
    agreed: bool = False
    # It was checked as a whole.
    seen: bool = False

    @property
    def late(self) -> bool:
        return time.monotonic() - self.since > VERIFY_FOR

    @property
    def due(self) -> bool:
        """Whether the pair must not wait longer for a whole check."""
        return self.late or time.monotonic() - self.checked > CHECK_EVERY


class Verification:
    """The pairs of one attempt whose initial sync is under way."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.open: dict[str, PairWatch] = {}

    def begin(self, pairs: list[Pair]) -> None:
        if pairs:
            label = f"Verify {len(self.open) + len(pairs)} peerings"
            self.run.begin_steps({pair.verify: {} for pair in pairs}, label)
        self.open |= {
            pair.verify: PairWatch(pair, pair.stored_peers()) for pair in pairs
        }

    @property
    def busy(self) -> set[UUID]:
        """The clusters that have an initial sync now."""
        return {pk for w in self.syncing for pk in w.pair.clusters}

    @property
    def syncing(self) -> list[PairWatch]:
        return [watch for watch in self.open.values() if not watch.agreed]

    def check_pairs(self, *, last: bool) -> None:
        """Settle the pairs that are good by now, and those that are late.

        Args:
            last: no pair is left to begin with, so a whole check keeps none waiting.
        """
        self.count()
        ripe = [watch for watch in self.open.values() if watch.agreed or watch.late]
        news = [watch for watch in ripe if not watch.seen]
        waited = any(watch.due for watch in self.open.values())
        if waited or (news and last and not self.syncing):
            self.settle(
                {w.pair.verify: w for w in self.open.values() if w in ripe or w.due}
            )
        if self.syncing or (last and self.open):
            self.run.raise_if_cancelled()
            time.sleep(self.pause())

    def count(self) -> None:
        """See which pairs have carried all their users.

        Clusters of other sites are not asked so often: whole checks ask their workers.
        """
        if not self.busy:
            return
        rows = Cluster.objects.filter(pk__in=self.busy)
        clusters = [cluster for cluster in rows if is_near(cluster)]
        prefetch_related_objects(clusters, "nodes")
        counted = count_users(clusters_of(clusters))
        owners = ownership_of(counted.values())
        for watch in self.syncing:
            watch.agreed = counts_agree(watch.pair, counted, owners)

    def settle(self, due: dict[str, PairWatch]) -> None:
        outcomes = check_peers([peer for watch in due.values() for peer in watch.peers])
        results: dict[str, tuple[str, str]] = {}
        for key, watch in due.items():
            watch.checked, watch.seen = time.monotonic(), True
            if is_good(watch.peers, outcomes):
                results[key] = (JobStep.State.DONE, GOOD)
            elif watch.late:
                results[key] = (JobStep.State.FAILED, what_is_wrong(watch.peers))
        self.run.end_steps(results)
        for key in results:
            del self.open[key]

    def pause(self) -> float:
        """Look often at what was written just now, and less and less often later."""
        youngest = max(watch.since for watch in self.open.values())
        return min(VERIFY_EVERY, max(SOON, (time.monotonic() - youngest) / 4))


def counts_agree(
    pair: Pair, counted: dict[str, ClusterFacts], owners: Ownership[str]
) -> bool:
    """Whether each cluster shows as many users of the other as the other has."""
    one, other = (counted.get(str(pk)) for pk in pair.clusters)
    if one is None or other is None:
        return False
    return all(
        home.users_of(remote, owners) == remote.own_users() is not None
        for home, remote in ((one, other), (other, one))
    )


def is_good(peers: list[Peer], outcomes: dict[str, str]) -> bool:
    return bool(peers) and all(
        outcomes.get(str(peer.pk)) == PeerOutcome.PASSED for peer in peers
    )


def what_is_wrong(peers: list[Peer]) -> str:
    """Name what is still wrong, from the last check."""
    rows = Peer.objects.filter(pk__in=[peer.pk for peer in peers])
    problems = [
        f"{peer}: {entry['problem'] or entry['label']}"
        for peer in rows.select_related("cluster")
        for entry in peer.entries
        if entry["outcome"] != "passed"
    ]
    return "Written, but not verified in time. " + " ".join(problems[:5])
