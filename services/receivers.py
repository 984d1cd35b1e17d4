"""What other apps ask: a peer whose home publisher shall synchronize anew."""

from typing import Any

from django.utils import timezone

from accounts.audit import Actor
from jobs.models import Job
from peers.models import Peer
from peers.signals import resync_asked


def connect() -> None:
    resync_asked.connect(restart_agent, dispatch_uid="services.restart_agent")


def restart_agent(sender: object, *, peer: Peer, actor: Actor, **extra: Any) -> Job:
    """Restart the Intercluster Sync Agent of the peer's home publisher."""
    from services.changes import control
    from services.models import Service

    publisher = peer.cluster.publisher
    agents = Service.objects.sync_agents().with_node().filter(node=publisher)
    agent = agents.first()
    if agent is None:
        # Nobody has read the services of this node yet; its name is known all the same.
        agent = Service.objects.create(
            node=publisher,
            name=peer.cluster.profile.sync_agent,
            observed_at=timezone.now(),
        )
    return control("restart", [agent], actor)
