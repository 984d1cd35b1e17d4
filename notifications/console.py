"""The console itself: what deep readiness finds is reported once, and so is its end.

A web process looks, since what is wrong may be beat, the broker or every worker. It
sends by itself, once; what then did not arrive waits for the job that sends the rest.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Protocol

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from notifications import detect
from notifications.delivery import Undelivered, deliver_message
from notifications.findings import WELL, Observation
from notifications.models import LastNotified, Message, Subscriber, Topic

# An upgrade or a restart takes less; it is nothing to report.
REPORT_AFTER = timedelta(minutes=1)
PREFIX = "console:"
SUSPECTED, FAILED = "suspected", "failed"


class PartCheck(Protocol):
    """How one part of the console is."""

    @property
    def ok(self) -> bool: ...

    @property
    def sentence(self) -> str: ...


def report_checks(checks: Mapping[str, PartCheck]) -> int:
    """Report parts that failed for a minute, or work again; return how many."""
    well = all(check.ok for check in checks.values())
    if well and not LastNotified.objects.filter(key__startswith=PREFIX).exists():
        return 0  # as nearly always: nothing is locked for it
    with transaction.atomic():
        detect.hold_lock()
        changed = list(changed_parts(checks))
        made = queue_messages(changed) if changed else []
    for message in made:
        send_once(message)
    return len(changed)


def changed_parts(checks: Mapping[str, PartCheck]) -> Iterator[Observation]:
    known = {
        row.key: row for row in LastNotified.objects.filter(key__startswith=PREFIX)
    }
    for part, check in checks.items():
        key = f"{PREFIX}{part}"
        state = note_part(key, check.ok, known.get(key))
        if state is not None:
            url = reverse("processes")
            yield Observation(Topic.CONSOLE, key, state, check.sentence, url)


def note_part(key: str, ok: bool, row: LastNotified | None) -> str | None:
    """Remember how a part is; return its state where that is to be reported."""
    if ok:
        if row is not None:
            row.delete()
        return WELL if row is not None and row.state == FAILED else None
    if row is None:
        LastNotified.objects.create(key=key, state=SUSPECTED)
    elif row.state == SUSPECTED and timezone.now() - row.since >= REPORT_AFTER:
        row.state = FAILED
        row.save()
        return FAILED
    return None


def queue_messages(changed: list[Observation]) -> list[Message]:
    """Make a message of its own for each subscriber; return those that are to be sent.

    They join no message that waits for its turn: whoever sends those may be what fails.
    """
    events = detect.events_of(changed)
    made = []
    for subscriber in detect.active_subscribers():
        if Topic.CONSOLE not in subscriber.topics or subscriber.limit is not None:
            continue
        now = timezone.now()
        on_page = subscriber.channel == Subscriber.Channel.PAGE
        message = subscriber.messages.create(
            events=events, closed_at=now, sent_at=now if on_page else None
        )
        if not on_page:
            made.append(message)
    return made


def send_once(message: Message) -> None:
    """Send it now; leave it to the job that sends messages where that fails."""
    try:
        deliver_message(message)
    except Undelivered:
        detect.submit_delivery(message.subscriber)
    else:
        Message.objects.filter(pk=message.pk).update(sent_at=Now())
