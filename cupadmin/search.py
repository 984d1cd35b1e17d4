"""What a term finds, each kind with its full count: for the search and its suggestions.

A person finds what the role and the limit to clusters let them see.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts import cluster_limits
from accounts.http import Request
from accounts.roles import Role, has_role
from clusters.models import Cluster, Node
from jobs.models import Job
from peers.models import Peer
from ui.menus import FOR_ALL_CLUSTERS, ITEMS

LONGEST_QUERY = 100
# What a person can start from anywhere: its label, its page, and the role it needs.
ACTIONS = (
    ("Add cluster", "clusters:add_cluster", Role.ADMINISTRATOR),
    ("Add peer", "peers:add_peer", Role.ADMINISTRATOR),
    ("Set up a peering", "mesh:set_up", Role.ADMINISTRATOR),
    ("Complete the mesh", "mesh:complete", Role.ADMINISTRATOR),
    ("Import and export", "peers:import", Role.ADMINISTRATOR),
    ("Review certificates", "clusters:certificates", Role.OPERATOR),
    ("Run the System Troubleshooter", "diagnostics:troubleshooter", Role.OPERATOR),
    ("Add user", "accounts:add_user", Role.ADMINISTRATOR),
)
# Pages that other pages lead to, beside those of the menus.
MORE_PAGES = (
    ("All problems", "overview:problems", Role.VIEWER),
    ("All runs of the System Troubleshooter", "diagnostics:runs", Role.VIEWER),
    ("History of all peers", "history:everything", Role.VIEWER),
)
CONSOLE_USERS = "Users of the console"
NOT_LIMITED = FOR_ALL_CLUSTERS | {"accounts:add_user"}


@dataclass(frozen=True)
class Hit:
    """One thing that was found.

    Args:
        outcome: its state, for an icon; empty where it has none.
    """

    label: str
    url: str
    outcome: str = ""
    detail: str = ""


@dataclass(frozen=True)
class SearchGroup:
    """What was found of one kind.

    Args:
        count: of all, also those that are not among the hits.
        url: the list that shows all of them; empty where there is none.
    """

    title: str
    hits: list[Hit]
    count: int
    url: str = ""

    @property
    def more(self) -> int:
        return self.count - len(self.hits)


def find_all(request: Request, term: str, most: int) -> list[SearchGroup]:
    """Return each kind of which something was found, with up to `most` of it."""
    if not term:
        return []
    kinds = [*find_places(request, term, most), *find_rows(request, term, most)]
    return [*(found for found in kinds if found.count), offer_directory(term)]


def suggest_hits(request: Request, term: str, most: int) -> list[SearchGroup]:
    """The same; without a term what a person can do from anywhere."""
    if term:
        return find_all(request, term, most)
    return [found for found in find_places(request, "", 20) if found.title == "Actions"]


def find_rows(request: Request, term: str, most: int) -> Iterator[SearchGroup]:
    """What is in the database."""
    named = Q(name__icontains=term)
    clusters = Cluster.objects.filter(named | Q(domain__icontains=term))
    yield first_hits(clusters, most, "Clusters", of_cluster)
    nodes = Node.objects.filter(named | Q(address__icontains=term))
    yield first_hits(nodes.select_related("cluster"), most, "Nodes", of_node)
    peers = Peer.objects.filter(
        Q(address__icontains=term) | Q(username__icontains=term)
    )
    yield first_hits(peers.select_related("cluster"), most, "Peers", of_peer)
    jobs = Job.objects.filter(target_label__icontains=term)
    query = urlencode({"object": term})
    yield first_hits(jobs, most, "Jobs", of_job, f"{reverse('jobs:find')}?{query}")
    if may_manage_users(request):
        users = User.objects.filter(username__icontains=term).order_by("username")
        yield first_hits(users, most, CONSOLE_USERS, of_user)


def first_hits(
    found: QuerySet[Any], most: int, title: str, hit: Any, url: str = ""
) -> SearchGroup:
    """The first of a query as hits, and how many there are."""
    hits = [hit(row) for row in found[:most]]
    count = len(hits) if len(hits) < most else found.count()
    return SearchGroup(title, hits, count, url)


def of_cluster(cluster: Cluster) -> Hit:
    return Hit(cluster.name, cluster.get_absolute_url(), cluster.health, cluster.domain)


def of_node(node: Node) -> Hit:
    role = f"{node.get_role_display()} of {node.cluster}"
    return Hit(str(node), node.get_absolute_url(), detail=role)


def of_peer(peer: Peer) -> Hit:
    url = peer.get_absolute_url()
    return Hit(peer.address, url, peer.outcome, f"on {peer.cluster}")


def of_job(job: Job) -> Hit:
    return Hit(str(job), job.get_absolute_url(), job.state, job.get_state_display())


def of_user(user: User) -> Hit:
    return Hit(user.get_username(), reverse("accounts:edit_user", args=[user.pk]))


def find_places(request: Request, term: str, most: int) -> Iterator[SearchGroup]:
    """Pages, and what can be done: few, so they are compared here."""
    pages = [(label, name, role) for *_, label, name, role in ITEMS]
    pages += MORE_PAGES
    for title, entries in (("Pages", pages), ("Actions", list(ACTIONS))):
        hits = [
            Hit(label, reverse(name))
            for label, name, role in entries
            if term.casefold() in label.casefold() and may_open(request, name, role)
        ]
        yield SearchGroup(title, hits[:most], len(hits))


def offer_directory(term: str) -> SearchGroup:
    """The users of clusters are many: they are found on a page of their own."""
    url = f"{reverse('directory:locate')}?{urlencode({'user': term})}"
    return SearchGroup(
        "Directory", [Hit(f"Find user “{term}” in the directory", url)], 1
    )


def may_open(request: Request, name: str, needed: Role) -> bool:
    limited = cluster_limits.current_limit() is not None and name in NOT_LIMITED
    return has_role(request.user, needed) and not limited


def may_manage_users(request: Request) -> bool:
    return may_open(request, "accounts:users", Role.ADMINISTRATOR)
