"""Pages of proofs: the canary of a cluster, its certificates, the proofs of a peer."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseStopPolling

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from accounts.reauthentication import recent_proof
from clusters.certificates import FingerprintDiffers
from clusters.models import Cluster, Node
from jobs.locks import Busy
from peers.models import Peer
from presence import ProofInterface, is_xmpp_installed
from proof import canaries, pairs
from proof.forms import CanaryForm
from proof.jobs.prove import Prove
from proof.lines import line_of
from proof.models import Canary, PresenceCertificate, Proof
from proof.presented import port_of
from wire import WireError

MOST_PROOFS = 50
Kind = PresenceCertificate.Kind


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def show_canary(request: Request, pk: UUID) -> HttpResponse:
    """The canary user of a cluster, and the certificates of its nodes."""
    cluster = get_object_or_404(Cluster, pk=pk)
    row = Canary.objects.filter(pk=pk).first() or Canary(cluster=cluster)
    form = CanaryForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        canaries.save_canary(cluster, form.cleaned_data, audit.actor_of(request))
        messages.success(request, f"The canary of {cluster} was saved.")
        return redirect("proof:canary", cluster.pk)
    context = {
        "form": form,
        "cluster": cluster,
        "canary": row,
        "certificates": certificates_of(cluster, row),
        "xmpp_installed": is_xmpp_installed(),
    }
    return render(request, "proof/canary.html", context)


def certificates_of(cluster: Cluster, row: Canary) -> list[dict[str, Any]]:
    """List the certificate that proofs need of each node, confirmed or not."""
    kind = kind_of(row)
    found = PresenceCertificate.objects.filter(node__cluster=cluster, kind=kind)
    confirmed = {one.node_id: one for one in found}
    return [
        {"node": node, "kind": kind, "confirmed": confirmed.get(node.pk)}
        for node in cluster.nodes.all()
    ]


def kind_of(row: Canary) -> Kind:
    return Kind.XMPP if row.interface is ProofInterface.XMPP else Kind.CUP


@access(get=Role.OPERATOR)
def show_certificate(request: Request, pk: UUID) -> HttpResponse:
    """Ask a node for one of its certificates now."""
    node, kind = node_and_kind(pk, request.GET)
    context: dict[str, Any] = {
        "node": node,
        "cluster": node.cluster,
        "kind": kind,
        "port": port_of(node, kind),
        "known": PresenceCertificate.objects.filter(node=node, kind=kind).first(),
    }
    try:
        context["certificate"] = canaries.present_certificate(node, kind)
    except WireError as error:
        context["error"] = error
    return render(request, "proof/certificate.html", context)


def node_and_kind(pk: UUID, given: QueryDict) -> tuple[Node, Kind]:
    kind = given.get("kind", Kind.CUP)
    if kind not in Kind.values:
        raise Http404
    node = get_object_or_404(Node.objects.select_related("cluster"), pk=pk)
    return node, Kind(kind)


@access(post=Role.ADMINISTRATOR)
@recent_proof("confirm the presence certificate of {}", Node)
def trust_service(request: Request, pk: UUID) -> HttpResponse:
    """Confirm what was shown."""
    node, kind = node_and_kind(pk, request.POST)
    fingerprint = request.POST.get("fingerprint", "")
    try:
        canaries.trust_service(node, kind, fingerprint, audit.actor_of(request))
    except (FingerprintDiffers, WireError) as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('proof:certificate', args=[node.pk])}?kind={kind}")
    messages.success(request, f"The certificate {kind} of {node} is confirmed.")
    return redirect("proof:canary", node.cluster_id)


@access(get=Role.VIEWER)
def show_line(request: Request, pk: UUID) -> HttpResponse:
    """The line of the status pane alone; polls only while a proof runs."""
    peer = get_object_or_404(Peer, pk=pk)
    current = line_of(peer)
    response = render(request, "proof/_line.html", {"peer": peer, "line": current})
    if current.job is None and request.GET.get("polling"):
        return HttpResponseStopPolling(response.content)
    return response


@access(post=Role.OPERATOR)
def prove_peering(request: Request, pk: UUID) -> HttpResponse:
    """Prove a peering now, both ways."""
    get_object_or_404(Peer, pk=pk)
    peer = pairs.with_canaries(pk)
    assert peer is not None  # noqa: S101 - found above
    try:
        with transaction.atomic():
            Prove.submit(peer, audit.actor_of(request))
    except (pairs.NoCanary, Busy) as error:
        messages.info(request, str(error))
    if request.htmx:
        return render(
            request, "proof/_line.html", {"peer": peer, "line": line_of(peer)}
        )
    return redirect(peer)


@access(get=Role.VIEWER)
def show_proofs(request: Request, pk: UUID) -> HttpResponse:
    """The last proofs of a peer."""
    peer = get_object_or_404(Peer.objects.select_related("cluster"), pk=pk)
    proofs = Proof.objects.filter(peer=peer)[:MOST_PROOFS]
    return render(request, "proof/history.html", {"peer": peer, "proofs": proofs})
