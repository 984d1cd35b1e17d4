"""Check peers, once or until they are good."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.audit import CONSOLE, Actor
from accounts.roles import Role
from diagnostics.checks import check_peers, check_with_back
from jobs.kind import JobKind, StepKind
from jobs.locks import Busy
from jobs.models import Job
from jobs.run import Step
from peers.models import Peer, PeerOutcome

# So many peers in one step: they are collected together, in checks.TOTAL seconds.
CHUNK = 50
# Seconds between two rounds of a check that repeats; after its first seconds, it gives
# the worker back and comes again later.
PAUSE = 2.0
ATTENDED = 20.0
LATER = 10.0


class CheckPeers(JobKind):
    name = "check-peers"
    label = "Check"
    role = Role.OPERATOR

    check = StepKind("Check {what}")

    @classmethod
    def submit(
        cls, peers: Sequence[Peer], actor: Actor = CONSOLE, *, until_verified: int = 0
    ) -> Job:
        """Submit a check of peers; for one peer, return the check that runs already.

        Args:
            until_verified: seconds to repeat the check for, until all is good.
        """
        one = peers[0] if len(peers) == 1 else None
        lock = f"{'verify' if until_verified else 'check'}:{one and one.pk}"
        try:
            return Job.objects.submit(
                cls,
                cls.steps_for(peers),
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
                queue=one.cluster.queue if one else "",
            )
        except Busy as busy:
            return busy.job

    @classmethod
    def steps_for(cls, peers: Sequence[Peer]) -> list[tuple[str, str]]:
        if len(peers) == 1:
            return [cls.check.of(0).planned(what=peers[0])]
        names = {
            n: f"peers {n * CHUNK + 1} to {min((n + 1) * CHUNK, len(peers))}"
            for n in range(-(-len(peers) // CHUNK))
        }
        return [cls.check.of(n).planned(what=name) for n, name in names.items()]

    @classmethod
    def running_for(cls, peer: Peer) -> Job | None:
        """Return the unfinished job that will renew the peer's status, if any."""
        about = Q(target_id=str(peer.pk)) | Q(kind=cls.name, target_id="")
        jobs: list[Job] = list(Job.objects.active().filter(about))
        for job in jobs:
            if job.target_id or str(peer.pk) in job.arguments.get("peers", ()):
                return job
        return None

    def work(self) -> None:
        ids = self.run.arguments["peers"]
        for n, first in enumerate(range(0, len(ids), CHUNK)):
            chunk = ids[first : first + CHUNK]
            self.run.do(self.check.of(n), partial(self.check_until_good, chunk))

    def check_until_good(self, ids: list[str], step: Step) -> str:
        outcomes: list[str] = []
        attended = max(ATTENDED - self.seconds_so_far(), 0)
        for _ in self.run.rounds(pause=PAUSE, attended=attended, later=LATER):
            peers = list(Peer.objects.filter(pk__in=ids, removing=False))
            outcomes = list(check_all(peers).values())
            good = all(outcome == PeerOutcome.PASSED for outcome in outcomes)
            if good or self.seconds_left() <= 0:
                break
        return outcome_summary(outcomes)

    def seconds_so_far(self) -> float:
        started = self.job.started_at or timezone.now()
        return (timezone.now() - started).total_seconds()

    def seconds_left(self) -> float:
        limit: float = self.run.arguments.get("until_verified") or 0
        return limit - self.seconds_so_far()


@transaction.atomic
def request_check(peers: Sequence[Peer], actor: Actor) -> Job:
    """Submit a check that a person requests, and record it."""
    job = CheckPeers.submit(peers, actor)
    one = peers[0] if len(peers) == 1 else None
    audit.append_entry(
        actor, "check peer", one, label="" if one else f"{len(peers)} peers"
    )
    return job


def check_all(peers: list[Peer]) -> dict[str, str]:
    if len(peers) == 1:
        return check_with_back(peers[0])
    return check_peers(peers) if peers else {}


def outcome_summary(outcomes: list[str]) -> str:
    counts = [
        f"{outcomes.count(outcome.value)} {outcome.value}"
        for outcome in PeerOutcome
        if outcome.value in outcomes
    ]
    return ", ".join(counts) or "Nothing to check."
