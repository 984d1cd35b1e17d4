"""What follows a sign-in, a sign-out, a refused one, and a change of second factors."""

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.models import User
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit, sessions, time_zones


@receiver(user_logged_in, dispatch_uid="accounts.signed_in")
def signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    sessions.begin_session(request, user)
    time_zones.set_session_zone(request, user)


@receiver(user_logged_out, dispatch_uid="accounts.signed_out")
def signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    sessions.session_rows(request).delete()
    if user is not None:
        audit.append_entry(audit.actor_of(request), "sign out", user)


@receiver(user_login_failed, dispatch_uid="accounts.refused")
def record_refusal(
    credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record it; a name that nobody has is left out, it may be a mistyped password."""
    if getattr(request, "locked", None) is not None:
        return
    name = str(credentials.get("username", "")).replace("\0", "")
    user = User.objects.filter(username=name).first()
    audit.append_entry(audit.unknown_actor(request), "refuse sign-in", user)


ADDED = {
    Authenticator.Type.TOTP: "set up second factor",
    Authenticator.Type.WEBAUTHN: "add passkey",
    Authenticator.Type.RECOVERY_CODES: "make recovery codes",
}
REMOVED = {
    Authenticator.Type.TOTP: "switch off second factor",
    Authenticator.Type.WEBAUTHN: "remove passkey",
}


@receiver(authentication_failed, dispatch_uid="accounts.refused_code")
def refused_code(request: HttpRequest, user: User, **kwargs: Any) -> None:
    audit.append_entry(audit.unknown_actor(request), "refuse second factor", user)


@receiver(post_save, sender=Authenticator, dispatch_uid="accounts.factor_added")
def factor_added(instance: Any, created: bool, **kwargs: Any) -> None:
    if created:
        record_own(ADDED[instance.type], instance)


@receiver(post_delete, sender=Authenticator, dispatch_uid="accounts.factor_removed")
def factor_removed(instance: Any, **kwargs: Any) -> None:
    if instance.type in REMOVED:
        record_own(REMOVED[instance.type], instance)


def record_own(action: str, factor: Any) -> None:
    """Record what somebody did to the own account; a reset has an entry of its own."""
    request = context.request
    user = getattr(request, "user", None)
    if not isinstance(user, User) or user.pk != factor.user_id:
        return
    passkey = factor.type == Authenticator.Type.WEBAUTHN
    changes = {"passkey": [None, factor.wrap().name]} if passkey else {}
    if passkey and action == REMOVED[factor.type]:
        changes["passkey"].reverse()
    audit.append_entry(audit.actor_of(request), action, user, changes)
