"""Set up a peering and complete the mesh: who, plan, run."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from jobs.locks import Busy
from jobs.models import Job
from mesh import changes
from mesh.forms import AdoptForm, MeshForm, PeeringForm, initial_peering
from mesh.matrix import mesh
from mesh.models import Draft
from mesh.plan import plan
from mesh.results import VERIFIED, Result, left, results
from mesh.shown import strangers
from peers.models import Cluster


@access(get=Role.VIEWER)
def matrix(request: Request) -> HttpResponse:
    context = {"mesh": mesh(), "strangers": strangers()}
    return render(request, "mesh/matrix.html", context)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def adopt(request: Request, pk: UUID, address: str) -> HttpResponse:
    """Take an entry over that a cluster shows and the console does not know."""
    found = [
        one for one in strangers() if one.home.pk == pk and one.entry.address == address
    ]
    if not found:
        raise Http404
    form = AdoptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["password"]
        try:
            peer = changes.adopt(found[0], password, audit.actor_of(request))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"{peer} is in the console now.")
            return redirect(peer)
    return render(request, "mesh/adopt.html", {"form": form, "stranger": found[0]})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def set_up(request: Request) -> HttpResponse:
    """Who: two clusters. The answer to a good form is its plan."""
    form = PeeringForm(request.POST or None, initial=initial_peering(request.GET))
    if request.method == "POST" and form.is_valid():
        return redirect(Draft.keep(request.user, form.wanted))
    return render(request, "mesh/set_up.html", {"form": form})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def complete(request: Request) -> HttpResponse:
    """Who: all clusters, unless some are left out."""
    everyone = list(Cluster.objects.values_list("pk", flat=True))
    form = MeshForm(request.POST or None, initial={"clusters": everyone})
    if request.method == "POST" and form.is_valid():
        return redirect(Draft.keep(request.user, form.wanted))
    return render(request, "mesh/complete.html", {"form": form, "mesh": mesh()})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def show_plan(request: Request, pk: str) -> HttpResponse:
    """Plan: before and after of every side; confirming it begins the job."""
    draft = get_object_or_404(Draft, pk=pk, user=request.user)
    if request.method == "POST":
        return apply(request, draft)
    context = {"draft": draft, "plan": plan(draft.wanted)}
    return render(request, "mesh/plan.html", context)


def apply(request: Request, draft: Draft) -> HttpResponse:
    plan_hash = request.POST.get("plan_hash", "")
    try:
        job = changes.apply(draft.wanted, plan_hash, audit.actor_of(request))
    except (changes.PlanChanged, changes.PlanBlocked, Busy) as error:
        messages.error(request, str(error))
        return redirect(draft)
    draft.delete()
    return redirect(job)


@access(get=Role.VIEWER, post=Role.ADMINISTRATOR)
def show_results(request: Request, pk: UUID) -> HttpResponse:
    """What became of each pair of a job; posted, a plan of those that are left."""
    job = get_object_or_404(Job, pk=pk, kind="set-up-peerings")
    if job.beyond:
        return redirect(job)
    found = results(job)
    if request.method == "POST":
        return plan_left(request, job, found)
    good = sum(result.state == VERIFIED for result in found)
    context = {"job": job, "results": found, "good": good, "left": len(found) - good}
    return render(request, "mesh/results.html", context)


def plan_left(request: Request, job: Job, found: list[Result]) -> HttpResponse:
    wanted = left(found)
    if job.active:
        messages.error(request, "The job is not over; wait for it, or cancel it first.")
    elif wanted.pairs:
        return redirect(Draft.keep(request.user, wanted))
    else:
        messages.info(request, "Nothing is left: every peering is verified.")
    return redirect("mesh:results", job.pk)
