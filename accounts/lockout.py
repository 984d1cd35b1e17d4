"""A limit on sign-ins that also holds when many are tried at the same time.

An attempt is counted before its password is looked at, by one conditional UPDATE, so
the database decides which attempts are still within the limit.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Attempts
from base.keyed_hash import keyed_hash


class Locked(Exception):
    """Too many attempts; `first` is true for the first one that is refused."""

    def __init__(self, until: datetime, first: bool) -> None:
        super().__init__("Too many attempts to sign in.")
        self.until = until
        self.first = first

    @property
    def seconds(self) -> int:
        return max(1, int((self.until - timezone.now()).total_seconds()) + 1)

    @property
    def sentence(self) -> str:
        return f"Too many attempts. Try again in {-(-self.seconds // 60)} minutes."


def attempt_limits(name: str, address: str) -> list[tuple[str, int]]:
    """Return (key, limit) for the pair, the address and the name.

    The name's own limit is high: a stranger must not lock its owner out easily.
    """
    limit = settings.SIGN_IN_LIMIT
    name = name.casefold()
    return [
        (key_of("pair", name, address), limit),
        (key_of("address", address), limit * 5),
        (key_of("name", name), limit * 10),
    ]


def key_of(*parts: str) -> str:
    """Return the counter's key; a name may be a password in the wrong field."""
    content = "\0".join(parts).encode(errors="replace")
    return keyed_hash("accounts.lockout", content)


def reserve_attempt(name: str, address: str) -> None:
    """Count an attempt.

    Raises:
        Locked: the limit is reached; the password must not be looked at.
    """
    count_attempt(attempt_limits(name, address))


def passkey_limits(address: str) -> list[tuple[str, int]]:
    """A passkey names its user only when it is right, so the address alone counts."""
    return [(key_of("passkeys", address), settings.SIGN_IN_LIMIT * 5)]


def count_attempt(limited: list[tuple[str, int]]) -> None:
    for key, limit in limited:
        now = timezone.now()
        until = now + timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)
        row = Attempts.objects.filter(key=key)
        fresh = Attempts(key=key, until=until)
        Attempts.objects.bulk_create([fresh], ignore_conflicts=True)
        row.filter(until__lte=now).update(count=0, until=until, told=False)
        if not row.filter(count__lt=limit).update(count=F("count") + 1):
            first = bool(row.filter(told=False).update(told=True))
            known = row.values_list("until", flat=True).first()
            raise Locked(known or until, first)


@transaction.atomic
def forgive_attempt(name: str, address: str) -> None:
    """Take back the attempt that turned out to be right."""
    pair, *others = (key for key, _ in attempt_limits(name, address))
    Attempts.objects.filter(key=pair).delete()
    take_back(others)


def take_back(keys: list[str]) -> None:
    counted = Attempts.objects.filter(key__in=keys, count__gt=0)
    counted.update(count=F("count") - 1)


def use_code_once(kind: str, whose: str, code: str, seconds: int) -> bool:
    """Whether this code is used for the first time within its time, in any process."""
    key, now = key_of(kind, whose, code), timezone.now()
    Attempts.objects.filter(key=key, until__lte=now).delete()
    values = {"count": 1, "until": now + timedelta(seconds=seconds)}
    return Attempts.objects.get_or_create(key=key, defaults=values)[1]
