"""Arithmetic on published figures: nodes, entries, users and what counters show."""

from dataclasses import dataclass
from math import ceil, floor

from sizing.limits import FEDERATION_125, Figure

# Contacts per node in partitioned intradomain federation. The guide prints both of the
# first two for the 5,000-user template; the lower one is used.
FEDERATED_CONTACTS = {
    "high": Figure(130_000, FEDERATION_125),
    "ova5000": Figure(90_000, FEDERATION_125),
    "ova1000": Figure(18_000, FEDERATION_125, derived=True),
}
EXPORTED_PER_MINUTE = Figure(48_000, FEDERATION_125)


@dataclass(frozen=True)
class Ceiling:
    """Users in partitioned federation; with high availability one node carries both."""

    users: int
    redundant: int


def federated_users(contacts: float, threshold: int, template: int) -> Ceiling:
    """How many federated users a node carries at this average of contacts."""
    users = floor(threshold / contacts) if contacts > 0 else template
    users = min(users, template)
    return Ceiling(users, users // 2)


def export_minutes(users: int, contacts: float) -> float:
    """How long the contact lists of these users take to export."""
    return users * contacts / EXPORTED_PER_MINUTE.value


def session_count(assigned: int, clients: int) -> int:
    """What JsmIMSessions of a node shows: one a user, and one a signed-in client."""
    return assigned + clients


def client_count(users: int, per_user: float) -> int:
    """How many clients to size for where a user may have several devices."""
    return ceil(users * per_user)


@dataclass(frozen=True)
class NodePlan:
    """The nodes that some users need, and whether one cluster can have so many."""

    groups: int
    nodes: int
    fits: bool


def nodes_for(users: int, per_node: int, *, redundant: bool, most: int = 6) -> NodePlan:
    """A group has one node, or two of which each can carry all users of the group."""
    groups = max(ceil(users / per_node), 1)
    nodes = groups * 2 if redundant else groups
    return NodePlan(groups, nodes, nodes <= most)


def carried_by(nodes: int, per_node: int, *, redundant: bool) -> int:
    """The users that these nodes carry; with high availability, also when one fails."""
    return (ceil(nodes / 2) if redundant else nodes) * per_node


def link_count(clusters: int) -> int:
    return clusters * (clusters - 1) // 2


def entry_count(clusters: int) -> int:
    """Peer entries of a full mesh."""
    return clusters * (clusters - 1)


def associated_users(total: int, own: int) -> int:
    """The users that all peer entries of a cluster together must show."""
    return total - own
