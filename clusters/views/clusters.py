"""System > Clusters."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django_htmx.http import trigger_client_event

from accounts import audit
from accounts.access import access
from accounts.audit import Actor
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.roles import Role
from base import csv
from base.revisions import Stale
from clusters import editing, page_structure
from clusters.forms import ClusterForm, PublisherForm
from clusters.jobs.discover import DiscoverCluster
from clusters.jobs.test import TestCluster, reach_after_edit
from clusters.models import Cluster, Node
from jobs.locks import Busy
from jobs.models import Job
from jobs.waiting import served_queues, unserved_site

SORTS = {"name", "domain", "site", "version", "n_peers", "health", "checked_at"}
N_JOBS = 8
UNCONFIRMED = (Node.CertificateState.UNKNOWN, Node.CertificateState.CHANGED)


def count_related(relation: str, **having: Any) -> Coalesce:
    """Count the rows of each cluster apart, so that joins do not multiply."""
    own = Cluster.objects.filter(pk=OuterRef("pk")).order_by().values("pk")
    number = own.annotate(n=Count(relation, filter=Q(**having))).values("n")
    return Coalesce(Subquery(number), 0, output_field=IntegerField())


EXPORTED: dict[str, Callable[[Any], Any]] = {
    "name": attrgetter("name"),
    "domain": attrgetter("domain"),
    "site": attrgetter("site"),
    "publisher": lambda cluster: cluster.publisher and cluster.publisher.address,
    "version": attrgetter("version"),
    "nodes": attrgetter("n_nodes"),
    "peers": attrgetter("n_peers"),
    "certificates_to_confirm": attrgetter("n_unconfirmed"),
    "health": attrgetter("health"),
    "checked_at": attrgetter("checked_at"),
}


@access(get=Role.VIEWER)
def list_clusters(request: Request) -> HttpResponseBase:
    found = Cluster.objects.annotate(
        n_nodes=count_related("nodes"),
        n_peers=count_related("peers"),
        n_unconfirmed=count_related("nodes", nodes__certificate_state__in=UNCONFIRMED),
    )
    term = request.GET.get("q", "").replace("\0", "").strip()
    if term:
        found = found.filter(
            Q(name__icontains=term)
            | Q(domain__icontains=term)
            | Q(site__icontains=term)
            | Q(pk__in=Node.objects.filter(search_filter(term)).values("cluster"))
        )
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in SORTS else "name"
    found = found.prefetch_related("nodes").order_by(sort, "name")
    if csv.is_requested(request):
        return csv.list_download("clusters", EXPORTED, found)
    context = {"clusters": found, "q": term, "sort": sort}
    return render(request, "clusters/clusters.html", context)


def search_filter(term: str) -> Q:
    return Q(name__icontains=term) | Q(address__icontains=term)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
def add_cluster(request: Request) -> HttpResponse:
    """The cluster and its publisher at once; the next step is its certificate."""
    data = request.POST if request.method == "POST" else None
    # A neighbour that another cluster shows begins with its address.
    initial = {"address": request.GET.get("address", "").replace("\0", "")[:253]}
    form, publisher = ClusterForm(data), PublisherForm(data, initial=initial)
    # Both are asked, so that all mistakes show at once.
    if data is not None and all([form.is_valid(), publisher.is_valid()]):
        try:
            editing.save_cluster(
                form.instance,
                audit.actor_of(request),
                password=form.cleaned_data["axl_password"],
                peering_password=form.cleaned_data["peering_password"],
                pages_password=form.cleaned_data["pages_password"],
                os_password=form.cleaned_data["os_password"],
                publisher=publisher.instance,
            )
        except IntegrityError:
            form.add_error(None, "Somebody has just added the same; look at the list.")
        else:
            messages.success(request, f"The cluster {form.instance} was added.")
            if sentence := unserved_site(form.instance.site, served_queues()):
                messages.warning(request, sentence)
            return redirect("clusters:certificate", publisher.instance.pk)
    context = {"form": form, "publisher": publisher}
    return render(request, "clusters/add_cluster.html", context)


def worst_first(peers: QuerySet[Any]) -> QuerySet[Any]:
    """Peers of a cluster in the order of their outcomes."""
    rows = peers.select_related("cluster", "remote_cluster")
    return rows.order_by("severity", "address", "id")


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
        "peers_from": worst_first(cluster.peers.all()),
        "peers_to": worst_first(cluster.pointing_peers.all()),
        "jobs": jobs,
        "pages_seen_at": page_structure.seen_at(cluster),
        "working": any(job.active for job in jobs),
        "site_warning": unserved_site(cluster.site, served_queues()),
    }
    response = render(request, "clusters/show_cluster.html", context)
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
                peering_password=form.cleaned_data["peering_password"],
                pages_password=form.cleaned_data["pages_password"],
                os_password=form.cleaned_data["os_password"],
                fields=form.edited,
            )
        except Stale:
            form = ClusterForm(data, instance=Cluster.objects.get(pk=pk))
        except IntegrityError:
            form.add_error("name", "Somebody has just used this name.")
        else:
            messages.success(request, f"The cluster {cluster} was saved.")
            password = ["axl_password"] if form.cleaned_data["axl_password"] else []
            edited = [*form.edited, *password]
            # Its page shows how that ended.
            reach_after_edit(cluster, edited, audit.actor_of(request))
            return redirect(cluster)
    return render(
        request, "clusters/edit_cluster.html", {"form": form, "cluster": cluster}
    )


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
@recent_proof("delete cluster {}", Cluster, to_open=False)
def delete_cluster(request: Request, pk: str) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=pk)
    if request.method == "POST":
        try:
            editing.delete_cluster(cluster, audit.actor_of(request))
        except Busy as error:
            messages.error(request, f"{error} Wait for it, or cancel it.")
            return redirect(error.job)
        messages.success(request, f"The cluster {cluster} was deleted.")
        return redirect("clusters:clusters")
    context = {"cluster": cluster, "consequences": deletion_consequences(cluster)}
    return render(request, "clusters/delete_cluster.html", context)


def deletion_consequences(cluster: Cluster) -> list[str]:
    """What else a deletion touches, in sentences; what there is none of is left out."""
    counts = {"node": cluster.nodes.count(), "peer": cluster.peers.count()}
    own = " and ".join(counted_words(n, word) for word, n in counts.items() if n)
    pointing = cluster.pointing_peers.count()
    found = [
        f"Deleted from the console: its {own}, with stored passwords and history."
        if own
        else "The console has no nodes or peers of it.",
        "Nothing changes on the cluster itself: its peers stay configured there.",
    ]
    if pointing:
        subject, verb = ("It", "remains") if pointing == 1 else ("They", "remain")
        found.append(
            f"Of other clusters, {counted_words(pointing, 'peer')} "
            f"{'points' if pointing == 1 else 'point'} to it. {subject} {verb}, but "
            "checks that need this cluster will not run."
        )
    return found


def counted_words(count: int, word: str) -> str:
    """1 peer, 2 peers."""
    return f"{count} {word}{'' if count == 1 else 's'}"


@access(post=Role.ADMINISTRATOR)
def discover_cluster(request: Request, pk: str) -> HttpResponse:
    return start_job(request, pk, DiscoverCluster.submit)


@access(post=Role.OPERATOR)
def test_cluster(request: Request, pk: str) -> HttpResponse:
    return start_job(request, pk, TestCluster.submit)


def start_job(
    request: Request, pk: str, submit: Callable[[Cluster, Actor], Job]
) -> HttpResponse:
    """Start a job about the cluster, unless the same is under way."""
    cluster = get_object_or_404(Cluster, pk=pk)
    try:
        job = submit(cluster, audit.actor_of(request))
        messages.info(request, f"{job.label} started.")
    except Busy as error:
        messages.info(request, str(error))
    return redirect(cluster)
