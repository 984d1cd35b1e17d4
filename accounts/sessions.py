"""Sessions of signed-in browsers: begun, seen, and ended by their row."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import audit, lockout
from accounts.backends import PROVIDER_BACKEND
from accounts.models import BrowserSession

KEY = "sign_in"
OWN_BACKEND = "django.contrib.auth.backends.ModelBackend"
# A visit is written down at most this often.
SEEN_EVERY = timedelta(minutes=1)


def begin(request: HttpRequest, user: User) -> None:
    """Give a fresh sign-in its row; called when the password was right."""
    address = request.META.get("REMOTE_ADDR", "")
    row = BrowserSession.objects.create(
        user=user,
        address=audit.plain_address(address),
        agent=request.META.get("HTTP_USER_AGENT", "")[:200],
    )
    request.session[KEY] = str(row.pk)
    request.sign_in = row  # type: ignore[attr-defined]
    # At the provider no attempt was counted, so there is none to take back.
    if request.session.get(auth.BACKEND_SESSION_KEY) != PROVIDER_BACKEND:
        lockout.forgive(user.get_username(), address)
    audit.record(audit.actor_of(request, user), "sign in", user, ways(request))


def ways(request: HttpRequest) -> audit.Changes:
    """Say what was more, or other, than a password of the console."""
    backend = request.session.get(auth.BACKEND_SESSION_KEY, "").rpartition(".")[2]
    found = {"ProviderBackend": ["identity provider"], "DirectoryBackend": ["LDAP"]}
    used = found.get(backend, [])
    if getattr(request, "took_second_factor", False):
        used = [*used, "second factor"]
    return {"with": [None, ", ".join(used)]} if used else {}


def current(request: HttpRequest) -> BrowserSession | None:
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
    told = session.get(auth.HASH_SESSION_KEY) or ""
    return (
        user.is_active
        and session.get(auth.SESSION_KEY) == str(user.pk)
        and session.get(auth.BACKEND_SESSION_KEY) == OWN_BACKEND
        and OWN_BACKEND in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(told, user.get_session_auth_hash())
    )


def rows(request: HttpRequest) -> QuerySet[BrowserSession]:
    """Return the row that the browser's session names, as a query."""
    key = request.session.get(KEY)
    sessions = BrowserSession.objects
    return sessions.filter(pk=key) if key else sessions.none()


def is_over(row: BrowserSession, now: datetime) -> bool:
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    longest = timedelta(hours=settings.SESSION_HOURS)
    return now - row.seen_at > idle or now - row.began_at > longest


def see(row: BrowserSession) -> None:
    now = timezone.now()
    if now - row.seen_at > SEEN_EVERY:
        BrowserSession.objects.filter(pk=row.pk).update(seen_at=now)


def end(request: HttpRequest) -> None:
    """End the session of this request because it is over or was ended elsewhere."""
    rows(request).delete()
    request.session.flush()
    request.user = AnonymousUser()


def forget_old() -> int:
    """Delete the rows of sessions that nobody comes back to."""
    longest = timedelta(hours=settings.SESSION_HOURS)
    old = BrowserSession.objects.filter(began_at__lt=timezone.now() - longest)
    return old.delete()[0]
