"""To the identity provider and back: sign-in, sign-out, proof, connecting an account.

The ways there are links, not forms: our policy for forms allows no other host, and
browsers hold redirects after a form to it.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit, identities, oidc, proof
from accounts.access import Role, access, open_to_all
from accounts.backends import PROVIDER_BACKEND
from accounts.http import Request
from accounts.identities import Person, Refused
from accounts.models import Identity
from accounts.proof import recent_proof
from accounts.second_step import enter
from accounts.views.second_factor import before_second_factor


def leave(request: HttpRequest, otherwise: str, **kept: Any) -> HttpResponse:
    """Send the browser to the provider, or back with the reason why not."""
    try:
        return HttpResponseRedirect(oidc.begin(request, **kept))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(otherwise)


@open_to_all
@never_cache
@require_safe
def sign_in(request: HttpRequest) -> HttpResponse:
    url = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
    return leave(request, "accounts:login", purpose="sign-in", to=url if ours else "/")


@open_to_all
@never_cache
@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer and go on with what it was asked for."""
    try:
        person, claims, kept = oidc.complete(request)
        if kept["purpose"] == "sign-in":
            return signed_in(request, person, kept["to"])
        if not request.user.is_authenticated:
            raise Refused("Your session here ended meanwhile. Sign in again.")
        if kept["purpose"] == "proof":
            return proved(request, person, claims, kept)  # type: ignore[arg-type]
        return connected(request, person)  # type: ignore[arg-type]
    except Refused as refused:
        audit.record(
            audit.actor_of(request), "refuse sign-in", label=str(refused)[:255]
        )
        messages.error(request, str(refused))
        inside = request.user.is_authenticated
        return redirect("accounts:second_factor" if inside else "accounts:login")


def signed_in(request: HttpRequest, person: Person, url: str) -> HttpResponse:
    actor = audit.Actor(
        address=request.META.get("REMOTE_ADDR") or None,
        request_id=getattr(request, "request_id", ""),
        name=oidc.configured().name,
    )
    user = identities.admit(person, oidc.configured().admission, actor)
    user.backend = PROVIDER_BACKEND
    return enter(request, user, url)


def proved(
    request: Request, person: Person, claims: dict[str, Any], kept: dict[str, Any]
) -> HttpResponse:
    identity = identities.of_person(person)
    if identity is None or identity.user_id != request.user.pk:
        raise Refused(f"You came back as somebody else than {request.user}.")
    if not oidc.is_fresh(claims, kept):
        raise Refused(
            f"{oidc.configured().name} did not ask you again, or does not say when"
            " (auth_time). Nothing is confirmed."
        )
    proof.remember(request)
    audit.record(audit.actor_of(request), "prove identity")
    stashed = request.session.get(proof.KEY, {}).get(kept["stash"])
    if stashed is not None and stashed["fields"] is not None:
        request.session["go_on"] = kept["stash"]
        return redirect("accounts:go_on")
    return HttpResponseRedirect(stashed["url"] if stashed else "/")


def connected(request: Request, person: Person) -> HttpResponse:
    identities.connect(request.user, person, audit.actor_of(request))
    messages.success(
        request, f"You can sign in with {oidc.configured().name} from now on."
    )
    return redirect("accounts:second_factor")


@before_second_factor
@access(get=Role.VIEWER)
def prove(request: Request) -> HttpResponse:
    """Go to the provider for a fresh sign-in there."""
    stash = request.GET.get("of", "")
    return leave(request, "home", purpose="proof", stash=stash)


@before_second_factor
@access(get=Role.VIEWER)
def go_on(request: Request) -> HttpResponse:
    """Show again, to be sent, what was posted before the proof."""
    number = request.session.pop("go_on", "")
    proofs = request.session.get(proof.KEY, {})
    stashed = proofs.pop(number, None)
    if stashed is None:
        messages.info(request, "There is nothing left to go on with.")
        return redirect("home")
    request.session[proof.KEY] = proofs
    return render(request, "accounts/go_on.html", stashed)


@access(get=Role.VIEWER)
def connect(request: Request) -> HttpResponse:
    if not proof.is_recent(request):
        return redirect("accounts:prove_to_connect")
    return leave(request, "accounts:second_factor", purpose="connect")


@access(get=Role.VIEWER, post=Role.VIEWER)
@recent_proof
def prove_to_connect(request: Request) -> HttpResponse:
    """Ask for the proof apart: after its form the browser may not leave our host."""
    messages.success(request, "It is confirmed that it is you. Choose Connect now.")
    return redirect("accounts:second_factor")


@access(post=Role.VIEWER)
@recent_proof
def disconnect(request: Request) -> HttpResponse:
    actor = audit.actor_of(request)
    if identities.disconnect(request.user, Identity.Provider.OIDC, actor):
        messages.success(request, "Your account is disconnected.")
    else:
        messages.error(request, "There is no password to sign in with instead.")
    return redirect("accounts:second_factor")


@open_to_all
@never_cache
@require_safe
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session at the provider; the one here has ended before."""
    try:
        url = oidc.sign_out_url(request)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("accounts:login")
    if not url:
        messages.info(request, f"{oidc.configured().name} has no page for signing out.")
    return HttpResponseRedirect(url) if url else redirect("accounts:login")
