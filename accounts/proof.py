"""Asking for a fresh proof of who it is before something dangerous is done.

It is the password; for an account without one here, a code of the second factor or a
fresh sign-in at the identity provider.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit, lockout, second_factor
from accounts.http import Request
from accounts.models import BrowserSession, Identity

View = TypeVar("View", bound=Callable[..., Any])

PASSWORD = "proof_password"
CODE = "proof_code"
# Stands in the form when a page was opened, not sent.
OPENED = "proof_opened"
# What goes on after a proof at the provider, in the session, and how many of them.
KEY = "proofs"
MOST_PROOFS = 2


def is_recent(request: Any) -> bool:
    """Whether somebody proved it in this browser within the last minutes."""
    session: BrowserSession | None = getattr(request, "sign_in", None)
    if session is None:
        return False
    age = timezone.now() - session.proved_at
    return age <= timedelta(minutes=settings.PROOF_MINUTES)


def recent_proof(view: View) -> View:
    """Ask for a proof first when the last one is too old.

    What was posted is kept in the form that asks, except fields named like a
    password, and goes on to the view with the right answer. Write it below
    `@access`.
    """

    @wraps(view)
    @sensitive_post_parameters(PASSWORD, CODE)
    def proving(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_recent(request):
            typed = PASSWORD in request.POST or CODE in request.POST
            error = check(request) if typed else ""
            if error is not None:
                return ask(request, error)
            if OPENED in request.POST:
                return HttpResponseRedirect(request.get_full_path())
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return proving  # type: ignore[return-value]


@dataclass(frozen=True)
class Ways:
    """How somebody can prove it."""

    password: bool
    code: bool
    provider: str


def ways_of(user: User) -> Ways:
    known = set(user.identities.values_list("provider", flat=True))
    password = user.has_usable_password() or Identity.Provider.LDAP in known
    at_provider = settings.OIDC if Identity.Provider.OIDC in known else None
    return Ways(
        password,
        code=not password and second_factor.of(user) is not None,
        provider=at_provider.name if at_provider else "",
    )


def check(request: Request) -> str | None:
    """Return why what was typed does not prove it, or None when it does."""
    by_password = PASSWORD in request.POST
    error = check_password(request) if by_password else check_code(request)
    if error is None:
        remember(request)
        action = "prove password" if by_password else "prove second factor"
        audit.record(audit.actor_of(request), action)
    return error


def check_password(request: Request) -> str | None:
    name = request.user.get_username()
    found = authenticate(request, username=name, password=request.POST[PASSWORD])
    if found is None or found.pk != request.user.pk:
        return refusal(request)
    lockout.forgive(name, request.META.get("REMOTE_ADDR", ""))
    return None


def check_code(request: Request) -> str | None:
    factor = second_factor.of(request.user)
    # Beside a password the code alone is no proof: the phone may lie on the desk.
    if factor is None or not ways_of(request.user).code:
        return "Prove it with your password."
    return second_factor.attempt(request, factor, request.POST[CODE]) or None


def refusal(request: HttpRequest | None) -> str:
    """Say why a sign-in was refused, without telling whether the name exists."""
    locked: lockout.Locked | None = getattr(request, "locked", None)
    if locked is not None:
        return locked.sentence
    known = "The user name or password is wrong."
    return getattr(request, "refused_because", known)


def remember(request: Request) -> None:
    session: BrowserSession = request.sign_in
    session.proved_at = timezone.now()
    session.save(update_fields=["proved_at"])


def ask(request: Request, error: str) -> HttpResponse:
    ways = ways_of(request.user)
    context = {
        "error": error,
        "kept": kept(request),
        "name": PASSWORD,
        "code_name": CODE,
        "ways": ways,
        "stash": stash(request) if ways.provider else "",
    }
    # 403 only for REST and htmx; a browser shows the page either way.
    response = render(request, "accounts/proof.html", context)
    if request.htmx:
        response["HX-Retarget"] = "body"
        response["HX-Reswap"] = "innerHTML"
    return response


def stash(request: Request) -> str:
    """Keep what goes on when the browser is back from the provider; return its id."""
    number = secrets.token_urlsafe(9)
    proofs = dict(list(request.session.get(KEY, {}).items())[1 - MOST_PROOFS :])
    fields = kept(request) if request.method == "POST" else None
    proofs[number] = {"url": request.get_full_path(), "fields": fields}
    request.session[KEY] = proofs
    return number


def kept(request: Request) -> list[tuple[str, str]]:
    if request.method != "POST":
        return [(OPENED, "1")]
    return [
        (name, value)
        for name, values in request.POST.lists()
        if "password" not in name and name not in ("csrfmiddlewaretoken", CODE)
        for value in values
    ]
