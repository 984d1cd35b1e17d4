"""The troubleshooter's pages, and fragments for the pages of other apps."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django_htmx.http import HttpResponseStopPolling

from accounts import audit
from accounts.access import Role, access, role_of
from accounts.http import Request
from accounts.scope import unlimited
from diagnostics.attention import needs_attention
from diagnostics.changes import compare
from diagnostics.checks import running_check, submit_check
from diagnostics.history import history_of
from diagnostics.models import (
    TroubleshooterResult,
    TroubleshooterRun,
    count_results,
)
from diagnostics.report import PAPER, WORST_FIRST, agreement, named, report
from diagnostics.troubleshoot import submit_run
from jobs.models import Job
from peers.models import Cluster, Peer

SHOWN_RUNS = 15


@access(get=Role.VIEWER, post=Role.OPERATOR)
def troubleshooter(request: Request) -> HttpResponse:
    """The newest run over everything, else the newest; POST starts another."""
    if request.method == "POST":
        return start_run(request)
    runs = TroubleshooterRun.objects.select_related("job", "requested_by")
    return show_run(request, runs.filter(whole=True).first() or runs.first())


def start_run(request: Request) -> HttpResponse:
    chosen = request.POST.getlist("cluster")
    clusters = Cluster.objects.all()
    if chosen:
        clusters = clusters.filter(pk__in=[pk for pk in chosen if is_known(pk)])
    if not clusters:
        messages.error(request, "There is no cluster to look at.")
        return redirect("diagnostics:troubleshooter")
    with transaction.atomic():
        row = submit_run(clusters, audit.actor_of(request))
        audit.record(audit.actor_of(request), "run troubleshooter", row)
    return redirect(row)


def is_known(pk: str) -> bool:
    known = Cluster.objects.values_list("pk", flat=True)
    return pk in map(str, known)


@access(get=Role.VIEWER)
def run(request: Request, pk: str) -> HttpResponse:
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
    shown = list(runs[:SHOWN_RUNS])
    count_results([*shown, *([row] if row else [])])
    context = {
        "run": row,
        "outcome": outcome,
        "by_cluster": by_cluster,
        "only": only,
        "key": TroubleshooterResult.Outcome.values,
        "groups": report(finished, by_cluster=by_cluster, outcome=outcome, only=only)
        if finished
        else [],
        "runs": shown,
        "clusters": Cluster.objects.order_by("name"),
        "may_run": may_operate(request),
    }
    if not request.htmx:
        return render(request, "diagnostics/troubleshooter.html", context)
    response = render(request, "diagnostics/_run.html", context)
    return HttpResponseStopPolling(response.content) if finished else response


@access(get=Role.VIEWER)
def rows(request: Request, pk: str) -> HttpResponse:
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
def printed(request: Request, pk: str) -> HttpResponse:
    """The run on paper: a report of who verified what, when, and how it was."""
    finished = TroubleshooterRun.objects.finished().select_related("requested_by")
    row = get_object_or_404(finished, pk=pk)
    groups = report(row, extent=PAPER)
    context = {
        "run": row,
        "groups": groups,
        "totals": [
            sum(counts) for counts in zip(*[g.counts for g in groups], strict=True)
        ],
        "outcomes": WORST_FIRST,
        "peers": [peer | {"outcome": agreement(peer)} for peer in row.peers],
        "tests": named(row.tests),
        "version": settings.VERSION,
    }
    return render(request, "diagnostics/report.html", context)


@access(get=Role.VIEWER)
def comparison(request: Request, pk: str) -> HttpResponse:
    """What broke and what was mended since an earlier run (`with`, else the last)."""
    later = get_object_or_404(TroubleshooterRun.objects.finished(), pk=pk)
    others = TroubleshooterRun.objects.finished().exclude(pk=later.pk)
    wanted = request.GET.get("with", "")
    chosen = next((row for row in others if str(row.pk) == wanted), None)
    earlier = chosen or TroubleshooterRun.objects.before(later)
    context = {
        "runs": others,
        "comparison": compare(earlier, later) if earlier else {"later": later},
    }
    return render(request, "diagnostics/comparison.html", context)


@access(get=Role.VIEWER)
def peer_status(request: Request, pk: str) -> HttpResponse:
    """The Intercluster Peer Status pane; polls only while a check runs."""
    peer = get_object_or_404(Peer.objects.select_related("cluster"), pk=pk)
    job = running_check(peer)
    context: dict[str, Any] = {
        "peer": peer,
        "job": job,
        "may_check": may_operate(request) and not peer.removing,
    }
    if not request.htmx:
        context["history"] = history_of(peer)
        return render(request, "diagnostics/peer_status.html", context)
    response = render(request, "diagnostics/_peer_status.html", context)
    if job is None and request.GET.get("polling"):
        return HttpResponseStopPolling(response.content)
    return response


@access(post=Role.OPERATOR)
def check_peer(request: Request, pk: str) -> HttpResponse:
    peer = get_object_or_404(Peer.objects.select_related("cluster"), pk=pk)
    actor = audit.actor_of(request)
    with transaction.atomic():
        job = submit_check([peer], actor)
        audit.record(actor, "check peer", peer)
    if request.htmx:
        context = {"peer": peer, "job": job, "may_check": True}
        return render(request, "diagnostics/_peer_status.html", context)
    messages.info(request, f"Checking {peer}.")
    return redirect(peer)


@access(get=Role.VIEWER)
def peer_history(request: Request, pk: str) -> HttpResponse:
    peer = get_object_or_404(Peer, pk=pk)
    context = {"peer": peer, "history": history_of(peer)}
    return render(request, "diagnostics/_peer_history.html", context)


@access(get=Role.VIEWER)
def attention(request: Request) -> HttpResponse:
    context = {"sentences": needs_attention()}
    return render(request, "diagnostics/_attention.html", context)


@access(get=Role.VIEWER)
def last_sweep(request: Request) -> HttpResponse:
    sweeps = Job.objects.filter(kind="sweep").order_by("-created_at")
    with unlimited():
        newest = sweeps.first()
        finished = sweeps.exclude(finished_at=None).first()
    context = {
        "job": newest,
        "finished": finished,
        "oldest": Peer.objects.order_by(F("checked_at").asc(nulls_first=True)).first(),
    }
    return render(request, "diagnostics/_last_sweep.html", context)


def may_operate(request: Request) -> bool:
    role = role_of(request.user)
    return role is not None and role.covers(Role.OPERATOR)
