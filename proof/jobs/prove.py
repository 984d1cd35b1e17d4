"""Prove presence: does a user of one cluster see a user of another?"""

from datetime import timedelta
from functools import partial

from django.utils import timezone

from accounts import audit
from accounts.audit import CONSOLE, Actor
from accounts.roles import Role
from clusters.models import Cluster
from clusters.requests import go_near, is_near, unreached
from jobs.kind import JobKind, StepKind
from jobs.models import Job
from jobs.run import Step
from jobs.sites import served_by
from peers.models import Peer, PeerOutcome
from proof.models import Proof
from proof.pairs import NoCanary, locks_of, pair_of, with_canaries
from proof.proving import prove_direction

LATER = 15.0
# A peering that is not good by then is proven all the same.
PROVE_ANYWAY_AFTER = timedelta(minutes=10)


class Prove(JobKind):
    name = "prove"
    label = "Prove presence"
    role = Role.OPERATOR

    watch = StepKind("Watch a user of {remote} on {home}")

    @classmethod
    def submit(
        cls, peer: Peer, actor: Actor = CONSOLE, *, when_verified: bool = False
    ) -> Job:
        """Submit the proof of a peering, both ways where it has both peers.

        Args:
            when_verified: wait until the status of the peer is good.

        Raises:
            NoCanary: a cluster has none.
            jobs.locks.Busy: a proof with one of the canaries is not finished.
        """
        locks = locks_of([peer])
        peers = [peer, *filter(None, [peer.reverse])]
        job = Job.objects.submit(
            cls,
            [cls.step_of(one) for one in peers],
            target=peer,
            clusters=[row.pk for row in pair_of(peer)],
            arguments={
                "peers": [str(one.pk) for one in peers],
                "when_verified": when_verified,
            },
            locks=locks,
            user=actor.user,
            address=actor.address,
            queue=peer.cluster.queue,
        )
        audit.append_entry(actor, "prove peer", peer)
        return job

    @classmethod
    def step_of(cls, peer: Peer) -> tuple[str, str]:
        remote = peer.remote_cluster.name if peer.remote_cluster else peer.address
        step = cls.watch.keyed(peer.pk)
        return step.planned(remote=remote, home=peer.cluster.name)

    def work(self) -> None:
        if self.run.arguments.get("when_verified"):
            self.wait_until_verified()
        for pk in self.run.arguments["peers"]:
            self.run.do(self.watch.keyed(pk), partial(self.prove_one, pk))

    def wait_until_verified(self) -> None:
        peer = Peer.objects.filter(pk=self.run.arguments["peers"][0]).first()
        since = timezone.now() - self.job.created_at
        if peer and peer.outcome != PeerOutcome.PASSED and since < PROVE_ANYWAY_AFTER:
            self.run.park(LATER)

    def prove_one(self, pk: str, step: Step) -> str:
        """Prove one direction; give how it ended in words."""
        peer = with_canaries(pk)
        if peer is None:
            return "The peer was deleted in the meantime."
        try:
            watcher, watched = pair_of(peer)
        except NoCanary as error:
            return str(error)
        if reason := self.reach(watcher.cluster, watched.cluster):
            return reason
        proof = prove_direction(peer, watcher, watched)
        if proof.outcome == Proof.Outcome.PASSED:
            return f"Arrived after {proof.seconds}."
        return proof.problem

    def reach(self, home: Cluster, remote: Cluster) -> str:
        """Go to where both clusters are reached; say why not, if nobody does."""
        if is_near(home) and is_near(remote):
            return ""
        if served_by(home.queue) != served_by(remote.queue):
            return f"Not proven: no worker reaches both {home} and {remote}."
        if reason := unreached(home):
            return f"Not proven: {reason}"
        go_near(self.run, home)
        return ""
