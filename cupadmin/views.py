"""The overview, the REST documentation and health."""

from ipaddress import ip_address, ip_network
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.views import SpectacularJSONAPIView

from accounts import scope
from accounts.access import DeclaredAccess, Role, access, open_to_all
from accounts.http import Request
from accounts.models import ApiToken
from cupadmin.overview import cards
from diagnostics.metrics import metrics as diagnostics_metrics
from jobs.models import Job
from mesh.matrix import mesh
from peers.models import Cluster, Node, Peer

MOST_RESULTS = 20
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@access(get=Role.VIEWER)
def home(request: Request) -> HttpResponse:
    """Overview: the mesh matrix, and fragments of what higher apps know."""
    found = mesh()
    context = {"mesh": found, "cards": cards(found) if found.clusters else []}
    return render(request, "home.html", context)


@access(get=Role.VIEWER)
def search(request: Request) -> HttpResponse:
    """One field over clusters, nodes, peers and jobs; each answer is a link."""
    term = request.GET.get("q", "").strip().replace("\0", "")[:100]
    results = find(term) if term else []
    context = {
        "search_query": term,
        "results": results,
        "has_results": any(found for _, found in results),
    }
    return render(request, "search.html", context)


def find(term: str) -> list[tuple[str, list[Any]]]:
    clusters = Q(name__icontains=term) | Q(domain__icontains=term)
    nodes = Q(name__icontains=term) | Q(address__icontains=term)
    peers = Q(address__icontains=term) | Q(username__icontains=term)
    return [
        ("Clusters", list(Cluster.objects.filter(clusters)[:MOST_RESULTS])),
        ("Nodes", list(Node.objects.filter(nodes)[:MOST_RESULTS])),
        (
            "Peers",
            list(Peer.objects.filter(peers).select_related("cluster")[:MOST_RESULTS]),
        ),
        (
            "Jobs",
            list(Job.objects.filter(target_label__icontains=term)[:MOST_RESULTS]),
        ),
    ]


class Schema(SpectacularJSONAPIView):
    """The OpenAPI description."""

    permission_classes = (DeclaredAccess,)
    access = {"get": Role.VIEWER}


schema = Schema.as_view()


# Swagger UI draws its icons from data: addresses; only this page allows them.
@access(get=Role.VIEWER)
@csp_update({"img-src": ["data:"]})  # type: ignore[arg-type]
def docs(request: Request) -> HttpResponse:
    """Interactive pages of the REST interface; nothing comes from another host."""
    return render(request, "rest/docs.html")


@open_to_all
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@open_to_all
def readyz(request: HttpRequest) -> HttpResponse:
    """Ready means: the database answers."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    return JsonResponse({"status": "ok"})


@open_to_all
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for a token or an address in METRICS_NETWORKS."""
    if not may_scrape(request):
        response = HttpResponse("Send a token of this console.\n", status=401)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(diagnostics_metrics(), content_type=METRICS_TYPE)


def may_scrape(request: HttpRequest) -> bool:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = ApiToken.find(text.strip()) if scheme.lower() == "bearer" else None
    if token is not None:
        scope.narrow(token.limit)
        return True
    address = ip_address(request.META["REMOTE_ADDR"] or "0.0.0.0")  # noqa: S104
    trusted = any(address in ip_network(text) for text in settings.METRICS_NETWORKS)
    if trusted:
        scope.narrow(None)
    return trusted
