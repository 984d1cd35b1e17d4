"""Asking for a fresh proof of who it is before something dangerous is done.

It is the password or a passkey; for an account without a password here, a code of the
second factor or a fresh sign-in at the identity provider.
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
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit, lockout, passkeys, second_factor, web_providers
from accounts.http import Request
from accounts.models import BrowserSession, Identity
from accounts.sign_in_forms import CodeForm, PasskeyForm
from accounts.web_providers import WebProvider

View = TypeVar("View", bound=Callable[..., Any])

PASSWORD = "proof_password"
CODE = "proof_code"
PASSKEY = "proof_passkey"
TYPED = (PASSWORD, CODE, PASSKEY)
ACTIONS = {
    PASSWORD: "prove password",
    CODE: "prove second factor",
    PASSKEY: "prove passkey",
}
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


def recent_proof(
    purpose: str, model: type[Model] | None = None, *, to_open: bool = True
) -> Callable[[View], View]:
    """Ask for a proof first when the last one is too old.

    What was posted is kept in the form that asks, except fields named like a
    password, and goes on to the view with the right answer. Write it below
    `@access`.

    Args:
        purpose: what the proof is for, as in "delete cluster {}".
        model: of the row that the view's `pk` names, whose name is in the purpose.
        to_open: ask before the page opens too. A form with passwords wants that, since
            they are not kept; other pages are read before the proof.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @sensitive_post_parameters(*TYPED)
        def proving(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            asking = to_open or request.method == "POST"
            if asking and not is_recent(request):
                typed = [name for name in TYPED if name in request.POST]
                error = check_proof(request, typed[0]) if typed else ""
                if error is not None:
                    return ask_for_proof(
                        request, error, purpose_of(purpose, model, kwargs)
                    )
                if OPENED in request.POST:
                    return HttpResponseRedirect(request.get_full_path())
            answer: HttpResponse = view(request, *args, **kwargs)
            return answer

        return proving  # type: ignore[return-value]

    return decorate


def purpose_of(purpose: str, model: type[Model] | None, kwargs: dict[str, Any]) -> str:
    """The purpose with the name of the row; a row out of sight is not named."""
    if model is None:
        return purpose
    row = get_object_or_404(model._default_manager.all(), pk=kwargs["pk"])
    return purpose.format(row)


@dataclass(frozen=True)
class Ways:
    """How somebody can prove it."""

    password: bool
    code: bool
    passkey: bool
    provider: WebProvider | None


def ways_of(user: User) -> Ways:
    known = {identity.kind for identity in Identity.objects.filter(user=user)}
    password = user.has_usable_password() or Identity.Provider.LDAP in known
    at_provider = next(
        (
            found
            for kind, found in web_providers.configured_providers().items()
            if kind in known
        ),
        None,
    )
    kinds = set(second_factor.factors_of(user).values_list("type", flat=True))
    return Ways(
        password,
        # Beside a password a code alone is no proof: the phone may lie on the desk.
        code=not password and "totp" in kinds,
        passkey="webauthn" in kinds,
        provider=at_provider,
    )


def check_proof(request: Request, name: str) -> str | None:
    """Return why what was typed does not prove it, or None when it does."""
    checks = {PASSWORD: check_password, CODE: check_code, PASSKEY: check_passkey}
    error = checks[name](request)
    if error is None:
        remember_proof(request)
        audit.append_entry(audit.actor_of(request), ACTIONS[name])
    return error


def check_password(request: Request) -> str | None:
    name = request.user.get_username()
    found = authenticate(request, username=name, password=request.POST[PASSWORD])
    if found is None or found.pk != request.user.pk:
        return str(refusal_of(request).message)
    lockout.forgive_attempt(name, request.META.get("REMOTE_ADDR", ""))
    return None


def check_code(request: Request) -> str | None:
    if not ways_of(request.user).code:
        return "Prove it with your password."
    return error_of(CodeForm({"code": request.POST[CODE]}, user=request.user))


def check_passkey(request: Request) -> str | None:
    fields = {"credential": request.POST[PASSKEY]}
    return error_of(PasskeyForm(fields, user=request.user))


def error_of(form: Any) -> str | None:
    """Return the first error of a form of the library; its factor was used if none."""
    if form.is_valid():
        form.save()
        return None
    return next(str(error) for errors in form.errors.values() for error in errors)


def refusal_of(request: HttpRequest | None) -> ValidationError:
    """Say why a sign-in was refused, without telling whether the name exists."""
    locked: lockout.Locked | None = getattr(request, "locked", None)
    if locked is not None:
        return ValidationError(locked.sentence, "locked")
    wrong = ValidationError("The user name or password is wrong.", "wrong")
    refused: ValidationError = getattr(request, "refused_because", wrong)
    return refused


def remember_proof(request: Request) -> None:
    session: BrowserSession = request.sign_in
    session.proved_at = timezone.now()
    session.save(update_fields=["proved_at"])


def ask_for_proof(request: Request, error: str, purpose: str) -> HttpResponse:
    ways = ways_of(request.user)
    context = {
        "error": error,
        "purpose": purpose,
        "kept": pending_fields(request),
        "name": PASSWORD,
        "code_name": CODE,
        "passkey_name": PASSKEY,
        "question": proof_question(request) if ways.passkey else None,
        "ways": ways,
        "stash": save_pending(request) if ways.provider else "",
    }
    # 403 only for REST and htmx; a browser shows the page either way.
    response = render(request, "accounts/reauthenticate.html", context)
    if request.htmx:
        response["HX-Retarget"] = "body"
        response["HX-Reswap"] = "innerHTML"
    return response


def proof_question(request: Request) -> dict[str, Any] | None:
    """Return what a passkey is to sign; None where no browser would ask for it."""
    if request.htmx or passkeys.why_unusable(request):
        return None
    return passkeys.passkey_question(request.user)


def save_pending(request: Request) -> str:
    """Keep what goes on when the browser is back from the provider; return its id."""
    number = secrets.token_urlsafe(9)
    proofs = dict(list(request.session.get(KEY, {}).items())[1 - MOST_PROOFS :])
    fields = pending_fields(request) if request.method == "POST" else None
    proofs[number] = {"url": request.get_full_path(), "fields": fields}
    request.session[KEY] = proofs
    return number


def pending_fields(request: Request) -> list[tuple[str, str]]:
    if request.method != "POST":
        return [(OPENED, "1")]
    return [
        (name, value)
        for name, values in request.POST.lists()
        if "password" not in name and name not in ("csrfmiddlewaretoken", *TYPED)
        for value in values
    ]
