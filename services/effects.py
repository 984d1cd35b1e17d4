"""What an action does to the people who use the clusters, in a sentence each."""

from collections.abc import Iterable, Sequence

from services.models import Service, agent_names

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
DEPENDENTS = {
    "stop": "Services that depend on these stop with them.",
    "restart": "Services that depend on these pause with them.",
}


def effects(action: str, services: Sequence[Service]) -> list[str]:
    names = {service.name for service in services}
    told = []
    if names & set(agent_names()):
        told.append(AGENT[action])
    if names & routers(services):
        told.append(ROUTER.get(action, ""))
    told.append(DEPENDENTS.get(action, ""))
    return [sentence for sentence in told if sentence]


def routers(services: Iterable[Service]) -> set[str]:
    return {one.node.cluster.profile.services["xcp_router"] for one in services}
