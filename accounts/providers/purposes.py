"""What an answer of a provider is for: signing in, a fresh proof, or a connection."""

import time
from collections.abc import Callable
from typing import Any

from allauth.socialaccount.models import SocialLogin
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from accounts import audit, identities, reauthentication, web_providers
from accounts.backends import PROVIDER_BACKENDS
from accounts.identities import SignInRefused

# How far, in seconds, the clocks of provider and console may differ.
LEEWAY = 60

Purpose = Callable[[HttpRequest, SocialLogin, dict[str, Any]], HttpResponse | None]


def sign_in(
    request: HttpRequest, login: SocialLogin, purpose_data: dict[str, Any]
) -> None:
    """Give the library the account that it is to sign in."""
    provider = web_providers.configured_providers()[login.person.kind]
    actor = audit.Actor(
        address=request.META.get("REMOTE_ADDR") or None,
        request_id=getattr(request, "request_id", ""),
        name=provider.name,
    )
    login.user = identities.admit_person(login.person, provider.config.admission, actor)
    login.user.backend = PROVIDER_BACKENDS[login.person.kind]


def finish_proof(
    request: HttpRequest, login: SocialLogin, purpose_data: dict[str, Any]
) -> HttpResponse:
    user = signed_in_user(request)
    name = web_providers.configured_providers()[login.person.kind].name
    identity = identities.of_person(login.person)
    if identity is None or identity.user_id != user.pk:
        raise SignInRefused(
            f"You came back as somebody else than {user}.", "somebody_else"
        )
    if not is_fresh(login.authenticated_at, purpose_data["at"]):
        raise SignInRefused(
            f"{name} did not ask you again, or does not say when."
            " Nothing is confirmed.",
            "not_fresh",
        )
    reauthentication.remember_proof(request)  # type: ignore[arg-type]
    audit.append_entry(audit.actor_of(request), "prove identity")
    return go_on(request, purpose_data["stash"])


def go_on(request: HttpRequest, number: str) -> HttpResponse:
    """Lead on to what the proof was asked for."""
    stashed = request.session.get(reauthentication.KEY, {}).get(number)
    if stashed is not None and stashed["fields"] is not None:
        request.session["go_on"] = number
        return redirect("accounts:go_on")
    return HttpResponseRedirect(stashed["url"] if stashed else "/")


def finish_connection(
    request: HttpRequest, login: SocialLogin, purpose_data: dict[str, Any]
) -> HttpResponse:
    user = signed_in_user(request)
    identities.connect_identity(user, login.person, audit.actor_of(request))
    name = web_providers.configured_providers()[login.person.kind].name
    messages.success(request, f"You can sign in with {name} from now on.")
    return redirect("mfa_index")


BY_NAME: dict[str, Purpose] = {
    "sign-in": sign_in,
    "proof": finish_proof,
    "connect": finish_connection,
}


def signed_in_user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise SignInRefused(
            "Your session here ended meanwhile. Sign in again.", "session_ended"
        )
    return request.user


def is_fresh(authenticated_at: float | None, since: float) -> bool:
    """Whether the person typed something at the provider since we sent it there."""
    return authenticated_at is not None and authenticated_at >= since - LEEWAY


def kept_for(purpose: str, **more: Any) -> dict[str, Any]:
    """Return what comes back with the answer of the provider."""
    return {"purpose": purpose, "at": int(time.time()), **more}
