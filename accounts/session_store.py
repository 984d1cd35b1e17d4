"""Django's sessions in the database, whose table holds no key that opens one.

The cookie holds the session key; the table holds a keyed hash of it. Whoever reads the
table, or a copy of it, is signed in as nobody.
"""

import re
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from base.keyed_hash import keyed_hashes

# What Django makes; anything else in a cookie was never a key of ours.
KEY = re.compile(r"[a-z0-9]{32}")
# The column takes 40 characters: 160 bits of the hash.
STORED_LENGTH = 40


class StoredKey(str):
    """A session key as the table holds it; no cookie becomes one."""

    __slots__ = ()


def stored_keys(key: str) -> list[StoredKey]:
    """Return what the table may hold for a key, as of now first; none if malformed."""
    if isinstance(key, StoredKey):
        return [key]
    if not KEY.fullmatch(key):
        return []
    hashes = keyed_hashes("accounts.session_store", key)
    return [StoredKey(found[:STORED_LENGTH]) for found in hashes]


class SessionStore(db.SessionStore):
    """The store that SESSION_ENGINE names; it also finds a session by its StoredKey."""

    def _get_session_from_db(self) -> Session | None:
        rows = self.rows(self.session_key or "")
        row: Session | None = rows.filter(expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
        else:
            self.renew_stored_key(row)
        return row

    def rows(self, session_key: str) -> Any:
        return self.model.objects.filter(session_key__in=stored_keys(session_key))

    def renew_stored_key(self, row: Session) -> None:
        """Move a row that a former secret key named to its present name."""
        present = stored_keys(self.session_key or "")[0]
        if row.session_key != present:
            rows = self.model.objects.filter(session_key=row.session_key)
            rows.update(session_key=present)

    def exists(self, session_key: str) -> bool:
        return bool(self.rows(session_key).exists())

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = stored_keys(row.session_key)[0]
        return row

    def save(self, must_create: bool = False) -> None:
        """Save; a database in trouble is no session that somebody ended."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            raise

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            self.rows(key).delete()
