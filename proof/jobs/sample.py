"""Proofs on a schedule: so many an hour, those that are oldest first."""

from datetime import timedelta

from django.template.defaultfilters import pluralize
from django.utils import timezone

from accounts.roles import Role
from jobs.locks import Busy, JobLock
from jobs.models import Job
from peers.models import Peer
from proof.jobs.prove import Prove
from proof.pairs import locks_of
from proof.sampling import choose_peers, proof_budget, provable_peers

LOCK = "prove-sample"
RETENTION = timedelta(days=1)


class ProveSample(Prove):
    name = "prove-sample"
    label = "Prove presence"
    role = Role.OPERATOR

    @classmethod
    def submit_when_due(cls) -> Job | None:
        """Submit the proofs that the budget allows now, if any."""
        now = timezone.now()
        last = cls.all().order_by("-created_at").first()
        size = proof_budget(last.created_at if last else None, now)
        if size < 1:
            return None
        cls.all().filter(finished_at__lt=now - RETENTION).delete()
        held = set(JobLock.objects.values_list("name", flat=True))
        free = (peer for peer in provable_peers() if not locks_of([peer]) & held)
        chosen = choose_peers(free, size)
        try:
            return cls.submit_many(chosen) if chosen else None
        except Busy:
            return None

    @classmethod
    def submit_many(cls, peers: list[Peer]) -> Job:
        both = {pk for one in peers for pk in (one.cluster_id, one.remote_cluster_id)}
        return Job.objects.submit(
            cls,
            [cls.step_of(peer) for peer in peers],
            label=f"of {len(peers)} peer{pluralize(len(peers))}",
            clusters=filter(None, both),
            arguments={"peers": [str(peer.pk) for peer in peers]},
            locks=[LOCK, *locks_of(peers)],
        )
