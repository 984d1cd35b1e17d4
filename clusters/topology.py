"""Which node of the console is which node that its cluster lists.

A cluster lists its nodes by names, host names or full ones, that may change at any
time; the console may have been given other names or only addresses of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from clusters.models import Node
from clusters.ownership import short_name
from wire import plain_host

Row = dict[str, str | None]

# tkprocessnoderole of an IM and Presence node; 1 is a voice node.
PRESENCE = "2"
# tknodeusage of the publisher.
PUBLISHER = "0"


@dataclass(frozen=True)
class ListedNode:
    """A node as its cluster lists it.

    Args:
        host: the name that leads to it, where `name` alone does not.
        problem: why it cannot be dialled, and what to do.
    """

    name: str
    publisher: bool = False
    host: str = ""
    addresses: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True)
class KnownNode:
    """A node of the console.

    Args:
        addresses: where its name and address lead to.
        names: what its confirmed certificate calls it.
    """

    node: Node
    addresses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass
class Match:
    """A listed node and the nodes of the console that it is, the one to keep first."""

    listed: ListedNode
    nodes: list[Node] = field(default_factory=list)


def listed_nodes(rows: Iterable[Row]) -> list[ListedNode]:
    """Return the presence nodes among the rows of `processnode`, each once.

    The table also holds a system row, and where it tells the role of a node, voice
    nodes beside presence nodes.
    """
    found: dict[str, ListedNode] = {}
    for row in rows:
        name = (row.get("name") or "").strip()
        presence = row.get("tkprocessnoderole") in (None, "", PRESENCE)
        if name and presence and row.get("systemnode") != "t":
            publisher = (row.get("tknodeusage") or "").strip() == PUBLISHER
            found.setdefault(plain_host(name), ListedNode(name, publisher))
    return list(found.values())


def publisher_among(listed: Iterable[ListedNode]) -> ListedNode | None:
    """The publisher, if the cluster names exactly one."""
    found = [node for node in listed if node.publisher]
    return found[0] if len(found) == 1 else None


Evidence = Callable[[KnownNode, ListedNode], bool]


def same_name(known: KnownNode, listed: ListedNode) -> bool:
    return plain_host(known.node.name) == plain_host(listed.name)


def same_address(known: KnownNode, listed: ListedNode) -> bool:
    own = plain_host(known.node.address)
    return own in (plain_host(listed.name), plain_host(listed.host))


def same_machine(known: KnownNode, listed: ListedNode) -> bool:
    return bool(known.addresses & listed.addresses)


def same_short_name(known: KnownNode, listed: ListedNode) -> bool:
    """The host name alone, where one of the two has no domain or another one."""
    ours = {known.node.name, known.node.address}
    return host_name(listed.name) in map(host_name, ours)


def in_certificate(known: KnownNode, listed: ListedNode) -> bool:
    return host_name(listed.name) in map(host_name, known.names)


# The strongest first.
EVIDENCE: tuple[Evidence, ...] = (
    same_name,
    same_address,
    same_machine,
    same_short_name,
    in_certificate,
)


def host_name(host: str) -> str:
    """The first part of a name; an address is its own."""
    return short_name(host) or plain_host(host)


def identify_nodes(
    known: Sequence[KnownNode], listed: Sequence[ListedNode]
) -> list[Match]:
    """Find for each listed node those of the console that it is, often one or none."""
    matches = {one.name: Match(one) for one in listed}
    found = {one.node.pk: listed_as(one, listed) for one in known}
    claim_publisher(known, listed, found)
    for one in known:
        if row := found[one.node.pk]:
            matches[row.name].nodes.append(one.node)
    for match in matches.values():
        match.nodes.sort(key=lambda node: (not node.trusted, not node.is_publisher))
    return list(matches.values())


def listed_as(known: KnownNode, listed: Sequence[ListedNode]) -> ListedNode | None:
    """The listed node that a node is, by the strongest evidence that names just one."""
    for evidence in EVIDENCE:
        rows = [row for row in listed if evidence(known, row)]
        if len(rows) == 1:
            return rows[0]
    return None


def claim_publisher(
    known: Sequence[KnownNode],
    listed: Sequence[ListedNode],
    found: dict[UUID, ListedNode | None],
) -> None:
    """Take the node that was asked for the listed publisher, if nothing else tells.

    It is one of the listed nodes, since it answered.
    """
    publisher = publisher_among(listed)
    own_publisher = next((one.node for one in known if one.node.is_publisher), None)
    if publisher is None or own_publisher is None or found[own_publisher.pk]:
        return
    claimed = [one.node for one in known if found[one.node.pk] == publisher]
    if not any(node.trusted for node in claimed):
        found[own_publisher.pk] = publisher
