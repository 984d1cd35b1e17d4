"""Presence > Directory: whose user is this, and do both clusters agree?"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from base import csv
from base.csv import csv_download
from clusters.models import Cluster
from directory import (
    duplicates,
    exports,
    locator,
    orphans,
    store,
)
from directory.comparison import LISTS, compare_listings
from directory.comparison_list import ComparisonList
from directory.jobs.snapshot import SnapshotDirectory, is_readable
from directory.mask_numbers import preview_mask
from directory.models import Snapshot
from directory.moves import Moves, move_procedure
from directory.ownership import Directory
from directory.remote_lookup import numbers_of_both
from directory.trend import trend_of
from jobs.locks import Busy
from peers.mask import validate_mask
from peers.models import SEVERITY, Peer, PeerOutcome

ROWS = 50
TITLES = {
    "missing": "Missing on the home cluster",
    "extra": "No longer on the remote cluster",
    "elsewhere": "Homed elsewhere than shown",
}


def query_text(request: Request, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:300]


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@access(get=Role.VIEWER)
def show_user(request: Request) -> HttpResponse:
    """One field, one answer: where a user lives and who sees the user there."""
    text = query_text(request, "user")
    chosen = query_text(request, "id")
    context: dict[str, Any] = {"user_text": text, "here": "locate"}
    if text:
        directory = Directory()
        userids = locator.candidate_users(directory, text)
        if chosen in userids:
            userids = [chosen, *(one for one in userids if one != chosen)]
        context |= {
            "userids": userids,
            "located": locator.locate_user(directory, userids[0]) if userids else None,
            "most": locator.MOST_MATCHES,
            "nothing_read": not directory.listings,
            "unread": in_words(directory.unread),
        }
    else:
        context |= snapshot_overview()
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


def snapshot_overview() -> dict[str, Any]:
    """Which clusters were read, and when."""
    directory = Directory()
    clusters = [
        {
            "cluster": cluster,
            "listing": listing,
            "own": listing.count(number) if listing else None,
            "unassigned": listing.snapshot.nodes.get("", 0) if listing else None,
        }
        for number, cluster in enumerate(directory.clusters)
        for listing in [directory.listings.get(number)]
    ]
    running = SnapshotDirectory.all().active().first()
    return {"clusters": clusters, "running": running}


@access(post=Role.OPERATOR)
def take_snapshot(request: Request) -> HttpResponse:
    """Read the users of the named cluster, or of all."""
    chosen = uuid_of(request.POST.get("cluster", ""))
    clusters = [
        cluster
        for cluster in Cluster.objects.prefetch_related("nodes")
        if chosen in (None, cluster.pk) and is_readable(cluster)
    ]
    if not clusters:
        messages.error(
            request, "There is no cluster with a confirmed publisher to be read."
        )
        return redirect("directory:locate")
    try:
        job = SnapshotDirectory.submit(clusters, audit.actor_of(request))
    except Busy as error:
        messages.info(request, str(error))
        return redirect(error.job)
    return redirect(job)


@access(get=Role.VIEWER)
def list_comparisons(request: Request) -> HttpResponseBase:
    """Every peer with its newest comparison, if any; those that differ first."""
    outcome = query_text(request, "outcome")
    rows = ComparisonList(outcome if outcome in PeerOutcome.values else "")
    if csv.is_requested(request):
        return csv.list_download("comparisons", exports.COMPARISON, rows[:])
    context = {
        "page_obj": Paginator(rows, ROWS).get_page(request.GET.get("page")),
        "outcome": outcome,
        "outcomes": SEVERITY,
        "leftovers": sum(one.count for one in orphans.find_leftovers(Directory())),
        "here": "comparison",
    }
    return render(request, "directory/comparisons.html", context)


@access(get=Role.VIEWER)
def leftover_users(request: Request) -> HttpResponseBase:
    """Users of clusters without a peering: how many are where, or who."""
    directory = Directory()
    context: dict[str, Any] = {"here": "comparison"}
    if "cluster" not in request.GET:
        found = orphans.find_leftovers(directory)
        if csv.is_requested(request):
            return csv.list_download("without peering", exports.LEFTOVERS, found)
        context["page_obj"] = Paginator(found, ROWS).get_page(request.GET.get("page"))
        return render(request, "directory/orphans.html", context)
    chosen = orphans.leftovers_between(
        directory, query_text(request, "cluster"), query_text(request, "remote")
    )
    if chosen is None:
        messages.info(request, "There are no such users without a peering any more.")
        return redirect("directory:leftovers")
    search = query_text(request, "q")
    users = chosen.found(search)
    if query_text(request, "format") == "csv":
        name = f"without peering {chosen.cluster} {chosen.remote_name}"
        rows = exports.leftover_lines((chosen, user) for user in users)
        return csv_download(name, exports.LEFTOVER, rows)
    context |= {
        "chosen": chosen,
        "q": search,
        "page_obj": Paginator(users, ROWS).get_page(request.GET.get("page")),
    }
    return render(request, "directory/orphan_users.html", context)


@access(get=Role.VIEWER)
def show_comparison(request: Request, pk: str) -> HttpResponseBase:
    """Both clusters of one peer, and who differs, by name."""
    peers = Peer.objects.select_related("cluster", "remote_cluster")
    peer = get_object_or_404(peers, pk=pk)
    compared = compare_listings(Directory(), peer)
    context: dict[str, Any] = {"peer": peer, "compared": compared, "here": "comparison"}
    if compared is None:
        return render(request, "directory/comparison.html", context)
    search = query_text(request, "q")
    name = query_text(request, "list")
    if name not in LISTS:
        name = next((one for one in LISTS if compared.count(one)), LISTS[0])
    entries = compared.entries(name, search)
    if query_text(request, "format") == "csv":
        return csv_download(
            f"{name} {peer}", exports.ENTRY, exports.entry_lines(entries)
        )
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
    kind_name = query_text(request, "kind")
    kind: duplicates.Kind = next(
        (one for one in duplicates.KINDS if one == kind_name), "userid"
    )
    search = query_text(request, "q")
    directory = Directory()
    found = duplicates.choose_duplicates(
        duplicates.find_duplicates(directory, kind),
        uuid_of(query_text(request, "cluster")),
        search,
    )
    if query_text(request, "format") == "csv":
        rows = exports.duplicate_lines(found)
        return csv_download(f"duplicates {kind}", exports.DUPLICATE, rows)
    context = {
        "kinds": [
            (one, label, len(duplicates.find_duplicates(directory, one)))
            for one, label in duplicates.KINDS.items()
        ],
        "kind": kind,
        "label": duplicates.KINDS[kind],
        "alone": kind not in duplicates.SHARED,
        "clusters": directory.clusters,
        "cluster": query_text(request, "cluster"),
        "q": search,
        "page_obj": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "nothing_read": not directory.listings,
        "unread": len(directory.unread),
        "here": "duplicates",
    }
    return render(request, "directory/duplicates.html", context)


@access(get=Role.VIEWER)
def show_moves(request: Request) -> HttpResponseBase:
    """Two snapshots around a migration of users between clusters."""
    pk = uuid_of(query_text(request, "source"))
    source = Cluster.objects.filter(pk=pk).first() if pk else None
    snapshots = list(Snapshot.objects.filter(cluster=source)) if source else []
    before = next(
        (s for s in snapshots if str(s.pk) == query_text(request, "before")), None
    )
    context: dict[str, Any] = {
        "clusters": Cluster.objects.order_by("name"),
        "source": source,
        "snapshots": snapshots[1:],
        "newest": snapshots[0] if snapshots else None,
        "before": before,
        "here": "moves",
    }
    directory = Directory()
    listing = directory.listing(source.pk) if source else None
    if listing and before:
        moved = Moves(directory, listing, before)
        everybody = moved.all()
        if query_text(request, "format") == "csv":
            rows = exports.move_lines(everybody)
            return csv_download(f"moves {source}", exports.MOVE, rows)
        context |= {
            "moves": moved,
            "procedure": move_procedure(len(moved)),
            "page_obj": Paginator(everybody, ROWS).get_page(request.GET.get("page")),
        }
    return render(request, "directory/moves.html", context)


@access(get=Role.VIEWER)
def mask_preview(request: Request) -> HttpResponse:
    """For the peer form: the mask on the remote cluster's directory numbers."""
    mask = query_text(request, "external_phone_number_mask")
    context: dict[str, Any] = {"mask": mask}
    try:
        validate_mask(mask)
    except ValidationError as error:
        context["error"] = error.messages[0]
        return render(request, "directory/_mask_preview.html", context)
    # An edited peer stays on its home cluster, so its form has no field for it.
    home = uuid_of(query_text(request, "cluster") or query_text(request, "home"))
    address = query_text(request, "address")
    remote, numbers, back = numbers_of_both(home, address)
    context |= {
        "address": address,
        "remote": remote,
        "snapshot": store.latest_snapshots().get(remote.pk) if remote else None,
        "preview": preview_mask(mask, numbers, back),
    }
    return render(request, "directory/_mask_preview.html", context)
