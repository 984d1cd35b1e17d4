"""The answers that judgements of peers and clusters rest on, each under its name."""

from collections.abc import Mapping
from dataclasses import replace

from clusters.addressing import only_scheme_of
from diagnostics.answers import Answer
from diagnostics.facts import ClusterFacts
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.tests import ClusterView

Answers = Mapping[str, Answer[object]]
NO_ENTRY = "There is no such entry."


def _publisher_name(cluster: ClusterFacts) -> str:
    what = "Peer pages" if cluster.by_pages else "Peer table"
    return f"{what} of {cluster.name}"


def own_table(view: ClusterView) -> Answers:
    return {_publisher_name(view.cluster): view.cluster.peers}


def sync_agents(view: ClusterView) -> Answers:
    name = view.cluster.profile.sync_agent
    return {
        f"Control Center of {node.name}": node.answer_for(name)
        for node in view.cluster.nodes
    }


def home_entry(view: PeerView) -> Answers:
    found = view.entry or NO_ENTRY
    return {_publisher_name(view.home): view.home.peers.part(found)}


def entry_or_users(view: PeerView) -> Answers:
    """Give the entry here; where the table is not read, what users tell of it."""
    users = {} if view.home.peers.known else both_counts(view)
    return {**home_entry(view), **users}


def entry_back(view: PeerView) -> Answers:
    answers = _remote_answers(view, "A matching entry")
    if view.remote is None or view.remote.peers.known:
        return answers
    back = replace(view, home=view.remote, remote=view.home)
    return {**answers, **both_counts(back)}


def both_entries(view: PeerView) -> Answers:
    """Give the entry here, and of the one there its protocol."""
    entry = view.entry_back
    protocol = (entry.protocol or entry.protocol_raw) if entry else ""
    return {**home_entry(view), **_remote_answers(view, protocol or "No protocol")}


def trust_and_entries(view: PeerView) -> Answers:
    """Give what was read of the trust lists, and when, beside both entries."""
    known = view.exchanged
    if known is None:
        return both_entries(view)
    statement = known.problem or known.outcome
    return {"Trust lists": Answer(statement, at=known.at), **both_entries(view)}


def _remote_answers(view: PeerView, statement: str) -> Answers:
    """Say no more of the matching entry: who sees this entry may not see that one."""
    if view.remote is None:
        return {}
    found = statement if view.entry_back else NO_ENTRY
    return {_publisher_name(view.remote): view.remote.peers.part(found)}


def remote_entries(view: PeerView) -> Answers:
    """Give the entries of the home cluster that lead to the same remote cluster."""
    home = view.home
    return {_publisher_name(home): home.peers.part(view.entries)}


def remote_names(view: PeerView) -> Answers:
    remotes = filter(None, (view.remote,))
    return {f"Table processnode of {one.name}": one.process_nodes for one in remotes}


def both_counts(view: PeerView) -> Answers:
    home, remote = view.home, view.remote
    if remote is None:
        return {}
    here = f"{view.users_here} users of {remote.name}"
    there = f"{view.users_there} users of its own"
    return {
        f"Users per node on {home.name}": home.users.part(here),
        f"Users per node on {remote.name}": remote.users.part(there),
    }


def both_versions(view: PeerView) -> Answers:
    clusters = filter(None, (view.home, view.remote))
    return {label: one for c in clusters for label, one in _version(c).items()}


def _version(cluster: ClusterFacts) -> Answers:
    return {f"getCCMVersion of {cluster.name}": cluster.version}


def im_addresses(cluster: ClusterFacts) -> Answers:
    """Give how many addresses were read, not whose."""
    read = cluster.im_addresses
    summary = f"{len(read.value or ())} users read"
    return {f"IM addresses of {cluster.name}": read.part(summary)}


def address_schemes(view: PeerView) -> Answers:
    """Give what each scheme is known by, unless it was entered in the console."""
    found: dict[str, Answer[object]] = {}
    for cluster in filter(None, (view.home, view.remote)):
        if cluster.address_scheme:
            continue
        if only_scheme_of(cluster.version.value or ""):
            found |= _version(cluster)
        else:
            found |= im_addresses(cluster)
    return found
