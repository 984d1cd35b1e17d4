"""The answers that judgements of peers and clusters rest on, each under its name."""

from collections.abc import Mapping

from diagnostics.facts import Answer
from diagnostics.judge.peer import PeerView
from diagnostics.judge.tests import ClusterView

Answers = Mapping[str, Answer[object]]
NO_ENTRY = "There is no such entry."


def own_table(view: ClusterView) -> Answers:
    return {f"Peer table of {view.cluster.name}": view.cluster.peers}


def sync_agents(view: ClusterView) -> Answers:
    name = view.cluster.profile.sync_agent
    return {
        f"Control Center of {node.name}": node.told_of(name)
        for node in view.cluster.nodes
    }


def entry_here(view: PeerView) -> Answers:
    found = view.entry or NO_ENTRY
    return {f"Peer table of {view.home.name}": view.home.peers.part(found)}


def entry_back(view: PeerView) -> Answers:
    return _there(view, "An entry back")


def both_entries(view: PeerView) -> Answers:
    """Give the entry here, and of the one there its protocol."""
    entry = view.entry_back
    protocol = (entry.protocol or entry.protocol_raw) if entry else ""
    return {**entry_here(view), **_there(view, protocol or "No protocol")}


def _there(view: PeerView, told: str) -> Answers:
    """Tell no more of the entry back: who sees this side may not see that one."""
    if view.remote is None:
        return {}
    found = told if view.entry_back else NO_ENTRY
    return {f"Peer table of {view.remote.name}": view.remote.peers.part(found)}


def entries_there(view: PeerView) -> Answers:
    """Give the entries of the home cluster that lead to the same remote cluster."""
    home, remote = view.home, view.remote
    entries = home.peers.value or ()
    found = tuple(e for e in entries if remote and remote.owns(e.address))
    return {f"Peer table of {home.name}": home.peers.part(found)}


def names_there(view: PeerView) -> Answers:
    if view.remote is None:
        return {}
    return {f"Table processnode of {view.remote.name}": view.remote.process_nodes}


def both_counts(view: PeerView) -> Answers:
    home, remote = view.home, view.remote
    if remote is None:
        return {}
    here = f"{home.users_of(remote)} users of {remote.name}"
    there = f"{remote.own_users()} users of its own"
    return {
        f"Users per node on {home.name}": home.users.part(here),
        f"Users per node on {remote.name}": remote.users.part(there),
    }


def both_versions(view: PeerView) -> Answers:
    clusters = filter(None, (view.home, view.remote))
    return {f"getCCMVersion of {one.name}": one.version for one in clusters}
