"""The nodes of a cluster, and the certificates that they present."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.roles import Role
from base.revisions import Stale
from clusters import certificates, editing
from clusters.forms import NodeForm
from clusters.jobs.test import reach_after_edit
from clusters.models import Cluster, Node
from clusters.views.certificates import discover_new
from jobs.locks import Busy
from wire import WireError


def get_node(pk: str) -> Node:
    return get_object_or_404(Node.objects.select_related("cluster"), pk=pk)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def add_node(request: Request, pk: str) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=pk)
    role = Node.Role.SUBSCRIBER if cluster.publisher else Node.Role.PUBLISHER
    data = request.POST if request.method == "POST" else None
    form = NodeForm(data, instance=Node(cluster=cluster, role=role))
    if data is not None and form.is_valid():
        try:
            editing.save_node(form.instance, audit.actor_of(request))
        except IntegrityError:
            form.add_error(None, "Somebody has just added the same node.")
        else:
            messages.success(request, f"The node {form.instance} was added.")
            return redirect("clusters:certificate", form.instance.pk)
    return render(
        request, "clusters/edit_node.html", {"form": form, "cluster": cluster}
    )


@access(get=Role.VIEWER)
def show_node(request: Request, pk: str) -> HttpResponse:
    node = get_node(pk)
    return render(request, "clusters/show_node.html", {"node": node})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def edit_node(request: Request, pk: str) -> HttpResponse:
    node = get_node(pk)
    data = request.POST if request.method == "POST" else None
    form = NodeForm(data, instance=node)
    if data is not None and form.is_valid():
        try:
            editing.save_node(node, audit.actor_of(request), fields=form.edited)
        except Stale:
            form = NodeForm(data, instance=get_node(pk))
        except IntegrityError:
            form.add_error(None, "Somebody has just added the same node.")
        else:
            messages.success(request, f"The node {node} was saved.")
            reach_after_edit(node.cluster, form.edited, audit.actor_of(request))
            return redirect(node.cluster)
    context = {"form": form, "cluster": node.cluster, "node": node}
    return render(request, "clusters/edit_node.html", context)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def delete_node(request: Request, pk: str) -> HttpResponse:
    node = get_node(pk)
    if request.method == "POST":
        try:
            editing.delete_node(node, audit.actor_of(request))
        except Busy as error:
            messages.error(request, f"{error} Wait for it, or cancel it.")
            return redirect(error.job)
        messages.success(request, f"The node {node} was deleted.")
        return redirect(node.cluster)
    return render(request, "clusters/delete_node.html", {"node": node})


@access(get=Role.OPERATOR)
def node_certificate(request: Request, pk: str) -> HttpResponse:
    """Ask the node for its certificate now, and show it beside the confirmed one."""
    node = get_node(pk)
    context: dict[str, Any] = {"node": node, "cluster": node.cluster}
    try:
        context["certificate"] = certificates.present_certificate(node)
    except WireError as error:
        context["error"] = error
    return render(request, "clusters/certificate.html", context)


@access(post=Role.ADMINISTRATOR)
@recent_proof("confirm the certificate of {}", Node)
def trust_node(request: Request, pk: str) -> HttpResponse:
    """Confirm what was shown; then the next node that waits for it, if any."""
    node = get_node(pk)
    try:
        certificates.trust_certificate(
            node, request.POST.get("fingerprint", ""), audit.actor_of(request)
        )
    except (certificates.FingerprintDiffers, WireError, Stale) as error:
        messages.error(request, str(error))
        return redirect("clusters:certificate", node.pk)
    messages.success(request, f"The certificate of {node} is confirmed.")
    if node.is_publisher:
        # Discovery signs in first, so a wrong account shows at once.
        discover_new({node.cluster_id}, audit.actor_of(request))
    waiting = [other for other in node.cluster.nodes.all() if not other.trusted]
    if waiting:
        return redirect("clusters:certificate", waiting[0].pk)
    return redirect(node.cluster)
