"""The second factor: who has one, who needs one, and taking it from somebody."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import audit, web_providers
from accounts.audit import Actor
from accounts.backends import PROXY_BACKEND
from accounts.roles import role_of


def factors_of(user: User) -> QuerySet[Any]:
    """Return what counts as one; recovery codes only stand in for it."""
    found: QuerySet[Any] = Authenticator.objects.filter(user=user)
    return found.exclude(type=Authenticator.Type.RECOVERY_CODES)


def is_set_up(user: User) -> bool:
    return factors_of(user).exists()


def is_missing(user: User, request: HttpRequest | None = None) -> bool:
    """Whether the role of this user demands a second factor that is not there."""
    if not settings.REQUIRE_SECOND_FACTOR:
        return False
    backend = request.session.get(BACKEND_SESSION_KEY, "") if request else ""
    if is_required_elsewhere(backend):
        return False
    return role_of(user) in settings.REQUIRE_SECOND_FACTOR and not is_set_up(user)


def is_required_elsewhere(backend: str) -> bool:
    """Whether who comes through this backend typed a second factor at the provider."""
    if backend == PROXY_BACKEND:
        proxy = settings.PROXY_HEADER
        return proxy is not None and proxy.second_factor
    provider = web_providers.provider_behind(backend)
    return provider is not None and provider.config.second_factor


@transaction.atomic
def reset_factors(user: User, actor: Actor) -> bool:
    """Take all of it from somebody who lost it; all sessions of the user end."""
    deleted = Authenticator.objects.filter(user=user).delete()[0]
    if deleted:
        audit.append_entry(actor, "reset second factor", user)
        user.sessions.all().delete()
    return bool(deleted)
