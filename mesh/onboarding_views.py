"""Adding all neighbours at once; their certificates are reviewed on the next page."""

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import audit
from accounts.access import Role, access
from accounts.audit import Actor
from accounts.http import Request
from clusters import editing
from clusters.models import Cluster
from mesh.neighbour_forms import NeighbourForm, NeighboursForm
from mesh.neighbours import unmanaged_neighbours

ADDED_MEANWHILE = (
    "Somebody has just added one of these clusters. Review the list and save again."
)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
def add_neighbours(request: Request) -> HttpResponse:
    """A table of all neighbours, with one account for those that share it."""
    found = unmanaged_neighbours(Cluster.objects.prefetch_related("nodes"))
    form = NeighboursForm(found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            number = add_clusters(form, audit.actor_of(request))
        except IntegrityError:
            form.accounts.add_error(None, ADDED_MEANWHILE)
        else:
            text = (
                "1 cluster was added." if number == 1 else f"{number} clusters added."
            )
            messages.success(request, text)
            return redirect("clusters:certificates")
    return render(request, "mesh/add_neighbours.html", {"form": form})


@transaction.atomic
def add_clusters(form: NeighboursForm, actor: Actor) -> int:
    shared = form.accounts.cleaned_data
    for row in form.chosen:
        add_one(row, shared, actor)
    return len(form.chosen)


def add_one(row: NeighbourForm, shared: dict[str, str], actor: Actor) -> None:
    cluster = row.cluster
    cluster.axl_username, password = row.account("axl", shared)
    cluster.peering_username, peering_password = row.account("peering", shared)
    editing.save_cluster(
        cluster,
        actor,
        password=password,
        peering_password=peering_password,
        publisher=row.publisher,
    )
