"""Locks that keep two jobs from working on one peer."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, Value
from django.db.models.functions import Concat

from jobs.kind import withdrawn_kinds
from jobs.locks import JobLock, refuse_held
from jobs.models import Job
from peers.models import Peer

LOCK = "peer:"


def lock_of(peer: Peer | UUID | str) -> str:
    return f"{LOCK}{peer.pk if isinstance(peer, Peer) else peer}"


def held_peers() -> dict[str, Job]:
    """The jobs that keep peers from being edited, by the ids of the peers.

    A job that waits and is about the peer itself does not: it is withdrawn.
    """
    locks = JobLock.objects.filter(name__startswith=LOCK).exclude(
        job__state=Job.State.QUEUED,
        job__kind__in=withdrawn_kinds(),
        name=Concat(Value(LOCK), F("job__target_id")),
    )
    return {
        lock.name.removeprefix(LOCK): lock.job for lock in locks.select_related("job")
    }


def withdraw_jobs(peers: Iterable[Peer]) -> None:
    """Cancel the waiting jobs of peers; raise Busy for one that somebody works on.

    A guided set-up waits for a person for as long as it takes; it must not keep the
    peer from being edited.
    """
    peers = list(peers)
    Job.objects.withdraw(peers)
    # A job of several peers is about none of them, but holds the lock of each.
    refuse_held(map(lock_of, peers))
