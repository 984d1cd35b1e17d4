"""What other apps ask: a peer whose home publisher shall synchronize anew."""

from typing import Any

from accounts.audit import Actor
from clusters.models import Node
from jobs.models import Job
from peers.models import Peer
from peers.signals import resync_requested


def connect_receivers() -> None:
    resync_requested.connect(restart_agent, dispatch_uid="services.restart_agent")


def restart_agent(sender: object, *, peer: Peer, actor: Actor, **extra: Any) -> Job:
    """Restart the Intercluster Sync Agent of the peer's home publisher."""
    from services.jobs.control import ControlServices
    from services.models import Service
    from services.requests import ControlRefused

    publisher = peer.cluster.nodes.filter(role=Node.Role.PUBLISHER).first()
    if publisher is None:
        raise ControlRefused(f"The cluster {peer.cluster} has no publisher.")
    agents = Service.objects.sync_agents().with_node().filter(node=publisher)
    agent = agents.first()
    if agent is None:
        # Nobody has read the services of this node yet; its name is known all the same.
        name = peer.cluster.profile.sync_agent
        agent = Service.objects.create(node=publisher, name=name)
    return ControlServices.submit("restart", [agent], actor)
