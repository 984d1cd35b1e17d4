"""Asking for the password again before something dangerous is done."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit, lockout
from accounts.http import Request
from accounts.models import BrowserSession

View = TypeVar("View", bound=Callable[..., Any])

PASSWORD = "proof_password"
# Stands in the form when a page was opened, not sent.
OPENED = "proof_opened"


def is_recent(request: Any) -> bool:
    """Whether the password was typed in this browser within the last minutes."""
    session: BrowserSession | None = getattr(request, "sign_in", None)
    if session is None:
        return False
    age = timezone.now() - session.proved_at
    return age <= timedelta(minutes=settings.PROOF_MINUTES)


def recent_proof(view: View) -> View:
    """Ask for the password first when its last proof is too old.

    What was posted is kept in the form that asks, except fields named like a
    password, and goes on to the view with the right answer. Write it below
    `@access`.
    """

    @wraps(view)
    @sensitive_post_parameters(PASSWORD)
    def proving(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_recent(request):
            error = check(request) if PASSWORD in request.POST else ""
            if error is not None:
                return ask(request, error)
            if OPENED in request.POST:
                return HttpResponseRedirect(request.get_full_path())
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return proving  # type: ignore[return-value]


def check(request: Request) -> str | None:
    """Return why the typed password does not prove it, or None when it does."""
    name = request.user.get_username()
    found = authenticate(request, username=name, password=request.POST[PASSWORD])
    if found is None or found.pk != request.user.pk:
        return refusal(request)
    lockout.forgive(name, request.META.get("REMOTE_ADDR", ""))
    remember(request)
    audit.record(audit.actor_of(request), "prove password")
    return None


def refusal(request: HttpRequest | None) -> str:
    """Say why a sign-in was refused, without telling whether the name exists."""
    locked: lockout.Locked | None = getattr(request, "locked", None)
    if locked is None:
        return "The user name or password is wrong."
    return locked.sentence


def remember(request: Request) -> None:
    session: BrowserSession = request.sign_in
    session.proved_at = timezone.now()
    session.save(update_fields=["proved_at"])


def ask(request: Request, error: str) -> HttpResponse:
    context = {"error": error, "kept": kept(request), "name": PASSWORD}
    # 403 only for REST and htmx; a browser shows the page either way.
    response = render(request, "accounts/proof.html", context)
    if request.htmx:
        response["HX-Retarget"] = "body"
        response["HX-Reswap"] = "innerHTML"
    return response


def kept(request: Request) -> list[tuple[str, str]]:
    if request.method != "POST":
        return [(OPENED, "1")]
    return [
        (name, value)
        for name, values in request.POST.lists()
        if "password" not in name and name != "csrfmiddlewaretoken"
        for value in values
    ]
