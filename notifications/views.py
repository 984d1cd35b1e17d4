"""My notifications, webhooks, and the maintenance of a cluster."""

import secrets
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.access import Role, access
from accounts.http import Request
from notifications import watch
from notifications.forms import MaintenanceForm, MineForm, WebhookForm
from notifications.models import Maintenance, Message, Subscriber
from peers.models import Cluster


def mine_of(request: Request) -> "Paginator[Message]":
    page = Subscriber.Channel.PAGE
    found = Message.objects.filter(
        subscriber__user=request.user, subscriber__channel=page
    )
    return Paginator(found, 25)


@access(get=Role.VIEWER, post=Role.VIEWER)
def mine(request: Request) -> HttpResponse:
    """What this person was told, and what they want to be told of."""
    form = MineForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            changes = audit.differences(dict(form.initial), form.cleaned_data)
            actor = audit.actor_of(request)
            audit.record(actor, "choose notifications", request.user, changes)
        messages.success(request, "Your choice is saved.")
        return redirect("notifications:mine")
    context = {
        "form": form,
        "page": mine_of(request).get_page(request.GET.get("page")),
        "mail": bool(settings.EMAIL_URL),
    }
    return render(request, "notifications/mine.html", context)


@access(post=Role.VIEWER)
def read(request: Request) -> HttpResponse:
    unread = Message.objects.filter(subscriber__user=request.user, read_at=None)
    unread.update(read_at=timezone.now())
    return redirect("notifications:mine")


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def webhooks(request: Request) -> HttpResponse:
    """List them; a new one's secret is shown once."""
    form = WebhookForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        secret = add_webhook(request, form.instance)
        form = WebhookForm()
    found = list(Subscriber.objects.filter(channel=Subscriber.Channel.WEBHOOK))
    for one in found:
        one.last = one.messages.first()  # type: ignore[attr-defined]
    context = {"form": form, "webhooks": found, "secret": secret}
    return render(request, "notifications/webhooks.html", context)


@transaction.atomic
def add_webhook(request: Request, webhook: Subscriber) -> str:
    secret = secrets.token_urlsafe(32)
    webhook.channel = Subscriber.Channel.WEBHOOK
    webhook.seal("secret", secret)
    webhook.save()
    audit.record(audit.actor_of(request), "add webhook", webhook)
    return secret


def webhook_or_404(pk: UUID) -> Subscriber:
    channel = Subscriber.Channel.WEBHOOK
    return get_object_or_404(Subscriber, pk=pk, channel=channel)


@access(post=Role.ADMINISTRATOR)
@transaction.atomic
def test_webhook(request: Request, pk: UUID) -> HttpResponse:
    """Send a message that says that it is a test."""
    webhook = webhook_or_404(pk)
    watch.tell_test(webhook)
    audit.record(audit.actor_of(request), "test webhook", webhook)
    messages.success(request, "A test message is on its way; see Jobs.")
    return redirect("notifications:webhooks")


@access(post=Role.ADMINISTRATOR)
@transaction.atomic
def delete_webhook(request: Request, pk: UUID) -> HttpResponse:
    webhook = webhook_or_404(pk)
    audit.record(audit.actor_of(request), "delete webhook", webhook)
    webhook.delete()
    messages.success(request, "The webhook is deleted.")
    return redirect("notifications:webhooks")


@access(get=Role.VIEWER, post=Role.OPERATOR)
def maintenance(request: Request, cluster: UUID) -> HttpResponse:
    """A page, and for htmx a fragment of the cluster page."""
    found = get_object_or_404(Cluster, pk=cluster)
    form = MaintenanceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            window = form.open_for(found, request.user)
            hours = {"hours": [None, form.cleaned_data["hours"]]}
            audit.record(audit.actor_of(request), "begin maintenance", window, hours)
        return redirect(found)
    context = {
        "cluster": found,
        "form": form,
        "windows": Maintenance.objects.open().filter(cluster=found),
    }
    name = "_maintenance" if request.htmx else "maintenance"
    return render(request, f"notifications/{name}.html", context)


@access(post=Role.OPERATOR)
@transaction.atomic
def end_maintenance(request: Request, cluster: UUID) -> HttpResponse:
    found = get_object_or_404(Cluster, pk=cluster)
    if Maintenance.objects.filter(cluster=found).end():
        audit.record(audit.actor_of(request), "end maintenance", found)
        messages.success(request, f"The maintenance of {found} is over.")
    return redirect(reverse("peers:show_cluster", args=[found.pk]))
