"""The overview, and the page of all problems."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import audit, cluster_limits
from accounts.access import Role, access
from accounts.audit import Actor
from accounts.http import Request
from base import csv
from diagnostics.jobs.check import CheckPeers
from diagnostics.jobs.sweep import Sweep
from jobs.locks import Busy
from jobs.models import Job
from overview import actions
from overview.forms import AcknowledgeForm, ProblemFilterForm, SnoozeForm
from overview.live import Overview
from overview.models import Problem
from overview.renewal import renew_if_outdated
from peers.models import Peer

PAGE = 50


@access(get=Role.VIEWER)
def show_overview(request: Request) -> HttpResponse:
    """Figures, problems and the mesh; the page polls `live` for what changes."""
    return render(request, "home.html", {"overview": Overview(request.GET)})


@access(get=Role.VIEWER)
def show_live(request: Request) -> HttpResponse:
    """What changes by itself; 204 when it is what the page has (`seen`) already."""
    overview = Overview(request.GET)
    if request.GET.get("seen") == overview.version:
        return HttpResponse(status=204)
    return render(request, "overview/_live.html", {"overview": overview})


@access(post=Role.OPERATOR)
def check_now(request: Request) -> HttpResponse:
    """Check everything that the overview shows this person."""
    try:
        with transaction.atomic():
            job = check_all(audit.actor_of(request))
    except Busy:
        messages.info(request, "A check of all clusters and peers is running already.")
    else:
        text = "Checking all clusters and peers." if job else "Nothing to check."
        messages.info(request, text)
    return redirect("home")


def check_all(actor: Actor) -> Job | None:
    """Submit a sweep; with a limit, a check of the peers that it admits."""
    if cluster_limits.current_limit() is None:
        job = Sweep.submit(actor)
        audit.append_entry(actor, "start sweep", job)
        return job
    peers = list(Peer.objects.filter(removing=False).select_related("cluster"))
    if not peers:
        return None
    audit.append_entry(actor, "check peer", label=f"{len(peers)} peers")
    return CheckPeers.submit(peers, actor)


EXPORTED: dict[str, Callable[[Problem], Any]] = {
    "severity": attrgetter("severity"),
    "code": attrgetter("code"),
    "problem": attrgetter("sentence"),
    "cluster": lambda problem: problem.cluster and problem.cluster.name,
    "since": attrgetter("since"),
    "acknowledged_by": attrgetter("acknowledged_name"),
    "acknowledged_at": attrgetter("acknowledged_at"),
    "note": attrgetter("note"),
    "snoozed_until": attrgetter("snoozed_until"),
}


@access(get=Role.VIEWER)
def list_problems(request: Request) -> HttpResponseBase:
    """All problems, worst first."""
    renew_if_outdated()
    form = ProblemFilterForm(request.GET)
    found = form.apply(Problem.objects.all())
    if csv.is_requested(request):
        shown = found.select_related("cluster")
        return csv.list_download("problems", EXPORTED, shown)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": page,
        "snooze": SnoozeForm(auto_id=False),
        "any": Problem.objects.exists(),
        "overview": Overview() if not page.paginator.count else None,
    }
    return render(request, "overview/problems.html", context)


@access(post=Role.OPERATOR)
def acknowledge_problem(request: Request, pk: str) -> HttpResponse:
    problem = get_object_or_404(Problem, pk=pk)
    form = AcknowledgeForm(request.POST)
    if form.is_valid():
        note = form.cleaned_data["note"]
        actions.acknowledge_problem(problem, audit.actor_of(request), note)
        messages.success(request, "The problem is acknowledged.")
    else:
        refuse_form(request, form)
    return back_to_list(request)


@access(post=Role.OPERATOR)
def snooze_problem(request: Request, pk: str) -> HttpResponse:
    problem = get_object_or_404(Problem, pk=pk)
    form = SnoozeForm(request.POST)
    if form.is_valid():
        note, until = form.cleaned_data["note"], form.until
        actions.snooze_problem(problem, audit.actor_of(request), until, note)
        local = f"{timezone.localtime(until):%Y-%m-%d %H:%M %Z}"
        messages.success(request, f"The problem is snoozed until {local}.")
    else:
        refuse_form(request, form)
    return back_to_list(request)


@access(post=Role.OPERATOR)
def reopen_problem(request: Request, pk: str) -> HttpResponse:
    problem = get_object_or_404(Problem, pk=pk)
    actions.reopen_problem(problem, audit.actor_of(request))
    messages.success(request, "The problem is open again.")
    return back_to_list(request)


def refuse_form(request: Request, form: AcknowledgeForm) -> None:
    sentences = [text for errors in form.errors.values() for text in errors]
    messages.error(request, " ".join(map(str, sentences)))


def back_to_list(request: Request) -> HttpResponse:
    """Return to the list as it was filtered."""
    url = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(url, None) or not url.startswith("/"):
        url = reverse("overview:problems")
    return redirect(url)
