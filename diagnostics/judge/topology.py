"""The Topology section: nodes, subclusters and the users on them."""

from functools import partial
from typing import Any

from diagnostics.answers import Answer
from diagnostics.facts import ClusterFacts, HaNode, is_among
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import ClusterView, Level, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    listed_texts,
    unknown,
    warning,
)

_cluster = partial(register_test, Section.TOPOLOGY, Level.CLUSTER)
HA_NORMAL, HA_IDLE = "3", "2"


def group_evidence(view: ClusterView) -> dict[str, Answer[Any]]:
    here = view.cluster
    return {"Table enterprisesubcluster": here.subclusters, **node_evidence(view)}


def node_evidence(view: ClusterView) -> dict[str, Answer[Any]]:
    own = tuple(own_nodes(view.cluster))
    return {"Table enterprisenode": view.cluster.ha_nodes.part(own)}


@_cluster(
    "unassigned_users",
    "Verify that there are no unassigned users.",
    asks="enduser on the publisher: users without a node",
    warning="There are users without a node.",
    information="The users cannot be read.",
    remedy="Assign them on the cluster's own topology page.",
    sources=[Source.TROUBLESHOOTER, Source.MIGRATION],
    evidence=lambda view: {"Users without a node": view.cluster.unassigned},
)
def unassigned_users(view: ClusterView) -> Verdict | None:
    answer = view.cluster.unassigned
    if answer.value is None:
        return unknown(f"The users of {view.cluster.name} are not known.", answer)
    if answer.value < 0:
        return information(f"{view.cluster.name} gave {answer.value} as a number.")
    if answer.value:
        users = "1 user" if answer.value == 1 else f"{answer.value} users"
        return warning(
            f"{view.cluster.name} has {users} without a node.",
            "Assign them to nodes: users without a node are not carried to peers.",
        )
    return PASSED


