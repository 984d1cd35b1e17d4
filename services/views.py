"""Control Center - Network Services: server page, all nodes, sync agent everywhere."""

from collections import Counter
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django_htmx.http import HttpResponseStopPolling

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.roles import Role
from base import csv
from clusters.models import Cluster, Node
from jobs.locks import Busy
from jobs.models import Job
from services import confirmations, requests
from services.forms import AgentForm, ServerForm, ServiceGridForm
from services.jobs.control import ControlServices
from services.jobs.refresh import RefreshServices
from services.matrix import service_matrix
from services.models import Service, SyncAgent, sync_agents

FRESH_FOR = 60.0
# Grouping drops a model's own order; "publisher" sorts before "subscriber".
CLUSTER_BY_CLUSTER = ("cluster__name", "role", "name")
# Pages that follow a running job by themselves.
LIVE = ("server", "agents", "grid")


@access(get=Role.VIEWER)
def choose_server(request: Request) -> HttpResponse:
    """Choose a server; with `?server=` go there."""
    chosen = request.GET.get("server", "")
    if chosen:
        node = get_object_or_404(Node, pk=as_uuid(chosen))
        return redirect("services:show", node.pk)
    status = Service.Status
    nodes = Node.objects.select_related("cluster", "reading").annotate(
        started=Count("services", Q(services__status=status.STARTED)),
        stopped=Count("services", Q(services__status=status.STOPPED)),
        listed=Count("services"),
    )
    nodes = nodes.order_by(*CLUSTER_BY_CLUSTER)
    form = ServerForm(request.GET)
    context = {"nodes": nodes, "form": form, "shown": form.apply(nodes)}
    return render_live(request, "server", context)


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def node_or_404(pk: UUID) -> Node:
    return get_object_or_404(Node.objects.select_related("cluster", "reading"), pk=pk)


@access(get=Role.VIEWER)
def show_server(request: Request, pk: UUID) -> HttpResponse:
    """The services of a server, or for htmx the part that changes."""
    node = node_or_404(pk)
    context = node_context(node)
    if not request.htmx:
        nodes = Node.objects.select_related("cluster")
        return render(request, "services/show.html", {**context, "nodes": nodes})
    response = render(request, "services/_services.html", context)
    if context["job"]:
        return response
    return HttpResponseStopPolling(response.content)


def node_context(node: Node) -> dict[str, Any]:
    services = list(node.services.all())
    for service in services:
        service.node = node
    controlled = requests.control_jobs(services)
    refreshing = RefreshServices.all().active().for_target(node)
    reading = getattr(node, "reading", None)
    return {
        "node": node,
        "reading": reading,
        "services": services,
        "controlled": set(controlled),
        "job": next(iter(controlled.values()), None) or refreshing.first(),
        "stale": reading is None or age_of(reading.tried_at) > FRESH_FOR,
    }


def age_of(at: Any) -> float:
    return float((timezone.now() - at).total_seconds())


@access(post=Role.OPERATOR)
def refresh_server(request: Request, pk: UUID) -> HttpResponse:
    """Read a server's services again."""
    node = node_or_404(pk)
    if not requests.control_jobs(node.services.all()):
        RefreshServices.submit([node], audit.actor_of(request))
    if request.htmx:
        return render(request, "services/_services.html", node_context(node))
    return redirect("services:show", pk)


@access(post=Role.OPERATOR)
def refresh_all(request: Request) -> HttpResponse:
    """Read the services of all nodes again."""
    nodes = list(Node.objects.select_related("cluster"))
    if nodes:
        RefreshServices.submit(nodes, audit.actor_of(request))
    view = request.POST.get("view", "")
    return redirect(f"services:{view if view in LIVE else 'server'}")


@access(post=Role.OPERATOR)
@recent_proof("control services")
def control_services(request: Request) -> HttpResponse:
    """Show what start, stop or restart will do; once that is confirmed, do it."""
    text = request.POST.get("plan", "")
    if not text:
        return confirm_control(
            request, request.POST.get("action", ""), chosen_services(request)
        )
    try:
        action, ids = confirmations.confirmed_plan(text, request.user)
    except confirmations.Expired:
        messages.error(request, "That confirmation has expired. Please choose again.")
        return redirect("services:server")
    services = in_order(ids)
    if not services:
        messages.error(request, "These services no longer exist. Please choose again.")
        return redirect("services:server")
    return start_control(request, action, services)


def chosen_services(request: Request) -> list[Service]:
    ids = filter(None, map(as_uuid, request.POST.getlist("service")))
    return in_order(list(ids))


def in_order(ids: Sequence[UUID | str]) -> list[Service]:
    services = Service.objects.with_node().filter(pk__in=ids)
    return list(services.order_by("node__cluster__name", "node__name", "name"))


