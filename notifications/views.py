"""My notifications, webhooks, and the maintenance of a cluster."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts import audit
from accounts.access import access
from accounts.cluster_limits import current_limit
from accounts.http import Request
from accounts.roles import Role, has_role
from clusters.models import Cluster
from jobs.models import JobStep
from notifications import editing
from notifications.forms import (
    EditWebhookForm,
    MaintenanceForm,
    MineForm,
    WebhookForm,
)
from notifications.jobs.send import SendNotifications
from notifications.models import Maintenance, Message, Subscriber

# The badge reminds of what a webhook did not get for this long.
RECENT = timedelta(days=1)
# Past windows that a page shows.
MOST_MESSAGES = 10


def mine_of(request: Request) -> "Paginator[Message]":
    return Paginator(Message.objects.on_page(request.user), 25)


@access(get=Role.VIEWER, post=Role.VIEWER)
def my_notifications(request: Request) -> HttpResponse:
    """The messages that this person got, and what they want to be notified of."""
    form = MineForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            chosen = audit.differences(dict(form.initial), form.cleaned_data)
            actor = audit.actor_of(request)
            audit.append_entry(actor, "choose notifications", request.user, chosen)
        messages.success(request, "Your choice is saved.")
        return redirect("notifications:mine")
    page = mine_of(request).get_page(request.GET.get("page"))
    page.object_list = [message for message in page if message.visible_events]
    context = {
        "form": form,
        "page": page,
        "mail": bool(settings.EMAIL_URL),
        "subscribed_by_mail": Subscriber.Channel.MAIL in form.subscribers,
        "undelivered": count_undelivered(request),
    }
    return render(request, "notifications/mine.html", context)


def count_undelivered(request: Request) -> int:
    """How many messages webhooks did not get lately; only administrators see it."""
    if current_limit() is not None or not has_role(request.user, Role.ADMINISTRATOR):
        return 0
    since = timezone.now() - RECENT
    return Message.objects.of_webhooks().undelivered(since).count()


@access(get=Role.VIEWER)
def notifications_badge(request: Request) -> HttpResponse:
    """What is new to this person, for the header."""
    context = {
        "unread": Message.objects.unread(request.user).count(),
        "undelivered": count_undelivered(request),
    }
    return render(request, "components/_notifications_badge.html", context)


@access(post=Role.VIEWER)
def test_mail(request: Request) -> HttpResponse:
    """Send a mail that says that it is a test, to the address that was saved."""
    mail = Subscriber.Channel.MAIL
    mine = get_object_or_404(Subscriber, user=request.user, channel=mail)
    editing.test_mail(mine, audit.actor_of(request))
    messages.success(request, f"A test mail to {mine.email} is on its way.")
    return redirect("notifications:mine")


@access(post=Role.VIEWER)
def mark_read(request: Request) -> HttpResponse:
    Message.objects.unread(request.user).update(read_at=timezone.now())
    return redirect("notifications:mine")


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
def list_webhooks(request: Request) -> HttpResponse:
    """List them; a new one's secret is shown once."""
    form = WebhookForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        secret = save_form(request, form)
        form = WebhookForm()
    newest = Prefetch("messages", Message.objects.all()[:1], to_attr="newest")
    found = Subscriber.objects.filter(channel=Subscriber.Channel.WEBHOOK)
    found = found.prefetch_related(newest)
    context = {"form": form, "webhooks": found, "secret": secret}
    return render(request, "notifications/webhooks.html", context)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
def edit_webhook(request: Request, pk: UUID) -> HttpResponse:
    """Change it, and see what it was sent lately."""
    webhook = webhook_or_404(pk)
    form = EditWebhookForm(request.POST or None, instance=webhook)
    secret = ""
    if request.method == "POST" and form.is_valid():
        secret = save_form(request, form)
        messages.success(request, "The webhook is saved.")
        if not secret:
            return redirect("notifications:webhooks")
        form = EditWebhookForm(instance=webhook)
    page = Paginator(webhook.messages.all(), 25).get_page(request.GET.get("page"))
    page.object_list = with_tries(page.object_list)
    context = {
        "form": form,
        "webhook": webhook_or_404(pk),
        "secret": secret,
        "page": page,
    }
    return render(request, "notifications/edit_webhook.html", context)


def save_form(request: Request, form: WebhookForm) -> str:
    """Save the webhook; return the secret that was made for it, to be shown once."""
    made = editing.new_secret() if form.needs_secret else ""
    secret = form.cleaned_data["community"] or made
    editing.save_webhook(form.instance, audit.actor_of(request), secret=secret)
    return made


def with_tries(found: Iterable[Message]) -> list[Message]:
    """Say of those that wait what became of them so far."""
    rows = list(found)
    waiting = {str(row.pk): row for row in rows if row.state == Message.State.WAITING}
    steps = JobStep.objects.filter(key__in=waiting, job__kind=SendNotifications.name)
    for key, detail in steps.values_list("key", "detail"):
        waiting[key].tried = detail
    return rows


def webhook_or_404(pk: UUID) -> Subscriber:
    channel = Subscriber.Channel.WEBHOOK
    return get_object_or_404(Subscriber, pk=pk, channel=channel)


@access(post=Role.ADMINISTRATOR, all_clusters=True)
def test_webhook(request: Request, pk: UUID) -> HttpResponse:
    _, job = editing.test_webhook(webhook_or_404(pk), audit.actor_of(request))
    messages.success(request, "A test message is on its way.")
    return redirect(job)


@access(post=Role.ADMINISTRATOR, all_clusters=True)
def delete_webhook(request: Request, pk: UUID) -> HttpResponse:
    editing.delete_webhook(webhook_or_404(pk), audit.actor_of(request))
    messages.success(request, "The webhook is deleted.")
    return redirect("notifications:webhooks")


@access(get=Role.VIEWER, post=Role.OPERATOR)
def show_maintenance(request: Request, cluster: UUID) -> HttpResponse:
    """A page, and for htmx a fragment of the cluster page."""
    found = get_object_or_404(Cluster, pk=cluster)
    form = MaintenanceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        editing.plan_window(found, audit.actor_of(request), **form.window_values)
        return redirect(found)
    windows = Maintenance.objects.filter(cluster=found).select_related("created_by")
    context = {
        "cluster": found,
        "form": form,
        "windows": windows.open(),
        "upcoming": windows.upcoming(),
        "past": windows.past()[:MOST_MESSAGES],
    }
    name = "_maintenance" if request.htmx else "maintenance"
    return render(request, f"notifications/{name}.html", context)


@access(post=Role.OPERATOR)
def end_maintenance(request: Request, cluster: UUID) -> HttpResponse:
    found = get_object_or_404(Cluster, pk=cluster)
    if editing.end_maintenance(found, audit.actor_of(request)):
        messages.success(request, f"The maintenance of {found} is over.")
    return redirect(found)


@access(post=Role.OPERATOR)
def cancel_maintenance(request: Request, pk: UUID) -> HttpResponse:
    """Delete a window that has not begun."""
    window = get_object_or_404(Maintenance.objects.select_related("cluster"), pk=pk)
    try:
        editing.cancel_window(window, audit.actor_of(request))
        messages.success(request, "The planned maintenance is cancelled.")
    except editing.Over as error:
        messages.error(request, str(error))
    return redirect(window.cluster)
