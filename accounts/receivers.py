"""What follows a sign-in, a sign-out and a refused sign-in."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit, sessions


@receiver(user_logged_in, dispatch_uid="accounts.signed_in")
def signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    sessions.begin(request, user)


@receiver(user_logged_out, dispatch_uid="accounts.signed_out")
def signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    sessions.rows(request).delete()
    if user is not None:
        audit.record(audit.actor_of(request), "sign out", user)


@receiver(user_login_failed, dispatch_uid="accounts.refused")
def refused(
    credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record it; a name that nobody has is left out, it may be a mistyped password."""
    if getattr(request, "locked", None) is not None:
        return
    name = str(credentials.get("username", "")).replace("\0", "")
    user = User.objects.filter(username=name).first()
    audit.record(audit.stranger(request), "refuse sign-in", user)
