"""Presence > Inter-Clustering: what a person does on a guided cluster."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.roles import Role
from base.revisions import Stale
from peers import attestation
from peers.attestation import LONGEST_NOTE
from peers.guide import Guide, run_waiting_job
from peers.models import Peer
from peers.views.peers import get_peer


@access(get=Role.VIEWER)
def show_guide(request: Request, pk: str) -> HttpResponse:
    """The steps with their values, and what the console saw of the result."""
    return render(request, "peers/guide.html", {"guide": Guide.of(get_peer(pk))})


@access(post=Role.OPERATOR)
def check_now(request: Request, pk: str) -> HttpResponse:
    """I have done it: the job that waits looks at once."""
    peer = get_peer(pk)
    if run_waiting_job(peer):
        messages.info(request, f"The console looks at {peer.cluster} now.")
    else:
        messages.info(request, "Nothing waits for you here, or it is looking already.")
    return redirect("peers:guide", peer.pk)


@access(post=Role.ADMINISTRATOR)
def attest_entry(request: Request, pk: str) -> HttpResponse:
    """Entered on the cluster: the entry stands as shown."""
    peer = get_peer(pk)
    note = request.POST.get("note", "").replace("\0", "")[:LONGEST_NOTE]
    try:
        attestation.attest_entry(peer, audit.actor_of(request), note)
    except (attestation.NotAttestable, Stale) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"You attested that {peer.cluster} has this entry.")
    return redirect(peer)


@access(post=Role.ADMINISTRATOR)
@recent_proof("see the password of peer {}", Peer)
@sensitive_variables()
def reveal_password(request: Request, pk: str) -> HttpResponse:
    """The page once with the password on it; the audit trail knows who saw it."""
    peer = get_peer(pk)
    audit.append_entry(audit.actor_of(request), "reveal password", peer)
    context = {"guide": Guide.of(peer), "password": peer.unseal("password").reveal()}
    return render(request, "peers/guide.html", context)
