"""Presence > Inter-Clustering: Find and List."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from accounts.access import access
from accounts.http import Request
from accounts.roles import Role, has_role
from base.csv import csv_download
from clusters.models import Cluster
from peers.find import search
from peers.find.row_html import rows_html
from peers.find.search import Search
from peers.models import Peer, PeerOutcome

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


# What a row of the page shows.
SHOWN = (
    "pk",
    "address",
    "cluster_id",
    "cluster__name",
    "remote_cluster_id",
    "remote_cluster__name",
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
def find_peers(request: Request) -> HttpResponse:
    """The page, or for htmx the part below the criteria; the URL says it all."""
    remembered = request.session.get("peer_rows", search.DEFAULT_ROWS)
    wanted = Search.parse(request.GET, remembered)
    if wanted.rows != remembered:
        request.session["peer_rows"] = wanted.rows
    clusters = list(Cluster.objects.only("name").order_by("name"))
    # Only the ids are searched and sorted, which an index holds.
    found = wanted.apply(Peer.objects.all()).values_list("pk", flat=True)
    page = Paginator(found, wanted.rows).get_page(request.GET.get("page"))
    context = {
        "search": wanted,
        "page_obj": page,
        "rows": rows_html(
            list_rows(page.object_list),
            clusters,
            selectable=has_role(request.user, Role.OPERATOR),
            selected=request.GET.get("select") == "all",
        ),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "peers/_found.html", context | {"announced": True})
    context |= {
        "fields": search.FIELDS,
        "operators": search.OPERATORS,
        "row_counts": search.ROWS,
        "suggestions": [
            *Peer.Protocol.values,
            *PeerOutcome.values,
            *(c.name for c in clusters),
        ],
    }
    return render(request, "peers/find.html", context)


def list_rows(pks: Iterable[UUID]) -> list[dict[str, Any]]:
    """The values of the rows, in this order."""
    pks = list(pks)
    peers = {
        peer["pk"]: peer
        for peer in Peer.objects.filter(pk__in=pks).order_by().values(*SHOWN)
    }
    return [peers[pk] for pk in pks if pk in peers]


@access(get=Role.VIEWER)
def export_peers(request: Request) -> StreamingHttpResponse:
    """Everything that the search finds, as CSV."""
    peers = Search.parse(request.GET).apply(Peer.objects.all())
    rows = peers.values_list(*EXPORTED.values()).iterator(1_000)
    return csv_download("inter-clustering", list(EXPORTED), rows)