def confirm_control(
    request: Request, action: str, services: Sequence[Service]
) -> HttpResponse:
    if action not in requests.ACTIONS or not services:
        messages.warning(request, "Choose at least one service first.")
        back = as_uuid(request.POST.get("node", ""))
        return redirect("services:show", back) if back else redirect("services:server")
    plan = confirmations.plan_action(action, services)
    nodes = {service.node_id for service in services}
    context = {
        "plan": plan,
        "signed": plan.signed_for(request.user),
        "node": services[0].node if len(nodes) == 1 else None,
    }
    return render(request, "services/confirm.html", context)


def start_control(
    request: Request, action: str, services: list[Service]
) -> HttpResponse:
    try:
        return redirect(
            ControlServices.submit(action, services, audit.actor_of(request))
        )
    except Busy as busy:
        messages.error(request, f"Nothing was started: {busy} This is its page.")
        return redirect(busy.job)
    except requests.ControlRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("services:server")


EXPORTED_AGENTS: dict[str, Callable[[SyncAgent], Any]] = {
    "cluster": attrgetter("node.cluster.name"),
    "node": attrgetter("node.name"),
    "role": attrgetter("node.role"),
    "service": attrgetter("name"),
    "status": attrgetter("state"),
    "reason": lambda agent: agent.error or (agent.service and agent.service.reason),
    "up_time": lambda agent: agent.service and agent.service.up_time,
    "observed_at": attrgetter("observed_at"),
}
EXPORTED_SERVICES: dict[str, Callable[[Service], Any]] = {
    "cluster": attrgetter("node.cluster.name"),
    "node": attrgetter("node.name"),
    "group": attrgetter("group"),
    "service": attrgetter("name"),
    "status": attrgetter("display_status"),
    "last_status": attrgetter("last_status"),
    "reason": attrgetter("why"),
    "start_time": attrgetter("start_time"),
    "up_time": attrgetter("up_time"),
    "observed_at": attrgetter("observed_at"),
}


@access(get=Role.VIEWER)
def list_agents(request: Request) -> HttpResponseBase:
    """Is the Intercluster Sync Agent on, on every node of every cluster?"""
    every = sync_agents()
    off = [agent for agent in every if not agent.on]
    labels = Counter(agent.label for agent in off)
    stopped = labels.pop(Service.Status.STOPPED.label, 0)
    form = AgentForm(request.GET, agents=every)
    if csv.is_requested(request):
        return csv.list_download("agents", EXPORTED_AGENTS, form.chosen)
    context = {
        "form": form,
        "agents": form.chosen,
        "total": len(every),
        "off": len(off),
        "on": len(every) - len(off),
        "stopped": stopped,
        "others": sorted(labels.items()),
    }
    return render_live(request, "agents", context)


def render_live(request: Request, name: str, context: dict[str, Any]) -> HttpResponse:
    """Render a page, or for htmx the part that changes while a job runs."""
    job = Job.objects.active().filter(kind__endswith="-services").first()
    context["job"] = job
    if not request.htmx:
        page = "grid" if name == "matrix" else name
        return render(request, f"services/{page}.html", context)
    response = render(request, f"services/_{name}.html", context)
    return response if job else HttpResponseStopPolling(response.content)


@access(get=Role.OPERATOR)
def start_agents(request: Request) -> HttpResponse:
    """Show what "start where stopped" will do on which nodes."""
    stopped = [
        agent.service
        for agent in sync_agents()
        if agent.service and agent.state == Service.Status.STOPPED
    ]
    if not stopped:
        messages.info(request, "No node reports its sync agent as stopped.")
        return redirect("services:agents")
    plan = confirmations.plan_action("start", stopped)
    context = {"plan": plan, "signed": plan.signed_for(request.user), "agents": True}
    return render(request, "services/confirm.html", context)


@access(get=Role.VIEWER)
def show_grid(request: Request) -> HttpResponseBase:
    """All services of all nodes, filtered: as a list, or a row for each node."""
    form = ServiceGridForm(request.GET)
    services = form.apply(Service.objects.with_node())
    if csv.is_requested(request):
        return csv.list_download("services", EXPORTED_SERVICES, services)
    context: dict[str, Any] = {"form": form, "has_nodes": Node.objects.exists}
    if request.GET.get("view") == "nodes":
        context["matrix"] = service_matrix(
            services.select_related(None), all_nodes=not form.filters
        )
        return render_live(request, "matrix", context)
    context["page"] = Paginator(services, 50).get_page(request.GET.get("page"))
    return render_live(request, "grid", context)


@access(get=Role.VIEWER)
def show_summary(request: Request, cluster: UUID) -> HttpResponse:
    """A fragment for the cluster page: the services of each node, in short."""
    found = get_object_or_404(Cluster, pk=cluster)
    status = Service.Status
    nodes = found.nodes.select_related("reading").annotate(
        started=Count("services", Q(services__status=status.STARTED)),
        stopped=Count("services", Q(services__status=status.STOPPED)),
        listed=Count("services"),
    )
    nodes = nodes.order_by(*CLUSTER_BY_CLUSTER)
    by_node = {agent.node.pk: agent for agent in sync_agents(found)}
    rows = [(node, by_node[node.pk]) for node in nodes]
    return render(request, "services/_summary.html", {"rows": rows})
