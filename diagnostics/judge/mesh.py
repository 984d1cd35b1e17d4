"""The Inter-Clustering section: what no single peering shows."""

from functools import partial

from diagnostics.facts import ClusterFacts, Facts, PeerFacts
from diagnostics.judge.evidence import own_table
from diagnostics.judge.peer_view import set_up
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
from wire import plain_host

_cluster = partial(register_test, Section.INTER_CLUSTERING, Level.CLUSTER)
_mesh = partial(register_test, Section.INTER_CLUSTERING, Level.MESH)


@_cluster(
    "mesh_complete",
    "Verify that there is a peer for every other cluster of the domain.",
    asks="the console's peers, and the cluster's own peer table",
    failed="Clusters are missing.",
    remedy="Complete the mesh.",
    sources=[Source.ARCHITECTURE],
    evidence=own_table,
)
def mesh_complete(view: ClusterView) -> Verdict | None:
    here = view.cluster
    others = [c for c in view.facts.everybody if same_domain(here, c)]
    if not others:
        return None
    absent = missing_peers(view)
    missing = [c.name for c in absent]
    if len(missing) == len(others):
        return information(f"{here.name} has no peers; it may be meant to have none.")
    if missing:
        return failed(
            f"{here.name} has no peer for {listed_texts(missing)}.",
            "Add the missing peers: each cluster of a domain needs one for every "
            "other.",
            set_up(here, absent[0]) if len(absent) == 1 else Fix("mesh:complete"),
        )
    return PASSED


def missing_peers(view: ClusterView) -> list[ClusterFacts]:
    here, facts = view.cluster, view.facts
    others = [c for c in facts.everybody if same_domain(here, c)]
    return [c for c in others if not has_peer(facts, here, c)]


def one_sided(view: ClusterView) -> list[PeerFacts]:
    """Give the peers that point here from all that are missing; none if one does not.

    Then nothing but one-sided peerings makes the mesh incomplete.
    """
    facts = view.facts
    pointing = [facts.peer_of(c.id, view.cluster.id) for c in missing_peers(view)]
    found = [peer for peer in pointing if peer]
    return found if len(found) == len(pointing) else []


def same_domain(here: ClusterFacts, other: ClusterFacts) -> bool:
    return here.id != other.id and here.domain.casefold() == other.domain.casefold()


def has_peer(facts: Facts, here: ClusterFacts, other: ClusterFacts) -> bool:
    return (here.id, other.id) in facts.held or bool(
        here.entries_for(other, facts.owners)
    )


