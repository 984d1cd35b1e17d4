"""Bringing the nodes of a cluster in line with those that it lists itself."""

from dataclasses import dataclass, field

from accounts.audit import CONSOLE
from clusters import editing, rules
from clusters.models import Cluster, Node
from clusters.ownership import short_name
from clusters.topology import (
    KnownNode,
    ListedNode,
    Match,
    identify_nodes,
    publisher_among,
)
from jobs.locks import Busy
from wire import WireError, parse_host, plain_host
from wire.errors import clean_text

# So many problems are named; what is left shows when these are solved.
MOST_NOTES = 20


@dataclass
class NodeUpdate:
    """What discovery changes of the nodes of a cluster, and what it says of it.

    Args:
        failure: why the cluster cannot be used before somebody acts.
    """

    cluster: Cluster
    known: list[KnownNode]
    listed: list[ListedNode]
    added: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: str = ""

    def __post_init__(self) -> None:
        self.nodes = [one.node for one in self.known]

    def __str__(self) -> str:
        head = f"{len(self.known)} known"
        if self.added:
            head += f", added: {', '.join(self.added)}"
        if not self.notes:
            return head
        more = len(self.notes) - MOST_NOTES
        also = [f"And {more} more."] if more > 0 else []
        return " ".join([f"{head}.", *self.notes[:MOST_NOTES], *also])

    def store(self) -> None:
        """Merge, correct the roles, rename and add, in the caller's transaction."""
        matches = identify_nodes(self.known, self.listed)
        for match in matches:
            self.merge(match)
        self.correct_publisher(matches)
        for match in matches:
            if match.nodes:
                self.rename(match.nodes[0], match.listed)
            elif not self.failure or not match.listed.publisher:
                self.add(match.listed)

    def merge(self, match: Match) -> None:
        """Keep one of several nodes that are the same machine."""
        for other in match.nodes[1:]:
            keep = match.nodes[0]
            same = f"{other} and {keep} are the same node"
            if other.certificate_fingerprint not in ("", keep.certificate_fingerprint):
                self.notes.append(f"{same}: delete one of them.")
                continue
            try:
                editing.delete_node(other, CONSOLE)
            except Busy as error:
                self.notes.append(f"{same}. {error} Then run discovery again.")
                continue
            self.nodes.remove(other)
            self.notes.append(f"{same}: {other} was removed.")

    def correct_publisher(self, matches: list[Match]) -> None:
        """Give the role to the node that the cluster lists as its publisher."""
        listed = publisher_among(self.listed)
        if listed is None:
            return
        found = next(match.nodes for match in matches if match.listed == listed)
        node = found[0] if found else None
        was = next((one for one in self.nodes if one.is_publisher), None)
        if node is not None and node == was:
            return
        name = row_of_listed(listed)
        if node is None and (problem := self.obstacle(self.draft(listed), listed)):
            self.failure = (
                f"{was} is not the publisher of {self.cluster}: that is {name}, "
                f"which cannot be added. {problem}"
            )
            return
        if was is not None:
            self.set_role(was, Node.Role.SUBSCRIBER)
            self.notes.append(f"{was} is a subscriber: the publisher is {name}.")
        if node is not None:
            self.set_role(node, Node.Role.PUBLISHER)
        if node is None or not node.trusted:
            self.notes.append(f"Confirm the certificate of {name} next.")

    def set_role(self, node: Node, role: Node.Role) -> None:
        node.role = role
        editing.save_node(node, CONSOLE, fields=["role"])

    def rename(self, node: Node, listed: ListedNode) -> None:
        """Call a node as its cluster does, unless that says less or costs its trust."""
        name, old = plain_host(listed.name), node.name
        if name in (plain_host(old), short_name(old)):
            return
        node.name = name
        problem = self.obstacle(node, listed) or self.distrust(node)
        if problem:
            node.name = old
            self.notes.append(
                f"{old} is named {row_of_listed(listed)} there. {problem}"
            )
            return
        editing.save_node(node, CONSOLE, fields=["name"])
        self.notes.append(f"{old} is now named {name}, as on the cluster.")

    def distrust(self, node: Node) -> str:
        """Why a node's certificate would not be accepted under this name."""
        if node.cluster.tls_mode != Cluster.TlsMode.CA:
            return ""
        names = next(one.names for one in self.known if one.node == node)
        if node.name in map(plain_host, names):
            return ""
        return "Its certificate does not bear that name, so the name stays."

    def add(self, listed: ListedNode) -> None:
        node = self.draft(listed)
        if problem := self.obstacle(node, listed):
            self.notes.append(f"{row_of_listed(listed)} was not added: {problem}")
            return
        editing.save_node(node, CONSOLE)
        self.added.append(node.name)

    def draft(self, listed: ListedNode) -> Node:
        """A new node; its AXL port is that of the others."""
        role = Node.Role.PUBLISHER if listed.publisher else Node.Role.SUBSCRIBER
        port = self.nodes[0].axl_port if self.nodes else 8443
        name = plain_host(listed.name)
        return Node(
            cluster=self.cluster,
            name=name,
            address=listed.host or name,
            role=role,
            axl_port=port,
        )

    def obstacle(self, node: Node, listed: ListedNode) -> str:
        """Why a node cannot be saved as the cluster lists it, its role left aside."""
        if listed.problem and node._state.adding:
            return listed.problem
        try:
            parse_host(node.name)
        except WireError as error:
            return f"{error.message} Correct the name on the cluster."
        errors = rules.node_errors(node)
        errors.pop("role", None)
        return " ".join(rules.sentences_of(errors))


def row_of_listed(listed: ListedNode) -> str:
    return clean_text(listed.name, 60)
