"""Password hashes, few at a time: one takes 100 MB and a tenth of a second.

Whatever checks or sets a password comes through here: pages, HTTP Basic, the proof.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import hashers

from rest.outages import Outage, TryLater

AT_ONCE = 2
# Beyond these a request is refused at once, so that threads are left for pages.
WAITING = 3
# Seconds that one of them waits.
TURN_TIMEOUT = 5.0

_places = threading.BoundedSemaphore(AT_ONCE + WAITING)
_turns = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def hashing_turn() -> Iterator[None]:
    """Hold one of this process's turns to hash.

    Raises:
        TryLater: too many wait already, or none became free in time.
    """
    if not _places.acquire(blocking=False):
        raise TryLater(Outage.CROWDED)
    try:
        if not _turns.acquire(timeout=TURN_TIMEOUT):
            raise TryLater(Outage.CROWDED)
        try:
            yield
        finally:
            _turns.release()
    finally:
        _places.release()


class InTurn(hashers.BasePasswordHasher):
    """Mixed into a hasher, lets it hash only in its turn."""

    def encode(self, password: str, salt: str, *args: int) -> str:
        with hashing_turn():
            return super().encode(password, salt, *args)

    def verify(self, password: str, encoded: str) -> bool:
        with hashing_turn():
            return super().verify(password, encoded)


class Argon2PasswordHasher(InTurn, hashers.Argon2PasswordHasher):
    """What passwords are stored with."""


class PBKDF2PasswordHasher(hashers.PBKDF2PasswordHasher):
    """Hashes that came from elsewhere; `verify` encodes."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with hashing_turn():
            return super().encode(password, salt, iterations)
