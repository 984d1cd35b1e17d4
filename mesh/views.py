"""Set up a peering and complete the mesh: who, plan, run."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role, has_role
from clusters.models import Cluster
from diagnostics.jobs.sweep import Sweep
from jobs.locks import Busy
from jobs.models import Job
from mesh import adoption, applying
from mesh.forms import (
    AdoptForm,
    MeshForm,
    PeeringForm,
    RotationForm,
    initial_peering,
    narrow_matrix,
)
from mesh.intent import rotation_intent
from mesh.jobs.set_up import SetUpPeerings
from mesh.matrix import ROOMY, cluster_by_short_id, read_mesh
from mesh.models import Draft
from mesh.neighbours import unmanaged_neighbours
from mesh.observed import unmanaged_entries
from mesh.onboarding import is_over, number_unread, onboarding_tasks
from mesh.plan import plan_mesh
from mesh.results import VERIFIED, PairResult, intent_left, results_of
from peers.models import Peer
from wire import Secret


@access(get=Role.VIEWER)
def show_matrix(request: Request) -> HttpResponse:
    whole = read_mesh()
    form, part = narrow_matrix(whole, request.GET)
    context = {
        "mesh": whole,
        "part": part,
        "matrix_form": form,
        "large": len(whole.clusters) > ROOMY,
        "unmanaged": unmanaged_entries(),
    }
    return render(request, "mesh/matrix.html", context)


@access(get=Role.VIEWER)
def show_pair(request: Request) -> HttpResponse:
    """A cell of the matrix: its peer, or the form that sets up a missing one."""
    home = cluster_by_short_id(request.GET.get("home", ""))
    remote = cluster_by_short_id(request.GET.get("remote", ""))
    if home is None or remote is None:
        raise Http404
    peer = Peer.objects.between(home, remote).first()
    if peer:
        return redirect(peer)
    if has_role(request.user, Role.ADMINISTRATOR):
        query = urlencode({"one": home.pk, "other": remote.pk})
        return redirect(f"{reverse('mesh:set_up')}?{query}")
    return redirect(home)


@access(get=Role.VIEWER)
def first_steps(request: Request) -> HttpResponse:
    """The list of tasks; for htmx the part that the overview shows until it is done."""
    tasks = onboarding_tasks()
    if request.htmx:
        context = {"tasks": [] if is_over(tasks) else tasks}
        return render(request, "mesh/_first_steps.html", context)
    return render(request, "mesh/onboarding.html", {"tasks": tasks})


@access(get=Role.VIEWER, post=Role.ADMINISTRATOR)
def adopt_mesh(request: Request) -> HttpResponse:
    """A mesh that was there before: neighbours to add, and peerings to adopt."""
    clusters = list(Cluster.objects.prefetch_related("nodes"))
    if request.method == "POST":
        done = adoption.adopt_peerings(clusters, audit.actor_of(request))
        number = len(done.adopted)
        messages.success(
            request, f"{number} peers were adopted; they are being checked."
        )
        return redirect("mesh:running")
    sightings = list(adoption.Observer(clusters, {}).sightings())
    context = {
        "clusters": clusters,
        "unread": number_unread(clusters),
        "unmanaged": unmanaged_neighbours(clusters),
        "adoptable": [one for one in sightings if not one.reason],
        "left": [one for one in sightings if one.reason and not one.held],
    }
    return render(request, "mesh/running.html", context)


@access(post=Role.OPERATOR, all_clusters=True)
def read_again(request: Request) -> HttpResponse:
    """Read all clusters now, rather than with the next sweep."""
    actor = audit.actor_of(request)
    try:
        with transaction.atomic():
            job = Sweep.submit(actor)
            audit.append_entry(actor, "start sweep", job)
    except Busy as error:
        job = error.job
    return redirect(job)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def adopt_entry(request: Request, pk: UUID, entry: str) -> HttpResponse:
    """Take an entry over that a cluster shows and the console does not know."""
    found = [
        one for one in unmanaged_entries() if one.home.pk == pk and one.key == entry
    ]
    if not found:
        raise Http404
    form = AdoptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["password"]
        try:
            peer = applying.adopt_entry(found[0], password, audit.actor_of(request))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"{peer} is in the console now.")
            return redirect(peer)
    return render(request, "mesh/adopt.html", {"form": form, "unmanaged": found[0]})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def set_up(request: Request) -> HttpResponse:
    """Who: two clusters. The answer to a good form is its plan."""
    form = PeeringForm(request.POST or None, initial=initial_peering(request.GET))
    if request.method == "POST" and form.is_valid():
        return redirect(Draft.keep(request.user, form.intent))
    context = {"form": form, "number": Cluster.objects.count()}
    return render(request, "mesh/set_up.html", context)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def rotate_password(request: Request, pk: UUID) -> HttpResponse:
    """A new password for all entries that sign in to a cluster, as one plan."""
    cluster = get_object_or_404(Cluster.objects.prefetch_related("nodes"), pk=pk)
    form = RotationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        intent = rotation_intent(cluster, Secret(form.cleaned_data["password"]))
        if intent.pairs:
            return redirect(Draft.keep(request.user, intent))
        form.add_error(None, f"No entry signs in to {cluster} with this user.")
    return render(request, "mesh/rotate.html", {"form": form, "cluster": cluster})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def complete_mesh(request: Request) -> HttpResponse:
    """Who: all clusters, unless some are left out."""
    everyone = list(Cluster.objects.values_list("pk", flat=True))
    form = MeshForm(request.POST or None, initial={"clusters": everyone})
    if request.method == "POST" and form.is_valid():
        return redirect(Draft.keep(request.user, form.intent))
    return render(request, "mesh/complete.html", {"form": form, "mesh": read_mesh()})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def show_plan(request: Request, pk: str) -> HttpResponse:
    """Plan: before and after of every entry; confirming it starts the job."""
    draft = get_object_or_404(Draft, pk=pk, user=request.user)
    if request.method == "POST":
        return apply_draft(request, draft)
    context = {"draft": draft, "plan": plan_mesh(draft.intent)}
    return render(request, "mesh/plan.html", context)


def apply_draft(request: Request, draft: Draft) -> HttpResponse:
    plan_hash = request.POST.get("plan_hash", "")
    try:
        job = applying.apply_plan(draft.intent, plan_hash, audit.actor_of(request))
    except (applying.PlanChanged, applying.PlanBlocked, Busy) as error:
        messages.error(request, str(error))
        return redirect(draft)
    draft.delete()
    return redirect(job)


@access(get=Role.VIEWER, post=Role.ADMINISTRATOR)
def show_results(request: Request, pk: UUID) -> HttpResponse:
    """What became of each pair of a job; posted, a plan of those that are left."""
    job = get_object_or_404(SetUpPeerings.all(), pk=pk)
    if job.exceeds_limit:
        return redirect(job)
    found = results_of(job)
    if request.method == "POST":
        return plan_left(request, job, found)
    good = sum(result.state == VERIFIED for result in found)
    context = {"job": job, "results": found, "good": good, "left": len(found) - good}
    return render(request, "mesh/results.html", context)


def plan_left(request: Request, job: Job, found: list[PairResult]) -> HttpResponse:
    intent = intent_left(found)
    if job.active:
        messages.error(request, "The job is not over; wait for it, or cancel it first.")
    elif intent.pairs:
        return redirect(Draft.keep(request.user, intent))
    else:
        messages.info(request, "Nothing is left: every peering is verified.")
    return redirect("mesh:results", job.pk)
