"""Presence > Certificates: who trusts whose certificates, over the whole mesh."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from clusters.models import Cluster
from clusters.requests import by_site
from exchange.forms import TrustGridForm
from exchange.grid import grid
from exchange.grid_html import Drawing
from exchange.jobs.read import ReadCertificates
from exchange.judge import TrustNode
from exchange.pairs import TrustData, load_certificates
from exchange.peer_list import peer_list
from exchange.presented import presented_certificates
from jobs.locks import Busy
from peers.models import Peer

ROWS = 60
PRESENTED = 50


@access(get=Role.VIEWER)
def show_exchange(request: Request) -> HttpResponse:
    """The table of nodes and remote clusters, and what every node presents."""
    found = load_certificates()
    form = TrustGridForm(request.GET)
    table = grid(found, form.chosen)
    page = Paginator(table.rows, ROWS).get_page(request.GET.get("page"))
    context = {
        "found": found,
        "grid": table,
        "form": form,
        "page": page,
        "table": Drawing(table, list(page)).html(),
        "presented": presented_certificates(found)[:PRESENTED],
        "without_account": [
            one for one in found.clusters.values() if not one.has_account
        ],
        "problems": silent_nodes(found),
        "job": ReadCertificates.all().active().first(),
    }
    return render(request, "exchange/show.html", context)


def silent_nodes(found: TrustData) -> list[TrustNode]:
    """The nodes that did not show their trust lists although there is an account."""
    return [
        node
        for cluster in found.clusters.values()
        for node in cluster.nodes
        if cluster.has_account and node.seen_at and node.problem
    ]


@access(get=Role.VIEWER)
def show_pair(request: Request, pk: UUID) -> HttpResponse:
    """Whether each certificate of a peer's remote cluster is trusted, and where."""
    peer = get_object_or_404(
        Peer.objects.select_related("cluster", "remote_cluster"), pk=pk
    )
    context = {"peer": peer, "list": peer_list(peer)}
    return render(request, "exchange/pair.html", context)


@access(post=Role.OPERATOR)
def read_all(request: Request) -> HttpResponse:
    """Read the certificates of all clusters in sight now."""
    clusters = Cluster.objects.filter(nodes__isnull=False).distinct().order_by("name")
    return submit_reading(request, list(clusters))


@access(post=Role.OPERATOR)
def read_cluster(request: Request, pk: UUID) -> HttpResponse:
    """Read the certificates of one cluster now."""
    return submit_reading(request, [get_object_or_404(Cluster, pk=pk)])


def submit_reading(request: Request, clusters: list[Cluster]) -> HttpResponse:
    actor = audit.actor_of(request)
    if not clusters:
        messages.info(request, "There is no cluster with a node to read.")
    for some in by_site(clusters):
        try:
            ReadCertificates.submit(some, actor)
        except Busy as error:
            messages.info(request, str(error))
        else:
            messages.success(request, "The certificates are being read.")
    return redirect("exchange:show")
