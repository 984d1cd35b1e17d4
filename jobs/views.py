"""The pages of background work."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django_htmx.http import HttpResponseStopPolling

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role
from jobs.forms import JobFilterForm
from jobs.locks import Busy
from jobs.models import BEYOND, Job

# The badge reminds of failures for this long; the list keeps them.
RECENT = timedelta(days=1)


@access(get=Role.VIEWER)
def find(request: Request) -> HttpResponse:
    """The list, or for htmx its table; polling ends when nothing on it runs."""
    form = JobFilterForm(request.GET)
    jobs = form.apply(Job.objects.in_list())
    page = Paginator(jobs, 50).get_page(request.GET.get("page"))
    running = any(job.active for job in page.object_list)
    context = {"form": form, "page": page, "polling": running}
    if not request.htmx:
        return render(request, "jobs/find.html", context)
    response = render(request, "jobs/_table.html", context)
    return response if running else HttpResponseStopPolling(response.content)


@access(get=Role.VIEWER)
def show(request: Request, pk: UUID) -> HttpResponse:
    """The page, or for htmx the part that changes; polling ends with the job."""
    job = get_object_or_404(Job.objects.select_related("requested_by"), pk=pk)
    context = {"job": job, "steps": list(job.steps.all())}
    if not request.htmx:
        return render(request, "jobs/show.html", context)
    response = render(request, "jobs/_progress.html", context)
    return response if job.active else HttpResponseStopPolling(response.content)


@access(get=Role.VIEWER)
def target(request: Request, pk: UUID) -> HttpResponse:
    """Go to what the job is about."""
    job = get_object_or_404(Job, pk=pk)
    if not job.target_url:
        messages.info(request, f"{job.target_label} no longer exists.")
    return redirect(job.target_url or job.get_absolute_url())


@access(get=Role.VIEWER)
def badge(request: Request) -> HttpResponse:
    """Running jobs and those that failed lately, for the header."""
    failed = Job.objects.filter(
        state__in=[Job.State.FAILED, Job.State.NEEDS_ATTENTION],
        finished_at__gt=timezone.now() - RECENT,
    )
    context = {"running": Job.objects.active().count(), "failed": failed.count()}
    return render(request, "components/_jobs_badge.html", context)


@access(post=Role.OPERATOR)
@transaction.atomic
def cancel(request: Request, pk: UUID) -> HttpResponse:
    job = get_object_or_404(Job, pk=pk)
    if job.beyond:
        raise PermissionDenied(BEYOND)
    if job.cancel():
        audit.record(audit.actor_of(request), "cancel job", job)
        messages.success(request, f"Asked {job} to stop after its present step.")
    else:
        messages.info(request, f"{job} is over already.")
    return redirect(job)


@access(post=Role.OPERATOR)
def retry(request: Request, pk: UUID) -> HttpResponse:
    job = get_object_or_404(Job, pk=pk)
    if job.beyond:
        raise PermissionDenied(BEYOND)
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
