"""System > Clusters."""

from collections.abc import Callable

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django_htmx.http import trigger_client_event

from accounts import audit
from accounts.access import access
from accounts.audit import Actor
from accounts.http import Request
from accounts.proof import recent_proof
from accounts.roles import Role
from jobs.locks import Busy
from jobs.models import Job
from peers import changes, editing
from peers.forms import ClusterForm, PublisherForm
from peers.models import Cluster, Node, Peer
from rest.models import Stale

SORTS = {"name", "domain", "site", "version", "n_peers", "health", "checked_at"}
N_JOBS = 8


def counted(rows: QuerySet[Node] | QuerySet[Peer]) -> Coalesce:
    """Count the rows of each cluster apart, so that joins do not multiply."""
    count = rows.filter(cluster=OuterRef("pk")).order_by().values("cluster")
    number = Subquery(count.annotate(n=Count("pk")).values("n"))
    return Coalesce(number, 0, output_field=IntegerField())


@access(get=Role.VIEWER)
def clusters(request: Request) -> HttpResponse:
    found = Cluster.objects.annotate(
        n_nodes=counted(Node.objects.all()),
        n_peers=counted(Peer.objects.all()),
        n_unconfirmed=counted(
            Node.objects.exclude(certificate_state=Node.CertificateState.TRUSTED)
        ),
    )
    term = request.GET.get("q", "").replace("\0", "").strip()
    if term:
        found = found.filter(
            Q(name__icontains=term)
            | Q(domain__icontains=term)
            | Q(site__icontains=term)
            | Q(pk__in=Node.objects.filter(matching(term)).values("cluster"))
        )
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in SORTS else "name"
    context = {
        "clusters": found.prefetch_related("nodes").order_by(sort, "name"),
        "q": term,
        "sort": sort,
    }
    return render(request, "peers/clusters.html", context)


def matching(term: str) -> Q:
    return Q(name__icontains=term) | Q(address__icontains=term)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
def add_cluster(request: Request) -> HttpResponse:
    """The cluster and its publisher at once; the next step is its certificate."""
    data = request.POST if request.method == "POST" else None
    form, publisher = ClusterForm(data), PublisherForm(data)
    # Both are asked, so that all mistakes show at once.
    if data is not None and all([form.is_valid(), publisher.is_valid()]):
        try:
            editing.save_cluster(
                form.instance,
                audit.actor_of(request),
                password=form.cleaned_data["axl_password"],
                publisher=publisher.instance,
            )
        except IntegrityError:
            form.add_error(None, "Somebody has just added the same; look at the list.")
        else:
            messages.success(request, f"The cluster {form.instance} was added.")
            return redirect("peers:certificate", publisher.instance.pk)
    context = {"form": form, "publisher": publisher}
    return render(request, "peers/add_cluster.html", context)


@access(get=Role.VIEWER)
def show_cluster(request: Request, pk: str) -> HttpResponse:
    cluster = get_object_or_404(Cluster.objects.prefetch_related("nodes"), pk=pk)
    nodes = list(cluster.nodes.all())
    jobs = Job.objects.filter(
        target_id__in=[str(row.pk) for row in (cluster, *nodes)]
    ).select_related("requested_by")[:N_JOBS]
    context = {
        "cluster": cluster,
        "nodes": nodes,
        "unconfirmed": next((node for node in nodes if not node.trusted), None),
        "peers_from": cluster.peers.select_related("cluster", "remote_cluster"),
        "peers_to": cluster.pointing_peers.select_related("cluster", "remote_cluster"),
        "jobs": jobs,
        "working": any(job.active for job in jobs),
    }
    response = render(request, "peers/show_cluster.html", context)
    if request.htmx and not context["working"]:
        # The panels that other apps fill are worth another look.
        trigger_client_event(response, "settled")
    return response


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def edit_cluster(request: Request, pk: str) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=pk)
    data = request.POST if request.method == "POST" else None
    form = ClusterForm(data, instance=cluster)
    if data is not None and form.is_valid():
        try:
            editing.save_cluster(
                cluster,
                audit.actor_of(request),
                password=form.cleaned_data["axl_password"],
                fields=form.edited,
            )
        except Stale:
            form = ClusterForm(data, instance=Cluster.objects.get(pk=pk))
        except IntegrityError:
            form.add_error("name", "Somebody has just used this name.")
        else:
            messages.success(request, f"The cluster {cluster} was saved.")
            return redirect(cluster)
    return render(
        request, "peers/edit_cluster.html", {"form": form, "cluster": cluster}
    )


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
@recent_proof
def delete_cluster(request: Request, pk: str) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=pk)
    if request.method == "POST":
        try:
            editing.delete_cluster(cluster, audit.actor_of(request))
        except Busy as error:
            messages.error(request, f"{error} Wait for it, or cancel it.")
            return redirect(error.job)
        messages.success(request, f"The cluster {cluster} was deleted.")
        return redirect("peers:clusters")
    context = {"cluster": cluster, "consequences": consequences(cluster)}
    return render(request, "peers/delete_cluster.html", context)


def consequences(cluster: Cluster) -> list[str]:
    """What else a deletion touches, in sentences."""
    nodes, peers = cluster.nodes.count(), cluster.peers.count()
    pointing = cluster.pointing_peers.count()
    return [
        f"Its {nodes} nodes and {peers} peers are deleted from the console, with their "
        "stored passwords and history.",
        "Nothing changes on the cluster itself: its peers stay configured there.",
        f"{pointing} peers of other clusters point to it. They stay, and what needs "
        "its side can no longer be checked.",
    ]


@access(post=Role.ADMINISTRATOR)
def discover(request: Request, pk: str) -> HttpResponse:
    return begin(request, pk, changes.discover)


@access(post=Role.OPERATOR)
def test(request: Request, pk: str) -> HttpResponse:
    return begin(request, pk, changes.test)


def begin(
    request: Request, pk: str, submit: Callable[[Cluster, Actor], Job]
) -> HttpResponse:
    """Start a job about the cluster, unless the same is under way."""
    cluster = get_object_or_404(Cluster, pk=pk)
    try:
        job = submit(cluster, audit.actor_of(request))
        messages.info(request, f"{job.label} began.")
    except Busy as error:
        messages.info(request, str(error))
    return redirect(cluster)
