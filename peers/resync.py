"""Restarting the sync agent of a peer's home publisher."""

from typing import cast

from accounts.audit import Actor
from jobs.models import Job
from peers.models import Peer
from peers.signals import resync_requested


class NoPublisher(Exception):
    """The home cluster has no publisher in the console."""


def request_resync(peer: Peer, actor: Actor) -> Job:
    """Have the sync agent of the home publisher restarted.

    Raises:
        jobs.locks.Busy: a control job of the agent is not finished.
        NoPublisher: the home cluster has none, so there is no such agent.
    """
    if peer.cluster.publisher is None:
        raise NoPublisher(f"The cluster {peer.cluster} has no publisher.")
    answers = resync_requested.send(sender=Peer, peer=peer, actor=actor)
    return cast(Job, answers[0][1])
