"""Looking for changes: what differs from what was reported last becomes messages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.locks import Busy
from jobs.models import Job
from notifications.findings import WELL, Observation, observe_all
from notifications.jobs.send import SendNotifications
from notifications.models import (
    TEST,
    DetectionLock,
    LastNotified,
    Maintenance,
    Message,
    Subscriber,
    Topic,
    is_within,
)


@transaction.atomic
def detect_changes() -> int:
    """Tell every subscriber what changed since the last look; return how much did."""
    lock = hold_lock()
    changed = changed_observations()
    for subscriber in active_subscribers() if changed else ():
        queue_events(
            subscriber, [one for one in changed if one.topic in subscriber.topics]
        )
    send_waiting()
    forget_older(timezone.now())
    lock.save()
    return len(changed)


def hold_lock() -> DetectionLock:
    """Look alone until the end of the transaction."""
    DetectionLock.objects.get_or_create(pk=1)
    return DetectionLock.objects.select_for_update().get(pk=1)


def active_subscribers() -> QuerySet[Subscriber]:
    everybody = Subscriber.objects.exclude(user__is_active=False)
    return everybody.select_related("user__limit")


def forget_older(now: datetime) -> None:
    before = now - timedelta(days=settings.MESSAGE_RETENTION_DAYS)
    Message.objects.filter(created_at__lt=before).delete()
    # A job ended once and stays so; other trouble is remembered until it is over.
    LastNotified.objects.filter(key__startswith="job:", since__lt=before).delete()
    # The history shows when maintenance was.
    oldest = now - timedelta(days=settings.HISTORY_RETENTION_DAYS)
    Maintenance.objects.filter(ends_at__lt=oldest).delete()


def changed_observations() -> list[Observation]:
    """Compare with what was reported, and remember it as reported.

    A cluster in maintenance changes nothing: trouble that outlasts the window is
    reported at its end, and trouble that does not is never reported.
    """
    silent = set(Maintenance.objects.open().values_list("cluster", flat=True))
    notified = dict(LastNotified.objects.values_list("key", "state"))
    changed = [
        one
        for one in observe_all(notified)
        if notified.get(one.key, WELL) != one.state and not one.clusters & silent
    ]
    store_states(changed)
    return [one for one in changed if is_news(one, notified.get(one.key, WELL))]


def store_states(changed: Iterable[Observation]) -> None:
    LastNotified.objects.filter(
        key__in=[one.key for one in changed if not one.state]
    ).delete()
    LastNotified.objects.bulk_create(
        [LastNotified(key=one.key, state=one.state) for one in changed if one.state],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["state", "since"],
    )


def is_news(one: Observation, before: str) -> bool:
    """Of what became well, only peers and their presence are reported."""
    return one.state != WELL or one.topic in (Topic.PEER, Topic.PRESENCE)


def events_of(changed: Iterable[Observation]) -> list[dict[str, Any]]:
    """What messages say of changes."""
    at = timezone.now().isoformat(timespec="seconds")
    return [
        {
            "topic": str(one.topic),
            "key": one.key,
            "state": one.state or "passed",
            "text": one.text,
            "url": one.url,
            "at": at,
            "clusters": one.seen_on,
        }
        for one in changed
    ]


def queue_events(subscriber: Subscriber, changed: list[Observation]) -> None:
    """Add to the message that waits to be sent, or begin one."""
    if not changed:
        return
    events = events_of(changed)
    if (limit := subscriber.limit) is not None:
        events = [event for event in events if is_within(event, limit)]
    if not events:
        return
    if subscriber.channel == Subscriber.Channel.PAGE:
        now = timezone.now()
        subscriber.messages.create(events=events, closed_at=now, sent_at=now)
        return
    # Held until the end, so that the job that sends it closes it before or after.
    message, _ = Message.objects.select_for_update().get_or_create(
        subscriber=subscriber, closed_at=None
    )
    message.events += events
    message.save(update_fields=["events"])


def send_waiting() -> None:
    """See to it that whatever waits has a job that sends it."""
    waiting = Message.objects.waiting()
    for subscriber in Subscriber.objects.filter(messages__in=waiting).distinct():
        submit_delivery(subscriber)


def submit_delivery(subscriber: Subscriber) -> Job:
    """Submit the job that sends what waits, or return the one under way."""
    try:
        job: Job = Job.objects.submit(
            SendNotifications,
            [],
            target=subscriber,
            label=f"to {subscriber}",
            arguments={"subscriber": str(subscriber.pk)},
            locks=[subscriber.lock],
        )
    except Busy as busy:
        return busy.job  # what it leaves is found at the next look
    return job


def queue_test(subscriber: Subscriber) -> tuple[Message, Job]:
    """Send something harmless, so that a receiver can be tried."""
    event = {
        "topic": TEST,
        "key": "test",
        "state": "test",
        "text": "This is a test of cupadmin's notifications.",
        "url": "/",
        "at": timezone.now().isoformat(timespec="seconds"),
    }
    message = subscriber.messages.create(events=[event], closed_at=timezone.now())
    return message, submit_delivery(subscriber)
