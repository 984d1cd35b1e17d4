"""Sessions of signed-in browsers: begun, seen, and ended by their row."""

from datetime import datetime, timedelta
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import audit, lockout, proxy_header
from accounts.audit import Actor
from accounts.models import BrowserSession
from base.fields import storable_text

KEY = "sign_in"
OWN_BACKEND = "django.contrib.auth.backends.ModelBackend"
BACKENDS = {
    "ProviderBackend": "identity provider",
    "SamlBackend": "identity provider",
    "DirectoryBackend": "LDAP",
    "ProxyBackend": "trusted proxy",
}
FACTORS = {
    "totp": "second factor",
    "webauthn": "passkey",
    "recovery_codes": "recovery code",
}
# A visit is written down at most this often.
SEEN_EVERY = timedelta(minutes=1)


def begin_session(request: HttpRequest, user: User) -> None:
    """Give a fresh sign-in its row; called when the password was right."""
    address = request.META.get("REMOTE_ADDR", "")
    row = BrowserSession.objects.create(
        user=user,
        address=audit.plain_address(address),
        agent=storable_text(request.META.get("HTTP_USER_AGENT", "")[:200]),
    )
    request.session[KEY] = str(row.pk)
    if settings.PROXY_HEADER is not None:
        request.session[proxy_header.SUBJECT] = proxy_header.subject_in(request)
    request.sign_in = row  # type: ignore[attr-defined]
    # Only a typed password was counted, so only that is taken back.
    if any(record["method"] == "password" for record in sign_in_steps(request, user)):
        lockout.forgive_attempt(user.get_username(), address)
    audit.append_entry(
        audit.actor_of(request, user), "sign in", user, sign_in_methods(request, user)
    )


def sign_in_steps(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """Return what was typed or shown for this sign-in, as the library noted it."""
    found: list[dict[str, Any]] = get_authentication_records(request, user)
    return found


def sign_in_methods(request: HttpRequest, user: User) -> audit.Changes:
    """Say what was more, or other, than a password of the console."""
    backend = request.session.get(auth.BACKEND_SESSION_KEY, "").rpartition(".")[2]
    used = [BACKENDS[backend]] if backend in BACKENDS else []
    kinds = (step.get("type", "") for step in sign_in_steps(request, user))
    used += [FACTORS[kind] for kind in kinds if kind in FACTORS]
    return {"with": [None, ", ".join(used)]} if used else {}


def current_session(request: HttpRequest) -> BrowserSession | None:
    """Return the row behind this request; None when it has ended.

    Its user comes with it, which spares Django a query for the same.
    """
    key = request.session.get(KEY)
    if key is None:
        return None
    try:
        row = BrowserSession.objects.select_related("user__limit").get(pk=key)
    except BrowserSession.DoesNotExist:
        return None
    if vouches_for(request.session, row.user):
        request.user = row.user
    elif row.user_id != request.user.pk:
        return None
    return None if is_over(row, timezone.now()) else row


def vouches_for(session: SessionBase, user: User) -> bool:
    """Whether the session is this user's beyond doubt; else Django is to decide."""
    session_hash = session.get(auth.HASH_SESSION_KEY) or ""
    return (
        user.is_active
        and session.get(auth.SESSION_KEY) == str(user.pk)
        and session.get(auth.BACKEND_SESSION_KEY) == OWN_BACKEND
        and OWN_BACKEND in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session_hash, user.get_session_auth_hash())
    )


def session_rows(request: HttpRequest) -> QuerySet[BrowserSession]:
    """Return the row that the browser's session names, as a query."""
    key = request.session.get(KEY)
    sessions = BrowserSession.objects
    return sessions.filter(pk=key) if key else sessions.none()


def is_over(row: BrowserSession, now: datetime) -> bool:
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    longest = timedelta(hours=settings.SESSION_HOURS)
    return now - row.seen_at > idle or now - row.began_at > longest


def touch_session(row: BrowserSession) -> None:
    now = timezone.now()
    if now - row.seen_at > SEEN_EVERY:
        BrowserSession.objects.filter(pk=row.pk).update(seen_at=now)


def end_session(request: HttpRequest) -> None:
    """End the session of this request because it is over or was ended elsewhere."""
    session_rows(request).delete()
    request.session.flush()
    request.user = AnonymousUser()


@transaction.atomic
def end_by_proxy(request: HttpRequest, row: BrowserSession, name: str) -> None:
    """End the session of this request because the proxy names somebody else now."""
    # Requests at the same time: one of them ends it.
    if session_rows(request).delete()[0]:
        changes: audit.Changes = {"by": [None, name]}
        audit.append_entry(audit.actor_of(request), "end session", row, changes)
    request.session.flush()
    request.user = AnonymousUser()
    del request.sign_in  # type: ignore[attr-defined]


@transaction.atomic
def end_by_row(row: BrowserSession, actor: Actor) -> None:
    """End the session of a browser, whoever's it is."""
    audit.append_entry(actor, "end session", row)
    row.delete()


@transaction.atomic
def end_others(user: User, actor: Actor, *, current: BrowserSession | None) -> int:
    """End all sessions of a user but the current one; return how many there were."""
    others = user.sessions.all()
    if current is not None:
        others = others.exclude(pk=current.pk)
    ended: int = others.count()
    if ended:
        changes = {"sessions": [ended, 0]}
        audit.append_entry(actor, "end sessions", changes=changes)
        others.delete()
    return ended


def forget_old() -> int:
    """Delete the rows of sessions that nobody comes back to."""
    longest = timedelta(hours=settings.SESSION_HOURS)
    old = BrowserSession.objects.filter(began_at__lt=timezone.now() - longest)
    return old.delete()[0]
