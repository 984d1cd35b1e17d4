"""System > Clusters: the table in which a cluster keeps its peers."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role
from base.revisions import Stale
from clusters import peer_tables
from clusters.forms import PeerTableForm
from clusters.jobs.recognise import RecogniseTable
from clusters.models import Cluster
from clusters.views.clusters import start_job
from wire import WireError


@access(get=Role.VIEWER, post=Role.ADMINISTRATOR)
def peer_table(request: Request, pk: str) -> HttpResponse:
    """What was recognised with its evidence; POST confirms one."""
    cluster = get_object_or_404(Cluster, pk=pk)
    form = PeerTableForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid() and confirm_table(request, cluster, form):
        return redirect("clusters:peer_table", pk)
    candidates = [
        *cluster.table_search.get("candidates", []),
        *peer_tables.offered_mappings(cluster),
    ]
    chosen = peer_tables.chosen_mapping(cluster)
    context = {
        "cluster": cluster,
        "chosen": chosen,
        "seen_at": peer_tables.searched_at(cluster),
        "wrong": form,
        "forms": [
            (one, PeerTableForm.of(one))
            for one in candidates
            if not is_confirmed(cluster, one)
        ],
        "blank": PeerTableForm.of(chosen or {}),
    }
    return render(request, "clusters/peer_table.html", context)


def is_confirmed(cluster: Cluster, candidate: Mapping[str, Any]) -> bool:
    confirmed = cluster.peer_table or {}
    names = ("table", "columns", "protocol_values")
    return all(candidate.get(name) == confirmed.get(name) for name in names)


def confirm_table(request: Request, cluster: Cluster, form: PeerTableForm) -> bool:
    """Hold it against the catalogue, then store it; say what is wrong at the form."""
    try:
        found = peer_tables.verify_mapping(cluster, form.mapping)
        peer_tables.confirm_mapping(cluster, found, audit.actor_of(request))
    except WireError as error:
        form.add_error(None, f"{error.message} {error.remedy}".strip())
    except (Stale, ValidationError) as error:
        form.add_error(None, str(error))
    else:
        name = form.mapping["table"]
        messages.success(request, f"{name} is confirmed as the peer table.")
        return True
    return False


@access(post=Role.OPERATOR)
def recognise_table(request: Request, pk: str) -> HttpResponse:
    return start_job(request, pk, RecogniseTable.submit)


@access(get=Role.VIEWER)
def export_table(request: Request, pk: str) -> HttpResponse:
    """The mapping as a file, for other consoles and for `peer_table` in REST."""
    cluster = get_object_or_404(Cluster, pk=pk)
    mapping = peer_tables.chosen_mapping(cluster)
    if mapping is None:
        messages.info(request, f"The peer table of {cluster} is not known.")
        return redirect("clusters:peer_table", pk)
    answer = JsonResponse(mapping, json_dumps_params={"indent": 2})
    answer["Content-Disposition"] = 'attachment; filename="peer-table.json"'
    return answer
