"""Presence > Inter-Clustering: Find and List."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import (
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.views.decorators.vary import vary_on_headers

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role, role_of
from accounts.scope import current, unlimited
from jobs.locks import Busy
from jobs.models import Job
from peers import editing, search
from peers.forms import BOTH, KEEP, RemovalForm
from peers.links import Links
from peers.models import Cluster, Outcome, Peer, SavedSearch
from peers.pages import page_of
from peers.rows import Rows, heads, options
from peers.search import Search
from rest.csv import csv_download

EXPORTED = {
    "address": "address",
    "cluster": "cluster__name",
    "remote_cluster": "remote_cluster__name",
    "username": "username",
    "protocol": "protocol",
    "external_phone_number_mask": "external_phone_number_mask",
    "provisioning_state": "provisioning_state",
    "outcome": "outcome",
    "associated_users": "associated_users",
    "remote_users": "remote_users",
    "checked_at": "checked_at",
}


# What a row of the page says.
SHOWN = (
    "pk",
    "address",
    "cluster_id",
    "remote_cluster_id",
    "username",
    "protocol",
    "provisioning_state",
    "drift",
    "removing",
    "outcome",
    "associated_users",
    "remote_users",
    "checked_at",
)


@vary_on_headers("HX-Request")
@access(get=Role.VIEWER)
def find(request: Request) -> HttpResponse:
    """The page, or for htmx the part below the criteria; the URL says it all."""
    remembered = request.session.get("peer_rows", search.DEFAULT_ROWS)
    wanted = Search.parse(request.GET, remembered)
    if wanted.rows != remembered:
        request.session["peer_rows"] = wanted.rows
    names = dict(Cluster.objects.order_by("name").values_list("pk", "name"))
    page = page_of(wanted, Peer.objects.all(), request.GET, SHOWN)
    rows = Rows(
        names,
        others=names_beyond(page, names),
        selectable=may_administer(request),
        selected=request.GET.get("select") == "all",
    )
    links = Links(wanted, page, request.GET)
    context = {
        "search": wanted,
        "page_obj": page,
        "links": links,
        "heads": heads(links),
        "rows": rows.html(page),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "peers/_found.html", context | {"announced": True})
    saved = SavedSearch.objects.filter(user=request.user)
    context["saved"] = saved.only("name", "query")
    known = [*Peer.Protocol.values, *Outcome.values, *names.values()]
    context["suggestions"] = options(known)
    return render(request, "peers/find.html", context)


def names_beyond(page: Iterable[Any], names: Mapping[UUID, str]) -> dict[UUID, str]:
    """The names of remote clusters that whoever asks may not see otherwise."""
    if current() is None:
        return {}
    remote = {peer.remote_cluster_id for peer in page} - names.keys() - {None}
    with unlimited():
        return dict(Cluster.objects.filter(pk__in=remote).values_list("pk", "name"))


def may_administer(request: Request) -> bool:
    role = role_of(request.user)
    return role is not None and role.covers(Role.ADMINISTRATOR)


@access(get=Role.VIEWER)
def export(request: Request) -> StreamingHttpResponse:
    """Everything that the search finds, as CSV."""
    peers = Search.parse(request.GET).apply(Peer.objects.all())
    rows = peers.values_list(*EXPORTED.values()).iterator(1_000)
    return csv_download("inter-clustering", list(EXPORTED), rows)


@access(post=Role.ADMINISTRATOR)
def delete_selected(request: Request) -> HttpResponse:
    """First ask, naming the peers and what happens; then do it, peer by peer."""
    try:
        peers = list(
            Peer.objects.filter(pk__in=request.POST.getlist("peer")).select_related(
                "cluster", "remote_cluster"
            )
        )
    except ValidationError:
        peers = []
    if not peers:
        messages.info(request, "Select the peers that you want to delete first.")
        return redirect("peers:find")
    confirmed = "scope" in request.POST
    form = RemovalForm.of_many(peers, request.POST if confirmed else None)
    if confirmed and form.is_valid():
        return delete_all(request, peers, form.cleaned_data["scope"])
    return render(request, "peers/delete_selected.html", {"peers": peers, "form": form})


def delete_all(request: Request, peers: list[Peer], scope: str) -> HttpResponseRedirect:
    """Delete each; one whose matching peer was removed with it is done already."""
    began, gone = 0, 0
    done: set[object] = set()
    for peer in peers:
        if peer.pk in done:
            continue
        back = peer.reverse if scope == BOTH else None
        done |= {one.pk for one in (peer, back) if one}
        try:
            job = delete(request, peer, scope)
        except Busy as error:
            messages.error(request, f"{peer} was not deleted: {error}")
            continue
        began, gone = began + bool(job), gone + (job is None)
    if gone:
        messages.success(request, f"{gone} deleted.")
    if began:
        messages.info(request, f"The removal of {began} began; see Jobs.")
    return redirect("peers:find")


def delete(request: Request, peer: Peer, scope: str) -> Job | None:
    actor = audit.actor_of(request)
    if scope == KEEP:
        editing.forget_peer(peer, actor)
        return None
    return editing.delete_peer(peer, actor, both_sides=scope == BOTH)
