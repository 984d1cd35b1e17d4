"""What an action does to the people who use the clusters, in a sentence each."""

from collections.abc import Iterable, Sequence

from services.models import Service, agent_keys
from wire.platforms import service_key

AGENT = {
    "start": "The Intercluster Sync Agent starts to carry users to and from the peers "
    "of its cluster.",
    "stop": "Users are no longer synchronised with other clusters: what the peers know "
    "of them grows stale.",
    "restart": "User synchronisation pauses, then reads all users of the peers again.",
}
ROUTER = {
    "stop": "All sessions on the node end: nobody there has presence or messages until "
    "the router is started.",
    "restart": "All sessions on the node end and sign in again. The router is "
    "restarted in one command, never stopped and started.",
}
AXL = {
    "stop": "The console itself can no longer read or change this cluster through the "
    "node: AXL answers nobody there until the service is started.",
    "restart": "For a while the console itself cannot read or change this cluster "
    "through the node: AXL answers nobody there until the service is back.",
}
DEPENDENTS = {
    "stop": "Services that depend on these stop with them.",
    "restart": "Services that depend on these pause with them.",
}


def effects_of(action: str, services: Sequence[Service]) -> list[str]:
    keys = {service_key(service.name) for service in services}
    sentences = []
    if keys & agent_keys():
        sentences.append(AGENT[action])
    if keys & keys_of("xcp_router", services):
        sentences.append(ROUTER.get(action, ""))
    if keys & keys_of("axl", services):
        sentences.append(AXL.get(action, ""))
    sentences.append(DEPENDENTS.get(action, ""))
    return [sentence for sentence in sentences if sentence]


def keys_of(part: str, services: Iterable[Service]) -> set[str]:
    """What the generations of these services' clusters call a part of the product."""
    return {service_key(one.node.cluster.profile.services[part]) for one in services}
