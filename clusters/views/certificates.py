"""All certificates that wait for confirmation, on one page."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts import audit
from accounts.access import access
from accounts.audit import Actor
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.roles import Role
from clusters import certificates as presented_ones
from clusters.jobs.discover import DiscoverCluster
from clusters.models import Cluster, Node
from jobs.locks import Busy

# More than a mesh of 30 clusters has; the next ones follow when these are confirmed.
MOST_NODES = 200


@access(get=Role.OPERATOR, post=Role.ADMINISTRATOR)
@recent_proof("confirm certificates", to_open=False)
def compare_certificates(request: Request) -> HttpResponse:
    """Ask all nodes for their certificates now; confirm those that were compared."""
    if request.method == "POST":
        return confirm_certificates(request)
    discovering = DiscoverCluster.all().active().count()
    if request.htmx and "discovering" in request.GET:
        if not discovering:
            return HttpResponseClientRedirect(reverse("clusters:certificates"))
        return render(
            request, "clusters/_discovering.html", {"discovering": discovering}
        )
    waiting = list(waiting_nodes()[: MOST_NODES + 1])
    presented = presented_ones.present_certificates(waiting[:MOST_NODES])
    context = {
        "rows": [(node, *presented[node]) for node in waiting[:MOST_NODES]],
        "more": len(waiting) > MOST_NODES,
        "discovering": discovering,
        "undiscovered": Cluster.objects.filter(version="").exists(),
    }
    return render(request, "clusters/certificates.html", context)


def waiting_nodes() -> QuerySet[Node]:
    pinned = Node.objects.filter(cluster__tls_mode=Cluster.TlsMode.PINNED)
    waiting = pinned.exclude(certificate_state=Node.CertificateState.TRUSTED)
    return waiting.select_related("cluster").order_by("cluster__name", "role", "name")


def confirm_certificates(request: Request) -> HttpResponse:
    actor = audit.actor_of(request)
    chosen = dict(
        value.partition(":")[::2] for value in request.POST.getlist("confirmed")
    )
    nodes = [node for node in waiting_nodes() if str(node.pk) in chosen]
    given = {node: chosen[str(node.pk)] for node in nodes}
    refused = presented_ones.trust_many(given, actor)
    for sentence in refused:
        messages.error(request, sentence)
    number = len(given) - len(refused)
    if not given:
        messages.error(request, "Choose the certificates that you have compared.")
    elif number:
        few = number == 1
        text = "1 certificate is" if few else f"{number} certificates are"
        messages.success(request, f"{text} confirmed.")
    if request.POST.get("discover"):
        discover_new({node.cluster_id for node in nodes}, actor)
    return redirect("clusters:certificates")


def discover_new(pks: set[UUID], actor: Actor) -> None:
    """Discover those of the clusters that never were, once the publisher is trusted."""
    rows = Cluster.objects.filter(pk__in=pks, version="").prefetch_related("nodes")
    for cluster in rows:
        if cluster.publisher is None or not cluster.publisher.trusted:
            continue
        try:
            DiscoverCluster.submit(cluster, actor)
        except Busy:
            continue
