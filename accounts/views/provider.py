"""To the identity provider and back: sign-in, sign-out, proof, connecting an account.

The ways there are links, not forms: our policy for forms allows no other host, and
browsers hold redirects after a form to it.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit, identities, reauthentication
from accounts.access import Role, access, before_second_factor, open_to_all
from accounts.http import Request
from accounts.identities import SignInRefused
from accounts.models import Identity
from accounts.reauthentication import recent_proof

OIDC = Identity.Provider.OIDC.value


def leave_for_provider(
    request: HttpRequest,
    purpose: str,
    otherwise: str,
    kind: str = OIDC,
    **purpose_data: Any,
) -> HttpResponse:
    """Send the browser to the provider, or back with the reason why not."""
    from allauth.socialaccount.adapter import get_adapter

    from accounts.providers.purposes import kept_for

    next_url = purpose_data.pop("next_url", None)
    try:
        provider = get_adapter().get_provider(request, kind)
        response: HttpResponse = provider.redirect(
            request,
            "login",
            next_url,
            kept_for(purpose, **purpose_data),
            again=purpose == "proof",
        )
    except SignInRefused as refused:
        messages.error(request, str(refused), extra_tags=refused.code)
        return redirect(otherwise)
    return response


@open_to_all
@never_cache
@require_safe
def sign_in(request: HttpRequest, kind: str = OIDC) -> HttpResponse:
    url = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
    to = url if ours else "/"
    return leave_for_provider(request, "sign-in", "account_login", kind, next_url=to)


@open_to_all
@never_cache
@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer and go on with what it was asked for."""
    from accounts.providers import oidc

    try:
        return oidc.come_back(request)
    except SignInRefused as refused:
        return refuse_sign_in(request, refused)


def refuse_sign_in(request: HttpRequest, refused: SignInRefused) -> HttpResponse:
    actor = audit.actor_of(request)
    audit.record_once_a_minute(actor, "refuse sign-in", str(refused))
    messages.error(request, str(refused), extra_tags=refused.code)
    inside = request.user.is_authenticated
    return redirect("mfa_index" if inside else "account_login")


@before_second_factor
@access(get=Role.VIEWER)
def prove_by_provider(request: Request, kind: str = OIDC) -> HttpResponse:
    """Go to the provider for a fresh sign-in there."""
    stash = request.GET.get("of", "")
    return leave_for_provider(request, "proof", "home", kind, stash=stash)


@before_second_factor
@access(get=Role.VIEWER)
def go_on(request: Request) -> HttpResponse:
    """Show again, to be sent, what was posted before the proof."""
    number = request.session.pop("go_on", "")
    proofs = request.session.get(reauthentication.KEY, {})
    stashed = proofs.pop(number, None)
    if stashed is None:
        messages.info(request, "There is nothing left to go on with.")
        return redirect("home")
    request.session[reauthentication.KEY] = proofs
    return render(request, "accounts/resume.html", stashed)


@access(get=Role.VIEWER)
def connect_provider(request: Request, kind: str = OIDC) -> HttpResponse:
    if not reauthentication.is_recent(request):
        return redirect("accounts:prove_to_connect")
    return leave_for_provider(request, "connect", "mfa_index", kind)


@access(get=Role.VIEWER, post=Role.VIEWER)
@recent_proof("connect an account")
def prove_to_connect(request: Request) -> HttpResponse:
    """Ask for the proof apart: after its form the browser may not leave our host."""
    messages.success(request, "It is confirmed that it is you. Choose Connect now.")
    return redirect("mfa_index")


@access(post=Role.VIEWER)
@recent_proof("disconnect your account")
def disconnect_provider(request: Request, kind: str = OIDC) -> HttpResponse:
    actor = audit.actor_of(request)
    if identities.disconnect_identity(request.user, kind, actor):
        messages.success(request, "Your account is disconnected.")
    else:
        messages.error(request, "There is no password to sign in with instead.")
    return redirect("mfa_index")


@open_to_all
@never_cache
@require_safe
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session at the provider; the one here has ended before."""
    from accounts.providers import oidc

    if settings.OIDC is None:
        return redirect("account_login")
    try:
        url = oidc.sign_out_url(request)
    except SignInRefused as refused:
        messages.error(request, str(refused), extra_tags=refused.code)
        return redirect("account_login")
    if not url:
        messages.info(request, f"{settings.OIDC.name} has no page for signing out.")
    return HttpResponseRedirect(url) if url else redirect("account_login")
