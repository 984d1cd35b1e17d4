"""The pages of background work."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django_htmx.http import HttpResponseStopPolling

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from jobs import kinds
from jobs.models import Busy, Job


@access(get=Role.VIEWER)
def find(request: Request) -> HttpResponse:
    jobs = Job.objects.select_related("requested_by")
    chosen = {
        name: request.GET[name]
        for name in ("kind", "state", "target_id")
        if request.GET.get(name)
    }
    page = Paginator(jobs.filter(**chosen), 50).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "chosen": chosen,
        "kinds": kinds.choices(),
        "states": Job.State.choices,
    }
    return render(request, "jobs/find.html", context)


@access(get=Role.VIEWER)
def show(request: Request, pk: str) -> HttpResponse:
    """The page, or for htmx the part that changes; polling ends with the job."""
    job = get_object_or_404(Job.objects.select_related("requested_by"), pk=pk)
    context = {"job": job, "steps": job.steps.all()}
    if not request.htmx:
        return render(request, "jobs/show.html", context)
    response = render(request, "jobs/_progress.html", context)
    if job.active:
        return response
    return HttpResponseStopPolling(response.content)


@access(get=Role.VIEWER)
def badge(request: Request) -> HttpResponse:
    """Running and failed jobs, for the header."""
    running = Job.objects.active().count()
    failed = Job.objects.filter(
        state__in=[Job.State.FAILED, Job.State.NEEDS_ATTENTION]
    ).count()
    return render(request, "jobs/_badge.html", {"running": running, "failed": failed})


@access(post=Role.OPERATOR)
@transaction.atomic
def cancel(request: Request, pk: str) -> HttpResponse:
    job = get_object_or_404(Job, pk=pk)
    if job.cancel():
        audit.record(audit.actor_of(request), "cancel job", job)
        messages.success(request, f"Asked {job} to stop after its present step.")
    else:
        messages.info(request, f"{job} is over already.")
    return redirect(job)


@access(post=Role.OPERATOR)
def retry(request: Request, pk: str) -> HttpResponse:
    job = get_object_or_404(Job, pk=pk)
    if not job.may_retry:
        messages.error(request, f"{job} cannot be retried: it is {job.state}.")
        return redirect(job)
    try:
        with transaction.atomic():
            job.retry()
            audit.record(audit.actor_of(request), "retry job", job)
    except Busy as error:
        messages.error(request, str(error))
    return redirect(job)
