"""The pages of background work."""

from collections.abc import Callable
from datetime import timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django_htmx.http import HttpResponseStopPolling

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role, role_of
from base import csv
from jobs.forms import JobFilterForm
from jobs.locks import Busy
from jobs.models import EXCEEDS_LIMIT, Job
from jobs.retrying import retry_as
from jobs.waiting import served_queues, waiting_for

# The badge reminds of failures for this long; the list keeps them.
RECENT = timedelta(days=1)


EXPORTED: dict[str, Callable[[Job], Any]] = {
    "id": attrgetter("pk"),
    "state": attrgetter("state"),
    "job": attrgetter("label"),
    "object": attrgetter("target_label"),
    "done": attrgetter("done"),
    "total": attrgetter("total"),
    "requested_by": lambda job: job.requester or "cupadmin",
    "created_at": attrgetter("created_at"),
    "started_at": attrgetter("started_at"),
    "finished_at": attrgetter("finished_at"),
    "error": attrgetter("visible_error"),
}


@access(get=Role.VIEWER)
def list_jobs(request: Request) -> HttpResponseBase:
    """The list, or for htmx its table; polling ends when nothing on it runs."""
    form = JobFilterForm(request.GET)
    jobs = form.apply(Job.objects.in_list())
    if csv.is_requested(request):
        return csv.list_download("jobs", EXPORTED, jobs.iterator(chunk_size=1_000))
    page = Paginator(jobs, 50).get_page(request.GET.get("page"))
    running = any(job.active for job in page.object_list)
    served = served_queues() if running else set()
    context = {"form": form, "page": page, "polling": running, "served": served}
    if not request.htmx:
        return render(request, "jobs/find.html", context)
    response = render(request, "jobs/_table.html", context)
    return response if running else HttpResponseStopPolling(response.content)


@access(get=Role.VIEWER)
def show_job(request: Request, pk: UUID) -> HttpResponse:
    """The page, or for htmx the part that changes; polling ends with the job."""
    job = get_object_or_404(Job.objects.select_related("requested_by"), pk=pk)
    context = {
        "job": job,
        "steps": list(job.steps.all()),
        "waiting_for": waiting_for(job, served_queues()) if job.active else None,
        "may_control": job.may_be_controlled(role_of(request.user)),
    }
    if not request.htmx:
        return render(request, "jobs/show.html", context)
    response = render(request, "jobs/_progress.html", context)
    return response if job.active else HttpResponseStopPolling(response.content)


@access(get=Role.VIEWER)
def show_target(request: Request, pk: UUID) -> HttpResponse:
    """Go to what the job is about."""
    job = get_object_or_404(Job, pk=pk)
    if not job.target_url:
        messages.info(request, f"{job.target_label} no longer exists.")
    return redirect(job.target_url or job.get_absolute_url())


@access(get=Role.VIEWER)
def jobs_badge(request: Request) -> HttpResponse:
    """Running jobs and those that failed lately, for the header."""
    failed = Job.objects.filter(
        state__in=[Job.State.FAILED, Job.State.NEEDS_ATTENTION],
        finished_at__gt=timezone.now() - RECENT,
    )
    context = {"running": Job.objects.active().count(), "failed": failed.count()}
    return render(request, "components/_jobs_badge.html", context)


def get_controllable(request: Request, pk: UUID) -> Job:
    """The job, or 403 for those who may not start one of its kind."""
    job = get_object_or_404(Job, pk=pk)
    if job.exceeds_limit:
        raise PermissionDenied(EXCEEDS_LIMIT)
    if not job.may_be_controlled(role_of(request.user)):
        audit.record_refusal(request)
        raise PermissionDenied(f"This needs the role {job.needed_role.value}.")
    return job


@access(post=Role.OPERATOR)
def cancel_job(request: Request, pk: UUID) -> HttpResponse:
    job = get_controllable(request, pk)
    with transaction.atomic():
        cancelled = job.cancel()
        if cancelled:
            audit.append_entry(audit.actor_of(request), "cancel job", job)
    if cancelled:
        text = "Cancellation requested; the job stops after the current step."
        messages.success(request, text)
    else:
        messages.info(request, f"{job} is over already.")
    return redirect(job)


@access(post=Role.OPERATOR)
def retry_job(request: Request, pk: UUID) -> HttpResponse:
    job = get_controllable(request, pk)
    if not job.may_retry:
        messages.error(request, f"{job} cannot be retried: it is {job.state}.")
        return redirect(job)
    try:
        with transaction.atomic():
            retry_as(audit.actor_of(request), job)
    except Busy as error:
        messages.error(request, str(error))
    return redirect(job)
