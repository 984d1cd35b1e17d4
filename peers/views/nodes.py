"""The nodes of a cluster, and the certificates that they present."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.proof import recent_proof
from accounts.roles import Role
from jobs.locks import Busy
from peers import changes, editing
from peers.forms import NodeForm
from peers.models import Cluster, Node
from rest.models import Stale
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
            return redirect("peers:certificate", form.instance.pk)
    return render(request, "peers/edit_node.html", {"form": form, "cluster": cluster})


@access(get=Role.VIEWER)
def show_node(request: Request, pk: str) -> HttpResponse:
    node = get_node(pk)
    return render(request, "peers/show_node.html", {"node": node})


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
            return redirect(node.cluster)
    context = {"form": form, "cluster": node.cluster, "node": node}
    return render(request, "peers/edit_node.html", context)


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
    return render(request, "peers/delete_node.html", {"node": node})


@access(get=Role.OPERATOR)
def certificate(request: Request, pk: str) -> HttpResponse:
    """Ask the node for its certificate now, and show it beside the confirmed one."""
    node = get_node(pk)
    context: dict[str, Any] = {"node": node, "cluster": node.cluster}
    try:
        context["certificate"] = changes.present_certificate(node)
    except WireError as error:
        context["error"] = error
    return render(request, "peers/certificate.html", context)


@access(post=Role.ADMINISTRATOR)
@recent_proof
def trust(request: Request, pk: str) -> HttpResponse:
    """Confirm what was shown; then the next node that waits for it, if any."""
    node = get_node(pk)
    try:
        changes.trust(
            node, request.POST.get("fingerprint", ""), audit.actor_of(request)
        )
    except (changes.FingerprintDiffers, WireError, Stale) as error:
        messages.error(request, str(error))
        return redirect("peers:certificate", node.pk)
    messages.success(request, f"The certificate of {node} is confirmed.")
    waiting = [other for other in node.cluster.nodes.all() if not other.trusted]
    if waiting:
        return redirect("peers:certificate", waiting[0].pk)
    return redirect(node.cluster)
