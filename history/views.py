"""History and timeline of peers and clusters, and the history of everything."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import access
from accounts.http import Request
from accounts.roles import Role, has_role
from clusters.models import Cluster
from history import timeline
from history.availability import RANGES, Days, availability_of
from history.chart import Chart
from history.models import ClusterDay, PeerDay
from peers.models import Peer

PAGE = 50


@access(get=Role.VIEWER)
def peer_history(request: Request, pk: str) -> HttpResponse:
    row = get_object_or_404(Peer.objects.select_related("cluster"), pk=pk)
    context = {"subject": row, "timeline": reverse("history:peer_timeline", args=[pk])}
    return render_history(request, PeerDay.objects.filter(peer=row), context)


@access(get=Role.VIEWER)
def cluster_history(request: Request, pk: str) -> HttpResponse:
    """The peers on a cluster, all of them together."""
    row = get_object_or_404(Cluster, pk=pk)
    url = reverse("history:cluster_timeline", args=[pk])
    context = {"subject": row, "timeline": url}
    return render_history(request, ClusterDay.objects.filter(cluster=row), context)


@access(get=Role.VIEWER)
def mesh_history(request: Request) -> HttpResponse:
    """All peers together."""
    return render_history(request, ClusterDay.objects.all(), {"subject": None})


def render_history(
    request: Request, days: Days, context: dict[str, Any]
) -> HttpResponse:
    """Render the page, or for htmx the panel's content."""
    now = timezone.now()
    chosen = RANGES.get(request.GET.get("range", ""), RANGES["day"])
    context |= {
        "availability": availability_of(days, now),
        "chart": Chart(chosen, chosen.slots(days, now)),
        "ranges": RANGES.values(),
    }
    name = "history/_history.html" if request.htmx else "history/history.html"
    return render(request, name, context)


@access(get=Role.VIEWER)
def peer_timeline(request: Request, pk: str) -> HttpResponse:
    rows = Peer.objects.select_related("cluster", "remote_cluster")
    row = get_object_or_404(rows, pk=pk)
    may_audit = has_role(request.user, Role.ADMINISTRATOR)
    found = timeline.of_peer(row, may_audit=may_audit)
    return show_timeline(request, row, found)


@access(get=Role.VIEWER)
def cluster_timeline(request: Request, pk: str) -> HttpResponse:
    row = get_object_or_404(Cluster, pk=pk)
    may_audit = has_role(request.user, Role.ADMINISTRATOR)
    found = timeline.of_cluster(row, may_audit=may_audit)
    return show_timeline(request, row, found)


def show_timeline(
    request: Request, subject: Cluster | Peer, found: timeline.Timeline
) -> HttpResponse:
    paginator: Paginator[timeline.Item] = Paginator(found, PAGE)  # type: ignore[arg-type]
    page = paginator.get_page(request.GET.get("page"))
    context = {"subject": subject, "page_obj": page}
    return render(request, "history/timeline.html", context)