@_cluster(
    "nodes_known",
    "Verify that the console knows every node of the cluster, and no other.",
    asks="processnode on the publisher, and the console's nodes",
    warning="They differ.",
    information="The table cannot be read.",
    remedy="Discover the cluster, or delete the node that is gone.",
    sources=[Source.NOTE_DNS],
    evidence=lambda view: {"Table processnode": view.cluster.process_nodes},
)
def nodes_known(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if here.process_nodes.value is None:
        return unknown(f"The nodes of {here.name} are not known.", here.process_nodes)
    listed_names = [node.name for node in here.process_nodes.value]
    ours = {text.casefold() for n in here.nodes for text in (n.name, n.address)}
    theirs = {name.casefold() for name in listed_names}
    missing = [name for name in listed_names if not is_among(name, ours)]
    gone = [n.name for n in here.nodes if not is_listed(n.name, n.address, theirs)]
    page = Fix("clusters:show_cluster", here.id)
    if missing:
        return warning(
            f"The console does not know {listed_texts(missing)} of {here.name}.",
            "Discover the cluster.",
            page,
        )
    if gone:
        return warning(
            f"{here.name} no longer has {listed_texts(gone)}.",
            "Delete the node from the console, or correct its name.",
            page,
        )
    return PASSED


def is_listed(name: str, address: str, theirs: set[str]) -> bool:
    short = name.split(".")[0].casefold()
    return is_among(name, theirs) or address.casefold() in theirs or short in theirs


@_cluster(
    "empty_groups",
    "Verify that there are no empty subclusters or presence redundancy groups.",
    asks="enterprisesubcluster and enterprisenode on the publisher",
    warning="One has no nodes.",
    information="The tables cannot be read.",
    remedy="Delete it, or assign nodes to it.",
    sources=[Source.TROUBLESHOOTER, Source.SCRIPTS],
    evidence=group_evidence,
)
def empty_groups(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if unread := _unread_topology(here):
        return unread
    used = {node.subcluster for node in here.ha_nodes.value or ()}
    empty = [
        group.name for group in here.subclusters.value or () if group.id not in used
    ]
    if empty:
        return warning(
            f"{listed_texts(empty)} of {here.name} has no nodes.",
            "Delete it, or assign nodes to it.",
        )
    return PASSED


def _unread_topology(here: ClusterFacts) -> Verdict | None:
    """Say why the groups of a cluster are not known, where they are not."""
    if here.subclusters.known and here.ha_nodes.known:
        return None
    unread = here.ha_nodes if here.subclusters.known else here.subclusters
    return unknown(f"The topology of {here.name} is not known.", unread)


def own_nodes(here: ClusterFacts) -> list[HaNode]:
    """Leave out the rows that stand for nodes of peers."""
    return [node for node in here.ha_nodes.value or () if here.owns(node.name)]


@_cluster(
    "assigned_nodes",
    "Verify that all available nodes are assigned to a subcluster or presence "
    "redundancy group.",
    asks="enterprisenode on the publisher",
    warning="A node is in none.",
    information="The table cannot be read, or lists no node of the cluster.",
    remedy="Assign the node on the cluster's own topology page.",
    sources=[Source.TROUBLESHOOTER],
    evidence=node_evidence,
)
def assigned_nodes(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if here.ha_nodes.value is None:
        return unknown(f"The topology of {here.name} is not known.", here.ha_nodes)
    nodes = own_nodes(here)
    if not nodes:
        return information(f"Its topology lists none of the nodes of {here.name}.")
    free = [node.name for node in nodes if not node.subcluster.strip()]
    if free:
        return warning(
            f"{listed_texts(free)} of {here.name} is assigned to no group.",
            "Assign the node on the cluster's own topology page.",
        )
    return PASSED


@_cluster(
    "ha_enabled",
    "Verify that two-node presence redundancy groups have high availability enabled.",
    asks="enterprisesubcluster and enterprisenode on the publisher",
    warning="A group of two nodes has it disabled.",
    information="The tables cannot be read.",
    remedy="Enable high availability for the group.",
    sources=[Source.TROUBLESHOOTER, Source.SCRIPTS],
    evidence=group_evidence,
)
def ha_enabled(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if not here.profile.has_xmpp:
        return None
    if unread := _unread_topology(here):
        return unread
    places = [node.subcluster for node in own_nodes(here)]
    without = [
        group.name
        for group in here.subclusters.value or ()
        if places.count(group.id) > 1 and not group.ha_enabled
    ]
    if without:
        return warning(
            f"{listed_texts(without)} of {here.name} has two nodes and no high "
            "availability.",
            "Enable high availability, so that users survive the loss of a node.",
        )
    return PASSED


@_cluster(
    "ha_normal",
    "Verify that groups with high availability are in Normal state.",
    asks="tkhaserverstate in enterprisenode on the publisher",
    failed="A node is in another state, as after a failover.",
    information="The tables cannot be read, or no group has high availability.",
    remedy="Find out why it failed over, then fall back on the cluster's own page.",
    sources=[Source.TROUBLESHOOTER, Source.SCRIPTS],
    evidence=group_evidence,
)
def ha_normal(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if not here.profile.has_xmpp:
        return None
    if unread := _unread_topology(here):
        return unread
    groups = {group.id for group in here.subclusters.value or () if group.ha_enabled}
    nodes = [node for node in own_nodes(here) if node.subcluster in groups]
    if not nodes:
        return information(f"{here.name} has no group with high availability.")
    unlike = [
        f"{node.name} (state {node.state or 'unknown'})"
        for node in nodes
        if node.state.strip() != HA_NORMAL
    ]
    if unlike:
        return failed(
            f"Not in Normal state: {listed_texts(unlike)}.",
            "Find out why, then fall back on the cluster's own topology page.",
        )
    return PASSED


@_cluster(
    "nodes_with_users",
    "Verify that all assigned nodes have users.",
    asks="users per node on the publisher",
    information="A node has no users, as a stand-by node has none.",
    remedy="Nothing, if it is meant so.",
    sources=[Source.TROUBLESHOOTER],
    evidence=lambda view: {
        "Users per node": view.cluster.users,
        "Table enterprisenode": view.cluster.ha_nodes,
    },
)
def nodes_with_users(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if here.counted is None or here.ha_nodes.value is None:
        answer = here.ha_nodes if here.users.known else here.users
        return unknown(f"The users of {here.name} are not known.", answer)
    names = [node.name for node in own_nodes(here)]
    empty = [name for name in names if not here.counted.get(name)]
    if empty:
        return information(f"{listed_texts(empty)} of {here.name} has no users.")
    return PASSED
