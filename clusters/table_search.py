"""Looking for the peer table of a cluster, and learning it by watching."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

import wire
from accounts.cluster_limits import all_clusters
from clusters import peer_tables
from clusters.connections import cluster_policy
from clusters.conversation import ask_node
from clusters.discovery import require_publisher
from clusters.models import Cluster, Node
from clusters.signals import table_recognised
from wire import AxlClient, WireError, sql
from wire.catalogue import Questions
from wire.recognition import (
    Candidate,
    KnownPeer,
    Recogniser,
    Recognition,
    RecognitionState,
    Surroundings,
)

RESOLVE = 5.0
MOST_LOOKUPS = 20
Addresses = Mapping[str, frozenset[str]]


def search_table(cluster: Cluster) -> str:
    """Search and keep what was found; return a sentence about it."""
    mesh = surroundings_of(cluster)

    async def question(axl: AxlClient) -> Recognition:
        return await Recogniser(Questions(axl), mesh).run()

    found = ask_node(require_publisher(cluster), question)
    store_recognition(cluster, found)
    return sentence_of(found)


def read_entries(cluster: Cluster) -> str:
    if cluster.recognised_table is None:
        return "No table was recognised, so there is nothing to read."
    entries = peer_tables.read_entries(cluster)
    table_recognised.send(sender=Cluster, cluster=cluster)
    number = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    return f"{number} in {peer_tables.readable_table_of(cluster).table}."


def store_recognition(cluster: Cluster, found: Recognition) -> None:
    """Store the outcome; a recognised table is read from now on, not written."""
    search = {
        "state": found.state.value,
        "seen_at": timezone.now().isoformat(),
        "reason": found.reason,
        "queries": found.queries,
        "candidates": [as_dict(one) for one in found.candidates],
    }
    chosen = found.chosen
    cluster.remember_search(search, mapping_of(chosen) if chosen else None)


def sentence_of(found: Recognition) -> str:
    questions = "1 question" if found.queries == 1 else f"{found.queries} questions"
    if found.chosen:
        return f"{found.chosen.table} holds the peers ({questions})."
    if found.state is RecognitionState.UNREADABLE:
        return f"The catalogue cannot be read: {found.reason}"
    if found.state is RecognitionState.AMBIGUOUS:
        names = ", ".join(one.table for one in found.candidates[:5])
        return f"Undecided ({questions}). Tables that could hold the peers: {names}."
    return f"No table looks like one that holds peers ({questions})."


def as_dict(one: Candidate) -> dict[str, Any]:
    return mapping_of(one) | {"rows": one.rows, "evidence": list(one.evidence)}


def mapping_of(one: Candidate) -> dict[str, Any]:
    return {
        "table": one.table,
        "columns": dict(one.columns),
        "protocol_values": dict(one.protocol_values),
    }


def surroundings_of(cluster: Cluster) -> Surroundings:
    """What is known of the mesh around a cluster: nodes, neighbours, peers."""
    with all_clusters():
        nodes = list(Node.objects.select_related("cluster"))
    named = {node.address.casefold() for node in nodes}
    users_of = frozenset(home_nodes(cluster))
    found = wire.run_loop(addresses_of(named | users_of))
    own = names_of((node for node in nodes if node.cluster_id == cluster.pk), found)
    foreign = [node for node in nodes if node.cluster_id != cluster.pk]
    publishers = names_of((node for node in foreign if node.is_publisher), found)
    others = names_of((node for node in foreign if not node.is_publisher), found)
    unexplained = users_of - own - publishers - others
    theirs = frozenset(ip for name in unexplained for ip in found.get(name, ()))
    return Surroundings(
        own,
        publishers | unexplained | (theirs - own - others),
        others,
        expected_peers(foreign, found) | known_peers(cluster),
    )


def names_of(nodes: Iterable[Node], found: Addresses) -> frozenset[str]:
    """Names and addresses of nodes; entries name them by one or the other."""
    return frozenset(
        text.casefold()
        for node in nodes
        for text in (
            node.name,
            node.address,
            *found.get(node.address.casefold(), ()),
        )
    )


def home_nodes(cluster: Cluster) -> list[str]:
    """Names of the nodes that users of the cluster have for home, in lower case."""
    query = sql.build_query("users_per_node", cluster.profile)

    async def question(axl: AxlClient) -> list[str]:
        return [(row.get("name") or "").casefold() async for row in axl.rows(query)]

    try:
        return [name for name in ask_node(require_publisher(cluster), question) if name]
    except WireError:
        return []


async def addresses_of(hosts: Iterable[str]) -> Addresses:
    """Return the addresses of each host; none for a name that nobody knows."""
    turn = asyncio.Semaphore(MOST_LOOKUPS)

    async def look_up(host: str) -> frozenset[str]:
        async with turn:
            try:
                resolution = await wire.resolve_host(
                    host, cluster_policy(), deadline=RESOLVE
                )
            except WireError:
                return frozenset()
            return frozenset(address.casefold() for address in resolution.addresses)

    names = sorted(hosts)
    found = await asyncio.gather(*map(look_up, names))
    return dict(zip(names, found, strict=True))


def expected_peers(nodes: Iterable[Node], found: Addresses) -> dict[str, KnownPeer]:
    """Entries for managed clusters, by the intercluster user that each one has."""
    return {
        host: KnownPeer(node.cluster.peering_username)
        for node in nodes
        if node.is_publisher and node.cluster.peering_username
        for host in names_of([node], found)
    }


def known_peers(cluster: Cluster) -> dict[str, KnownPeer]:
    """Peers whose values a person attested, or which the console itself wrote."""
    return {
        peer.address.casefold(): KnownPeer(peer.username, peer.protocol)
        for peer in cluster.peers.all()
        if peer.values_are_known
    }
