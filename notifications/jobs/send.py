"""Send what waits for a subscriber, one message after the other."""

from datetime import timedelta
from functools import partial
from typing import NoReturn

from django.db.models.functions import Now
from django.utils import timezone

from accounts.roles import Role
from jobs.kind import JobKind
from jobs.run import Step
from notifications.delivery import Undelivered, deliver_message
from notifications.models import Message

# What happens within this time of a message waits for the next one.
GATHER = timedelta(minutes=5)
# Seconds before each further attempt: a webhook may be away for a night.
BACKOFF = (10, 60, 300, 1800, 7200, 14400, 28800)


class SendNotifications(JobKind):
    """A job for one subscriber; it ends when no message waits for them."""

    name = "send-notifications"
    label = "Send notifications"
    role = Role.ADMINISTRATOR
    queue = "maintenance"

    def work(self) -> None:
        while message := self.next_message():
            self.wait_after_last(message)
            label = f"Send: {message.subject}"
            self.run.do(str(message.pk), partial(self.attempt, message), label)

    def next_message(self) -> Message | None:
        """Return the oldest message that was neither sent nor given up."""
        subscriber = self.run.arguments["subscriber"]
        waiting = Message.objects.waiting().filter(subscriber__pk=subscriber)
        found = waiting.select_related("subscriber").order_by("created_at", "id")
        return found.first()

    def wait_after_last(self, message: Message) -> None:
        if message.closed_at:
            return
        last = message.subscriber.messages.exclude(sent_at=None).order_by("-sent_at")
        sent_at = last.values_list("sent_at", flat=True).first()
        if sent_at is None:
            return
        left = (sent_at + GATHER - timezone.now()).total_seconds()
        if left > 0:
            self.run.park(left)

    def attempt(self, message: Message, step: Step) -> str:
        """Send a message; come back later if that fails, until all attempts did."""
        Message.objects.filter(pk=message.pk, closed_at=None).update(closed_at=Now())
        message.refresh_from_db()
        try:
            deliver_message(message)
        except Undelivered as error:
            self.try_later(message, step, error)
        Message.objects.filter(pk=message.pk).update(sent_at=Now())
        return message.subject

    def try_later(self, message: Message, step: Step, error: Undelivered) -> NoReturn:
        failures = int(step.memo.get("failures", 0))
        step.save_memo(failures=failures + 1, error=str(error))
        if failures < len(BACKOFF):
            at = timezone.localtime() + timedelta(seconds=BACKOFF[failures])
            times = "once" if failures == 0 else f"{failures + 1} times"
            step.show(f"Tried {times}, again at {at:%H:%M:%S %Z}. {error}")
            self.run.park(BACKOFF[failures])
        Message.objects.filter(pk=message.pk).update(error=str(error)[:500])
        self.run.fail(f"Given up after {failures + 1} attempts. {error}")
