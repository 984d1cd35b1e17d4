"""Between a right password and the session: the second factor, if there is one."""

from dataclasses import dataclass
from typing import Any

from django.contrib import auth
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts import second_factor
from accounts.models import SecondFactor

KEY = "second_step"
# How long a right password waits for its code.
SECONDS = 300


@dataclass(frozen=True)
class Waiting:
    """Somebody whose password was right and whose code is still to come."""

    user: User
    factor: SecondFactor
    backend: str
    url: str


def enter(request: HttpRequest, user: User, url: str) -> HttpResponseRedirect:
    """Sign in, or go on to the page that asks for the code."""
    if second_factor.is_asked_elsewhere(user.backend) or not second_factor.of(user):
        auth.login(request, user)
        return HttpResponseRedirect(url)
    # Whatever the browser held before must not reach beyond this sign-in.
    request.session.flush()
    request.session[KEY] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "backend": user.backend,
        "url": url,
        "until": timezone.now().timestamp() + SECONDS,
    }
    return HttpResponseRedirect(reverse("accounts:second_step"))


def waiting(request: HttpRequest) -> Waiting | None:
    """Return who waits for the second step in this browser, if anybody still does."""
    told: dict[str, Any] | None = request.session.get(KEY)
    if told is None or told["until"] < timezone.now().timestamp():
        return None
    user = User.objects.filter(pk=told["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != told["hash"]:
        return None
    factor = second_factor.of(user)
    return Waiting(user, factor, told["backend"], told["url"]) if factor else None


def finish(request: HttpRequest, waits: Waiting) -> HttpResponseRedirect:
    del request.session[KEY]
    request.took_second_factor = True  # type: ignore[attr-defined]
    auth.login(request, waits.user, backend=waits.backend)
    return HttpResponseRedirect(waits.url)
