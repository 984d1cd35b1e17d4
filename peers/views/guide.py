"""Presence > Inter-Clustering: what a person does on a guided cluster."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.proof import recent_proof
from accounts.roles import Role
from peers.guide import Guide, look_now
from peers.views.peers import get_peer


@access(get=Role.VIEWER)
def guide(request: Request, pk: str) -> HttpResponse:
    """The steps with their values, and what the console saw of the result."""
    return render(request, "peers/guide.html", {"guide": Guide.of(get_peer(pk))})


@access(post=Role.OPERATOR)
def look(request: Request, pk: str) -> HttpResponse:
    """I have done it: the job that waits looks at once."""
    peer = get_peer(pk)
    if look_now(peer):
        messages.info(request, f"The console looks at {peer.cluster} now.")
    else:
        messages.info(request, "Nothing waits for you here, or it is looking already.")
    return redirect("peers:guide", peer.pk)


@access(post=Role.ADMINISTRATOR)
@recent_proof
@sensitive_variables()
def reveal(request: Request, pk: str) -> HttpResponse:
    """The page once with the password on it; the audit trail knows who saw it."""
    peer = get_peer(pk)
    audit.record(audit.actor_of(request), "reveal password", peer)
    context = {"guide": Guide.of(peer), "password": peer.unseal("password").reveal()}
    return render(request, "peers/guide.html", context)
