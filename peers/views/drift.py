"""Presence > Inter-Clustering: an entry changed or removed on the cluster itself."""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role
from base.revisions import Stale
from jobs.locks import Busy
from peers import drift, lifecycle
from peers.views.peers import get_peer


@access(get=Role.VIEWER)
def show_drift(request: Request, pk: str) -> HttpResponse:
    """Wanted and found side by side, and the ways out."""
    peer = get_peer(pk)
    rows = drift.differences_of(peer)
    if not rows and peer.provisioning_state == peer.ProvisioningState.APPLIED:
        messages.info(request, f"{peer.cluster} already matches the console.")
        return redirect(peer)
    seen = json.dumps(peer.drift)
    context = {"peer": peer, "rows": rows, "seen": seen}
    return render(request, "peers/drift.html", context)


@access(post=Role.ADMINISTRATOR)
def take_over(request: Request, pk: str) -> HttpResponse:
    """Want what the cluster shows, as the page showed it."""
    peer = get_peer(pk)
    try:
        lifecycle.accept_cluster_values(peer, seen_in(request), audit.actor_of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except (lifecycle.NothingDiffers, Busy, Stale) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The peer {peer} is now as the cluster shows it.")
        return redirect(peer)
    return redirect("peers:drift", pk)


def seen_in(request: Request) -> Any:
    try:
        return json.loads(request.POST.get("seen", ""))
    except ValueError:
        return None


@access(post=Role.ADMINISTRATOR)
def write_again(request: Request, pk: str) -> HttpResponse:
    """Bring what is wanted to the cluster once more."""
    peer = get_peer(pk)
    try:
        job = lifecycle.restore_console_values(peer, audit.actor_of(request))
    except (lifecycle.NothingDiffers, Busy, Stale) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{job.label} started.")
    return redirect(peer)
