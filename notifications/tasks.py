"""The background work of notifications: looking for changes, and sending."""

from datetime import timedelta
from functools import partial

from celery import shared_task
from django.db.models.functions import Now
from django.utils import timezone

from jobs.kinds import kind
from jobs.run import Run, Step
from notifications import watch
from notifications.delivery import Undelivered, deliver
from notifications.models import Message

# What happens within this time of a message waits for the next one.
GATHER = timedelta(minutes=5)
# Seconds before each further attempt: a webhook may be away for a night.
BACKOFF = (10, 60, 300, 1800, 7200, 14400, 28800)


@shared_task
def look() -> None:
    watch.look()


@kind("send-notifications", "Send notifications", queue="maintenance")
def send_notifications(run: Run) -> None:
    """Send what waits for a subscriber, one message after the other."""
    while message := next_message(run.arguments["subscriber"]):
        wait_after_last(run, message)
        label = f"Send: {message.subject}"
        run.do(str(message.pk), partial(attempt, run, message), label)


def next_message(subscriber: str) -> Message | None:
    """Return the oldest message that was neither sent nor given up."""
    waiting = Message.objects.waiting().filter(subscriber__pk=subscriber)
    found = waiting.select_related("subscriber").order_by("created_at", "id")
    return found.first()


def wait_after_last(run: Run, message: Message) -> None:
    if message.closed_at:
        return
    last = message.subscriber.messages.exclude(sent_at=None).order_by("-sent_at")
    sent_at = last.values_list("sent_at", flat=True).first()
    if sent_at and (left := (sent_at + GATHER - timezone.now()).total_seconds()) > 0:
        run.park(left)


def attempt(run: Run, message: Message, step: Step) -> str:
    """Send a message; come back later if that fails, until patience ends."""
    Message.objects.filter(pk=message.pk, closed_at=None).update(closed_at=Now())
    message.refresh_from_db()
    failures = int(step.memo.get("failures", 0))
    try:
        deliver(message)
    except Undelivered as error:
        step.remember(failures=failures + 1, error=str(error))
        if failures < len(BACKOFF):
            at = timezone.localtime() + timedelta(seconds=BACKOFF[failures])
            times = "once" if failures == 0 else f"{failures + 1} times"
            step.say(f"Tried {times}, again at {at:%H:%M:%S %Z}. {error}")
            run.park(BACKOFF[failures])
        Message.objects.filter(pk=message.pk).update(error=str(error)[:500])
        run.fail(f"Given up after {failures + 1} attempts. {error}")
    Message.objects.filter(pk=message.pk).update(sent_at=Now())
    return message.subject
