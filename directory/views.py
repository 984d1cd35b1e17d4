"""Presence > Directory: whose user is this, and do both sides agree?"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from directory import duplicates, exports, leftovers, locator, snapshots, store
from directory.comparison import LISTS, compare
from directory.homes import Directory
from directory.masks import preview
from directory.models import Comparison, Snapshot
from directory.moves import Moves, procedure
from directory.remote import directions
from directory.trend import trend_of
from jobs.locks import Busy
from jobs.models import Job
from peers.mask import validate_mask
from peers.models import Cluster, Outcome, Peer
from rest.csv import csv_download

ROWS = 50
TITLES = {
    "missing": "Missing on the home cluster",
    "extra": "No longer on the remote cluster",
    "elsewhere": "Homed elsewhere than shown",
}


def plain(request: Request, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:300]


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@access(get=Role.VIEWER)
def locate(request: Request) -> HttpResponse:
    """One field, one answer: where a user lives and who sees the user there."""
    text = plain(request, "user")
    chosen = plain(request, "id")
    context: dict[str, Any] = {"user_text": text, "here": "locate"}
    if text:
        directory = Directory()
        userids = locator.candidates(directory, text)
        if chosen in userids:
            userids = [chosen, *(one for one in userids if one != chosen)]
        context |= {
            "userids": userids,
            "located": locator.locate(directory, userids[0]) if userids else None,
            "most": locator.MOST,
            "nothing_read": not directory.sides,
            "unread": in_words(directory.unread),
        }
    else:
        context |= overview()
    return render(request, "directory/locate.html", context)


def in_words(unread: list[Cluster]) -> str:
    """What is not known because these clusters were never read."""
    if not unread:
        return ""
    if len(unread) == 1:
        return f"The users of {unread[0]} were never read, so it may have the user too."
    return (
        f"The users of {len(unread)} clusters were never read, so they may have the "
        "user too."
    )


def overview() -> dict[str, Any]:
    """Which clusters were read, and when."""
    directory = Directory()
    clusters = [
        {
            "cluster": cluster,
            "side": side,
            "own": side.count(number) if side else None,
            "unassigned": side.snapshot.nodes.get("", 0) if side else None,
        }
        for number, cluster in enumerate(directory.clusters)
        for side in [directory.sides.get(number)]
    ]
    running = Job.objects.active().filter(kind=snapshots.KIND).first()
    return {"clusters": clusters, "running": running}


@access(post=Role.OPERATOR)
def take(request: Request) -> HttpResponse:
    """Read the users of the named cluster, or of all."""
    chosen = uuid_of(request.POST.get("cluster", ""))
    clusters = [
        cluster
        for cluster in Cluster.objects.prefetch_related("nodes")
        if chosen in (None, cluster.pk) and snapshots.readable(cluster)
    ]
    if not clusters:
        messages.error(
            request, "There is no cluster with a confirmed publisher to be read."
        )
        return redirect("directory:locate")
    try:
        job = snapshots.take(clusters, audit.actor_of(request))
    except Busy as error:
        messages.info(request, str(error))
        return redirect(error.job)
    return redirect(job)


@access(get=Role.VIEWER)
def comparisons(request: Request) -> HttpResponse:
    """Every peer with its newest comparison, if any; those that differ first."""
    newest = Comparison.objects.filter(peer=OuterRef("peer")).order_by("-at", "-id")
    found = Comparison.objects.filter(pk=Subquery(newest.values("pk")[:1]))
    found = found.select_related("peer__cluster", "peer__remote_cluster")
    order = [Outcome.FAILED, Outcome.WARNING, Outcome.UNKNOWN, Outcome.PASSED]
    waiting = Peer.objects.exclude(remote_cluster=None).exclude(comparisons__in=found)
    waiting = waiting.select_related("cluster", "remote_cluster")
    uncompared = (Comparison(peer=peer, outcome=Outcome.UNKNOWN) for peer in waiting)
    rows = sorted(
        [*found, *uncompared],
        key=lambda one: (order.index(Outcome(one.outcome)), one.peer.cluster.name),
    )
    outcome = plain(request, "outcome")
    if outcome in Outcome.values:
        rows = [row for row in rows if row.outcome == outcome]
    context = {
        "page_obj": Paginator(rows, ROWS).get_page(request.GET.get("page")),
        "outcome": outcome,
        "outcomes": order,
        "leftovers": sum(one.count for one in leftovers.find(Directory())),
        "here": "comparison",
    }
    return render(request, "directory/comparisons.html", context)


@access(get=Role.VIEWER)
def leftover_users(request: Request) -> HttpResponseBase:
    """Users of clusters without a peering: how many are where, or who."""
    directory = Directory()
    context: dict[str, Any] = {"here": "comparison"}
    if "cluster" not in request.GET:
        found = leftovers.find(directory)
        context["page_obj"] = Paginator(found, ROWS).get_page(request.GET.get("page"))
        return render(request, "directory/leftovers.html", context)
    chosen = leftovers.between(
        directory, plain(request, "cluster"), plain(request, "remote")
    )
    if chosen is None:
        messages.info(request, "There are no such users without a peering any more.")
        return redirect("directory:leftovers")
    search = plain(request, "q")
    users = chosen.found(search)
    if plain(request, "format") == "csv":
        name = f"without peering {chosen.cluster} {chosen.remote_name}"
        rows = exports.leftovers((chosen, user) for user in users)
        return csv_download(name, exports.LEFTOVER, rows)
    context |= {
        "chosen": chosen,
        "q": search,
        "page_obj": Paginator(users, ROWS).get_page(request.GET.get("page")),
    }
    return render(request, "directory/leftover_users.html", context)


@access(get=Role.VIEWER)
def comparison(request: Request, pk: str) -> HttpResponseBase:
    """Both sides of one peer, and who differs, by name."""
    peers = Peer.objects.select_related("cluster", "remote_cluster")
    peer = get_object_or_404(peers, pk=pk)
    compared = compare(Directory(), peer)
    context: dict[str, Any] = {"peer": peer, "compared": compared, "here": "comparison"}
    if compared is None:
        return render(request, "directory/comparison.html", context)
    search = plain(request, "q")
    name = plain(request, "list")
    if name not in LISTS:
        name = next((one for one in LISTS if compared.count(one)), LISTS[0])
    entries = compared.entries(name, search)
    if plain(request, "format") == "csv":
        return csv_download(f"{name} {peer}", exports.ENTRY, exports.entries(entries))
    context |= {
        "lists": [(one, TITLES[one], compared.count(one)) for one in LISTS],
        "list": name,
        "title": TITLES[name],
        "q": search,
        "page_obj": Paginator(entries, ROWS).get_page(request.GET.get("page")),
        "trend": trend_of(peer),
    }
    return render(request, "directory/comparison.html", context)


@access(get=Role.VIEWER)
def duplicate_users(request: Request) -> HttpResponseBase:
    """The complete list of one kind of duplicates."""
    asked = plain(request, "kind")
    kind: duplicates.Kind = next(
        (one for one in duplicates.KINDS if one == asked), "userid"
    )
    search = plain(request, "q")
    directory = Directory()
    found = duplicates.chosen(
        duplicates.find(directory, kind), uuid_of(plain(request, "cluster")), search
    )
    if plain(request, "format") == "csv":
        rows = exports.duplicates(found)
        return csv_download(f"duplicates {kind}", exports.DUPLICATE, rows)
    context = {
        "kinds": [
            (one, label, len(duplicates.find(directory, one)))
            for one, label in duplicates.KINDS.items()
        ],
        "kind": kind,
        "label": duplicates.KINDS[kind],
        "alone": kind not in duplicates.SHARED,
        "clusters": directory.clusters,
        "cluster": plain(request, "cluster"),
        "q": search,
        "page_obj": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "nothing_read": not directory.sides,
        "unread": len(directory.unread),
        "here": "duplicates",
    }
    return render(request, "directory/duplicates.html", context)


@access(get=Role.VIEWER)
def moves(request: Request) -> HttpResponseBase:
    """Two snapshots around a migration of users between clusters."""
    pk = uuid_of(plain(request, "source"))
    source = Cluster.objects.filter(pk=pk).first() if pk else None
    taken = list(Snapshot.objects.filter(cluster=source)) if source else []
    before = next((s for s in taken if str(s.pk) == plain(request, "before")), None)
    context: dict[str, Any] = {
        "clusters": Cluster.objects.order_by("name"),
        "source": source,
        "snapshots": taken[1:],
        "newest": taken[0] if taken else None,
        "before": before,
        "here": "moves",
    }
    directory = Directory()
    side = directory.side(source.pk) if source else None
    if side and before:
        moved = Moves(directory, side, before)
        everybody = moved.all()
        if plain(request, "format") == "csv":
            rows = exports.moves(everybody)
            return csv_download(f"moves {source}", exports.MOVE, rows)
        context |= {
            "moves": moved,
            "procedure": procedure(len(moved)),
            "page_obj": Paginator(everybody, ROWS).get_page(request.GET.get("page")),
        }
    return render(request, "directory/moves.html", context)


@access(get=Role.VIEWER)
def mask_preview(request: Request) -> HttpResponse:
    """For the peer form: the mask on the remote cluster's directory numbers."""
    mask = plain(request, "external_phone_number_mask")
    context: dict[str, Any] = {"mask": mask}
    try:
        validate_mask(mask)
    except ValidationError as error:
        context["error"] = error.messages[0]
        return render(request, "directory/_mask_preview.html", context)
    # An edited peer stays on its home cluster, so its form has no field for it.
    home = uuid_of(plain(request, "cluster") or plain(request, "home"))
    address = plain(request, "address")
    remote, numbers, back = directions(home, address)
    context |= {
        "address": address,
        "remote": remote,
        "snapshot": store.latest().get(remote.pk) if remote else None,
        "preview": preview(mask, numbers, back),
    }
    return render(request, "directory/_mask_preview.html", context)
