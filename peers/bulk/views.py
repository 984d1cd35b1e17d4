"""Presence > Inter-Clustering: changing and deleting many peers by one plan."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.roles import Role
from jobs.models import Job
from peers.bulk import changes, drafts
from peers.bulk.forms import ChangeForm
from peers.bulk.selection import SelectionError, selected_peers
from peers.forms import RemovalForm
from peers.models import BulkDraft, Peer


@access(post=Role.ADMINISTRATOR)
def choose_action(request: Request) -> HttpResponse:
    """Keep the selection of Find and List, and go on to what shall be done with it."""
    delete = request.POST.get("action") == BulkDraft.Action.DELETE
    action = BulkDraft.Action.DELETE if delete else BulkDraft.Action.CHANGE
    try:
        peers = selected_peers(request.POST)
    except SelectionError as error:
        messages.error(request, str(error))
        return redirect("peers:find")
    return redirect(drafts.keep_draft(request.user, action, peers))


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def edit_selected(request: Request, pk: UUID) -> HttpResponse:
    """The form: new values, or how much of each peering is deleted."""
    draft = get_object_or_404(drafts.kept_drafts(request.user), pk=pk)
    peers = changes.read_peers(draft.peers)
    form = form_of(draft, peers, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        options = form.options if isinstance(form, ChangeForm) else form.cleaned_data
        draft.choose(options, form.cleaned_data.get("password", ""))
        return redirect("peers:bulk_plan", draft.pk)
    context = {"draft": draft, "peers": peers, "form": form}
    return render(request, "peers/bulk_edit.html", context)


def form_of(draft: BulkDraft, peers: Sequence[Peer], data: Any) -> forms.Form:
    if draft.action == BulkDraft.Action.DELETE:
        return RemovalForm.of_many(peers, data)
    return ChangeForm(data)


@access(get=Role.ADMINISTRATOR)
def show_plan(request: Request, pk: UUID) -> HttpResponse:
    """What happens to each peer; nothing is changed yet."""
    draft = get_object_or_404(drafts.kept_drafts(request.user), pk=pk)
    if not draft.options:
        return redirect(draft)
    plan = drafts.intent_of(draft).plan(changes.read_peers(draft.peers))
    return render(request, "peers/bulk_plan.html", {"draft": draft, "plan": plan})


@access(post=Role.ADMINISTRATOR)
@recent_proof("apply the plan")
def apply_draft(request: Request, pk: UUID) -> HttpResponse:
    """Confirm the plan: save the peers, and submit their jobs."""
    draft = get_object_or_404(drafts.kept_drafts(request.user), pk=pk)
    if not draft.options:
        return redirect(draft)
    actor, plan_hash = audit.actor_of(request), request.POST.get("plan_hash", "")
    try:
        jobs: list[Job] = changes.in_one_piece(
            drafts.intent_of(draft), draft.peers, plan_hash, actor
        )
    except changes.SelectionChanged as error:
        messages.error(request, str(error))
        return redirect("peers:bulk_plan", draft.pk)
    draft.delete()
    return jobs_started(request, jobs)


def jobs_started(request: Request, jobs: list[Job]) -> HttpResponse:
    """Go to the jobs that were started, if there are any."""
    if not jobs:
        messages.success(request, "Done; no cluster has to be changed.")
        return redirect("peers:find")
    if len(jobs) == 1:
        return redirect(jobs[0])
    messages.success(request, f"{len(jobs):,} jobs were started.")
    query = urlencode({"request_id": jobs[0].request_id})
    return redirect(f"{reverse('jobs:find')}?{query}")
