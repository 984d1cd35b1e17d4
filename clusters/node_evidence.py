"""What shows which machine a node is: where its names lead, and its certificate."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

import wire
from clusters.connections import cluster_policy, with_credentials
from clusters.models import Node
from clusters.ownership import short_name
from clusters.topology import KnownNode, ListedNode, host_name
from wire import Code, Secret, WireError, parse_host, plain_host

RESOLVE, CERTIFICATE = 5.0, 10.0
# A cluster has its nodes in one domain, rarely in two.
MOST_DOMAINS = 3

MANUALLY = (
    "Add the node manually with its IP address, or correct DNS and run discovery again."
)
REMEDIES: dict[StrEnum, str] = {
    Code.ADDRESS: "Correct the name of the node on the cluster, then run discovery "
    "again.",
    Code.POLICY: "If intended, add it to CUPADMIN_ALLOWED_NETWORKS, then run discovery "
    "again.",
}

Known = list[KnownNode]
Listed = list[ListedNode]


async def identify_nodes(nodes: list[Node], listed: Listed) -> tuple[Known, Listed]:
    """Look up where all these nodes are and what their certificates call them."""
    known: Known = list(await asyncio.gather(*map(known_node, nodes)))
    domains = domains_of(known, listed)
    rows = await asyncio.gather(*(place_node(row, domains) for row in listed))
    return known, list(rows)


async def known_node(node: Node) -> KnownNode:
    hosts = {node.name, node.address}
    *places, names = await asyncio.gather(*map(addresses_of, hosts), names_of(node))
    return KnownNode(node, frozenset().union(*places), names)


async def addresses_of(host: str) -> frozenset[str]:
    """The addresses of one machine; none where its name leads nowhere."""
    try:
        found = await wire.resolve_host(host, cluster_policy(), deadline=RESOLVE)
    except WireError:
        return frozenset()
    return frozenset() if found.is_srv else frozenset(map(plain_host, found.addresses))


async def names_of(node: Node) -> frozenset[str]:
    """What the node's confirmed certificate calls it."""
    where = with_credentials(node, "", Secret(""))
    try:
        found = await wire.confirmed_certificate(where, deadline=CERTIFICATE)
    except WireError:
        return frozenset()
    return frozenset({*found.names, found.common_name} - {""})


def domains_of(known: Known, listed: Listed) -> list[str]:
    """The domains of the cluster's nodes, by the full names that are known of them."""
    short = {host_name(row.name) for row in listed}
    full = {n for one in known for n in (one.node.name, one.node.address, *one.names)}
    found = {name.partition(".")[2] for name in full if short_name(name) in short}
    return sorted(map(plain_host, found))[:MOST_DOMAINS]


async def place_node(row: ListedNode, domains: Iterable[str]) -> ListedNode:
    """Find the name under which a listed node can be dialled, or say why it cannot."""
    hosts = [row.name]
    if host_name(row.name) == plain_host(row.name):
        hosts += [f"{row.name}.{domain}" for domain in domains]
    problem = ""
    for host in hosts:
        try:
            name = str(parse_host(host))
            found = await wire.resolve_host(name, cluster_policy(), deadline=RESOLVE)
        except WireError as error:
            problem = problem or f"{error.message} {REMEDIES.get(error.code, MANUALLY)}"
            continue
        if not found.is_srv:
            places = frozenset(map(plain_host, found.addresses))
            return replace(row, host=name, addresses=places)
    return replace(row, problem=problem or f"It is an SRV name. {MANUALLY}")