@_cluster(
    "unknown_entries",
    "Verify that the console knows every peer entry of the cluster.",
    asks="the cluster's own peer table",
    warning="The cluster has entries that the console does not hold.",
    information="The cluster's peers cannot be read.",
    remedy="Add them to the console, or delete them on the cluster.",
    sources=[Source.GUIDE_9],
    evidence=own_table,
)
def unknown_entries(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if here.peers.value is None:
        return unknown(f"The peers of {here.name} cannot be read.", here.peers)
    strange = strange_entries(view)
    if strange:
        return warning(
            f"{here.name} also has {listed_texts(strange)}.",
            "Add the peer to the console, so that it is watched, or delete it there.",
            Fix("mesh:matrix"),
        )
    return PASSED


def strange_entries(view: ClusterView) -> list[str]:
    here = view.cluster
    held = {plain_host(p.address) for p in view.facts.every_peer if p.home == here.id}
    table = here.peers.value or ()
    return [e.address for e in table if plain_host(e.address) not in held]


def doubled_peers(view: ClusterView) -> list[PeerFacts]:
    """Give the peers whose clusters all unknown entries lead to; none if one does not.

    Then nothing but clusters that are peered twice is unknown to the console.
    """
    facts, here = view.facts, view.cluster
    owners = map(facts.owners.of, strange_entries(view))
    held = [facts.peer_of(here.id, owner) if owner else None for owner in owners]
    found = [peer for peer in held if peer]
    return found if len(found) == len(held) else []


@_cluster(
    "left_users",
    "Verify that no users of clusters that are not peers were left behind.",
    asks="users per node on the cluster",
    warning="There are users of nodes that belong to no peer.",
    information="The users of the cluster are not known.",
    remedy="Restart the Intercluster Sync Agent; it removes what it left.",
    sources=[Source.MONITORING_9],
    evidence=lambda view: {"Users per node": view.cluster.users},
)
def left_users(view: ClusterView) -> Verdict | None:
    here, facts = view.cluster, view.facts
    if here.counted is None:
        return unknown(f"The users of {here.name} are not known.", here.users)
    peers = {
        other.id
        for other in facts.everybody
        if other.id != here.id and has_peer(facts, here, other)
    }
    table = here.peers.value or ()
    unmanaged = [entry for entry in table if not facts.owners.of(entry.address)]
    if unmanaged:
        return information(
            f"{here.name} has peers that the console does not manage, so it cannot "
            "distinguish their users from those left behind."
        )
    left = [
        f"{count} of {name}"
        for name, count in sorted(here.counted.items())
        if count and not here.owns(name) and not facts.owners.candidates(name) & peers
    ]
    if left:
        return warning(
            f"{here.name} still has users of nodes that belong to no peer: "
            f"{listed_texts(left)}.",
            "Restart the Intercluster Sync Agent on the publisher.",
            Fix("clusters:show_cluster", here.id),
        )
    return PASSED


@_mesh(
    "mesh_size",
    "Verify that the mesh has no more clusters than its releases support.",
    asks="the number of clusters",
    warning="There are more.",
    remedy="Divide the mesh by domains.",
    sources=[Source.GUIDE_12],
)
def mesh_size(facts: Facts) -> Verdict | None:
    most = [c.profile.max_clusters for c in facts.everybody if c.generation]
    limits = [limit for limit in most if limit]
    if not limits:
        return None
    count = len(facts.everybody)
    if count > min(limits):
        return warning(
            f"There are {count} clusters; {min(limits)} are supported.",
            "Divide the mesh by domains.",
        )
    return PASSED


@_cluster(
    "initial_syncs",
    "Verify that no more than one peer carries its users for the first time.",
    asks="users per node on all clusters, and the history of checks",
    warning="Several were added at once, which takes very long.",
    information="Some of the numbers are not known.",
    remedy="Add peers one at a time; Mesh does so.",
    sources=[Source.GUIDE_9],
    evidence=lambda view: {"Users per node": view.cluster.users},
)
def initial_syncs(view: ClusterView) -> Verdict | None:
    facts, here = view.facts, view.cluster
    counts = [
        (peer, (here.users_of(remote, facts.owners), remote.own_users()))
        for peer in facts.peers.values()
        if peer.home == here.id
        and (remote := facts.clusters.get(peer.remote or "")) is not None
    ]
    if not counts:
        return None
    first = [
        peer.address
        for peer, pair in counts
        if None not in pair and len(set(pair)) > 1 and not peer.trail.equal_at
    ]
    if len(first) > 1:
        return warning(
            f"{here.name} carries users of {listed_texts(first)} for the first time.",
            "Allow it time, and add further peers one at a time.",
        )
    if any(None in pair for _, pair in counts):
        return unknown(f"Some numbers of users are unknown to {here.name}.", here.users)
    return PASSED


@_mesh(
    "xmpp_federation",
    "Verify the XMPP Federation settings match on all interclustered peers.",
    asks="nobody: no public interface reports these settings",
    information="Only the clusters' own pages show them.",
    remedy="Compare them manually: they are not carried between clusters.",
    sources=[Source.FEDERATION_12],
)
def xmpp_federation(facts: Facts) -> Verdict | None:
    able = [c for c in facts.clusters.values() if c.profile.has_xmpp]
    if len(able) < 2:
        return None
    return information(
        "The settings of XMPP federation cannot be read from outside.",
        "If you use it, compare on all clusters: XMPP enabled, SSL mode, client "
        "certificates, SASL, dialback secret, admin policy and policy hosts.",
    )
