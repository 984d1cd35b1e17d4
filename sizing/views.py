"""Presence > Sizing: limits, load, and what people state of the deployment."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from clusters.models import Cluster
from sizing import editing, growth
from sizing.derived import derived_sizes
from sizing.forms import GrowthForm, PlatformForm, ProfileForm
from sizing.limits import published_figures
from sizing.load import FORMULAS, INPUTS
from sizing.models import ClusterPlatform, StatedProfile
from sizing.reading import read_deployment
from sizing.warnings import find_warnings

# The rest is in the REST answer.
MOST_DIRECTIONS = 100


@access(get=Role.VIEWER)
def show_sizing(request: Request) -> HttpResponse:
    """The whole page; what is asked of growth is in the query."""
    here = read_deployment()
    form = GrowthForm(request.GET or None)
    given = form.cleaned_data if form.is_valid() else {}
    more = given.get("more_users") or growth.MORE_USERS
    users = given.get("cluster_users")
    users = here.average if users is None else users
    context = {
        "here": here,
        "warnings": find_warnings(here),
        "directions": here.directions[:MOST_DIRECTIONS],
        "derived": derived_sizes(here),
        "stated": StatedProfile.objects.first(),
        "inputs": stated_inputs(here.profile),
        "formulas": FORMULAS,
        "form": form,
        "published": list(published_figures()),
        "grown_title": f"The next {more:,} users",
        "extended_title": f"One more cluster of {users:,} users",
        "grown": growth.more_users(here, more),
        "extended": growth.one_more_cluster(here, users),
    }
    return render(request, "sizing/show.html", context)


def stated_inputs(profile: Any) -> list[tuple[Any, float, bool]]:
    """Each input of the model, its value, and whether a person stated it."""
    given = editing.stated_values()
    return [
        (one, getattr(profile, one.name), given[one.name] is not None) for one in INPUTS
    ]


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
def edit_profile(request: Request) -> HttpResponse:
    form = ProfileForm(request.POST or None, initial=editing.stated_values())
    if request.method == "POST" and form.is_valid():
        editing.state_profile(form.cleaned_data, audit.actor_of(request))
        messages.success(request, "The profile was saved.")
        return redirect("sizing:show")
    return render(request, "sizing/edit_profile.html", {"form": form})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def edit_platform(request: Request, pk: UUID) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=pk)
    row = ClusterPlatform.objects.filter(pk=pk).first() or ClusterPlatform(pk=pk)
    form = PlatformForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        editing.state_platform(cluster, form.cleaned_data, audit.actor_of(request))
        messages.success(request, f"The platform of {cluster} was saved.")
        return redirect("sizing:show")
    context = {"form": form, "cluster": cluster}
    return render(request, "sizing/edit_platform.html", context)
