"""The troubleshooter's pages, and fragments for the pages of other apps."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django_htmx.http import HttpResponseClientRefresh, HttpResponseStopPolling

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role, has_role
from base import csv
from clusters.models import Cluster
from diagnostics import exports
from diagnostics.forms import RunFilterForm
from diagnostics.jobs.check import CheckPeers, request_check
from diagnostics.jobs.troubleshoot import Troubleshoot
from diagnostics.models import (
    TroubleshooterResult,
    TroubleshooterRun,
    count_results,
)
from diagnostics.run_comparison import compare_runs
from diagnostics.summary import (
    PAPER,
    WORST_FIRST,
    count_agreement,
    group_results,
    sum_up,
    test_descriptions,
)
from peers.bulk.selection import SelectionError, selected_peers
from peers.models import Peer

MOST_RUNS = 15
RUNS_ON_A_PAGE = 50
# What the first page of a report lists; so many of each fit on it.
SUMMED_UP = (
    TroubleshooterResult.Outcome.FAILED,
    TroubleshooterResult.Outcome.WARNING,
)
MOST_IN_SUMMARY = 4
# Of more peers than these, a report lists those whose numbers of users differ.
MOST_PEERS = 200


@access(get=Role.VIEWER, post=Role.OPERATOR)
def show_troubleshooter(request: Request) -> HttpResponseBase:
    """The newest run over everything, else the newest; POST starts another."""
    if request.method == "POST":
        return start_run(request)
    runs = TroubleshooterRun.objects.select_related("job", "requested_by")
    if csv.is_requested(request):
        return exports.runs_as_csv(runs)
    return show_run(request, runs.filter(whole=True).first() or runs.first())


@access(get=Role.VIEWER)
def list_runs(request: Request) -> HttpResponseBase:
    """All runs, newest first, filtered by cluster and by what they found."""
    runs = TroubleshooterRun.objects.select_related("job", "requested_by")
    form = RunFilterForm(request.GET)
    found = form.apply(runs)
    if csv.is_requested(request):
        return exports.runs_as_csv(found)
    page = Paginator(found, RUNS_ON_A_PAGE).get_page(request.GET.get("page"))
    count_results(page.object_list)
    context = {"form": form, "page_obj": page, "any": runs.exists()}
    return render(request, "diagnostics/runs.html", context)


def start_run(request: Request) -> HttpResponse:
    chosen = request.POST.getlist("cluster")
    clusters = Cluster.objects.all()
    if chosen:
        clusters = clusters.filter(pk__in=[pk for pk in chosen if is_known(pk)])
    if not clusters:
        messages.error(request, "There is no cluster to look at.")
        return redirect("diagnostics:troubleshooter")
    with transaction.atomic():
        row = Troubleshoot.submit(clusters, audit.actor_of(request))
        audit.append_entry(audit.actor_of(request), "run troubleshooter", row)
    return redirect(row)


def is_known(pk: str) -> bool:
    known = Cluster.objects.values_list("pk", flat=True)
    return pk in map(str, known)


@access(get=Role.VIEWER)
def show_run_page(request: Request, pk: str) -> HttpResponse:
    row = get_object_or_404(
        TroubleshooterRun.objects.select_related("job", "requested_by"), pk=pk
    )
    return show_run(request, row)


def show_run(request: Request, row: TroubleshooterRun | None) -> HttpResponse:
    """Render the page, or for htmx the part that changes while the run lasts."""
    outcome = request.GET.get("outcome", "")
    if outcome not in TroubleshooterResult.Outcome.values:
        outcome = ""
    by_cluster = request.GET.get("group") == "cluster"
    only = request.GET.get("of")
    finished = row if row and not row.active else None
    runs = TroubleshooterRun.objects.select_related("job", "requested_by")
    runs_shown = list(runs[:MOST_RUNS])
    count_results([*runs_shown, *([row] if row else [])])
    context = {
        "run": row,
        "outcome": outcome,
        "by_cluster": by_cluster,
        "only": only,
        "key": TroubleshooterResult.Outcome.values,
        "groups": group_results(
            finished, by_cluster=by_cluster, outcome=outcome, only=only
        )
        if finished
        else [],
        "runs": runs_shown,
        "clusters": Cluster.objects.order_by("name"),
        "may_run": has_role(request.user, Role.OPERATOR),
    }
    if not request.htmx:
        return render(request, "diagnostics/troubleshooter.html", context)
    if finished and request.GET.get("polling"):
        # The buttons, the exports and the list of runs are outdated as well.
        return HttpResponseClientRefresh()
    response = render(request, "diagnostics/_run.html", context)
    return HttpResponseStopPolling(response.content) if finished else response


@access(get=Role.VIEWER)
def list_rows(request: Request, pk: str) -> HttpResponse:
    """All rows of one test of a run, a page at a time."""
    row = get_object_or_404(TroubleshooterRun, pk=pk)
    chosen = {
        name: value
        for name in ("code", "outcome", "section", "cluster_name")
        if (value := request.GET.get(name))
    }
    results = row.results.filter(**chosen)
    page = Paginator(results, 100).get_page(request.GET.get("page"))
    context = {"run": row, "page_obj": page, "chosen": chosen}
    return render(request, "diagnostics/rows.html", context)


@access(get=Role.VIEWER)
def print_run(request: Request, pk: str) -> HttpResponse:
    """The run on paper: a report of who verified what, when, and how it was."""
    finished = TroubleshooterRun.objects.finished().select_related("requested_by")
    row = get_object_or_404(finished, pk=pk)
    groups = group_results(row, extent=PAPER)
    lines = [(outcome, sum_up(groups, outcome)) for outcome in SUMMED_UP]
    peers = [peer | {"outcome": count_agreement(peer)} for peer in row.visible_peers]
    differing = [peer for peer in peers if peer["outcome"] != "passed"]
    context = {
        "run": row,
        "groups": groups,
        "totals": [
            sum(counts) for counts in zip(*[g.counts for g in groups], strict=True)
        ],
        "outcomes": WORST_FIRST,
        "summary": [
            (outcome, found[:MOST_IN_SUMMARY], len(found))
            for outcome, found in lines
            if found
        ],
        "peers": differing if len(peers) > MOST_PEERS else peers,
        "n_peers": len(peers),
        "n_agreeing": len(peers) - len(differing),
        "tests": test_descriptions(row.tests),
        "version": settings.VERSION,
    }
    return render(request, "diagnostics/report.html", context)


@access(get=Role.VIEWER)
def compare_with_earlier(request: Request, pk: str) -> HttpResponse:
    """What broke and what was fixed since an earlier run (`with`, else the last)."""
    later = get_object_or_404(TroubleshooterRun.objects.finished(), pk=pk)
    others = TroubleshooterRun.objects.finished().exclude(pk=later.pk)
    earlier_id = request.GET.get("with", "")
    chosen = next((row for row in others if str(row.pk) == earlier_id), None)
    earlier = chosen or TroubleshooterRun.objects.before(later)
    context = {
        "runs": others,
        "comparison": compare_runs(earlier, later) if earlier else {"later": later},
    }
    return render(request, "diagnostics/comparison.html", context)


@access(get=Role.VIEWER)
def peer_status(request: Request, pk: str) -> HttpResponse:
    """The Intercluster Peer Status pane; polls only while a check runs."""
    peer = get_object_or_404(Peer.objects.select_related("cluster"), pk=pk)
    job = CheckPeers.running_for(peer)
    context: dict[str, Any] = {
        "peer": peer,
        "job": job,
        "may_check": has_role(request.user, Role.OPERATOR) and not peer.removing,
    }
    if not request.htmx:
        return render(request, "diagnostics/peer_status.html", context)
    response = render(request, "diagnostics/_peer_status.html", context)
    if job is None and request.GET.get("polling"):
        return HttpResponseStopPolling(response.content)
    return response


@access(post=Role.OPERATOR)
def check_peer(request: Request, pk: str) -> HttpResponse:
    peer = get_object_or_404(Peer.objects.select_related("cluster"), pk=pk)
    job = request_check([peer], audit.actor_of(request))
    if request.htmx:
        context = {"peer": peer, "job": job, "may_check": True}
        return render(request, "diagnostics/_peer_status.html", context)
    messages.info(request, f"Checking {peer}.")
    return redirect(peer)


@access(post=Role.OPERATOR)
def check_selected(request: Request) -> HttpResponse:
    """Check the peers that were selected in Find and List."""
    try:
        peers = selected_peers(request.POST)
    except SelectionError as error:
        messages.error(request, str(error))
        return redirect("peers:find")
    return redirect(request_check(peers, audit.actor_of(request)))
