"""Sign-in by the header of a proxy in front, and connecting an account with it."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit, identities, proxy_header
from accounts.access import Role, access, open_to_all
from accounts.backends import PROXY_BACKEND
from accounts.http import Request
from accounts.identities import SignInRefused
from accounts.reauthentication import recent_proof

# The sign-in page that leads on to nobody, so that a refusal can be read there.
FORM_ONLY = "form"


@open_to_all
@never_cache
@require_safe
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in whom the proxy names; without a name the sign-in page is the way."""
    url = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
    to = url if ours else "/"
    # A session that the proxy's name fits goes on: a new one would be a fresh proof.
    if request.user.is_authenticated:
        return redirect(to)
    if not proxy_header.is_named(request):
        return redirect("account_login")
    try:
        return admit_named(request, to)
    except SignInRefused as refused:
        actor = audit.unknown_actor(request)
        audit.record_once_a_minute(actor, "refuse sign-in", str(refused))
        messages.error(request, str(refused), extra_tags=refused.code)
        return redirect(f"{reverse('account_login')}?{FORM_ONLY}")


def admit_named(request: HttpRequest, to: str) -> HttpResponse:
    """Begin the session of whom the proxy names, after the second factor if any.

    Raises:
        SignInRefused: that is no name, or nobody who may come in.
    """
    person, proxy = proxy_header.person_in(request), proxy_header.proxy_settings()
    actor = audit.Actor(
        address=request.META.get("REMOTE_ADDR") or None,
        request_id=getattr(request, "request_id", ""),
        name=proxy.name,
    )
    user = identities.admit_person(person, proxy.admission, actor)
    user.backend = PROXY_BACKEND
    response: HttpResponse = perform_login(request, user, redirect_url=to)
    return response


@access(post=Role.VIEWER)
@recent_proof("connect an account")
def connect_named(request: Request) -> HttpResponse:
    """Let whom the proxy names now sign in to this account."""
    try:
        person = proxy_header.person_in(request)
        identities.connect_identity(request.user, person, audit.actor_of(request))
    except SignInRefused as refused:
        messages.error(request, str(refused), extra_tags=refused.code)
    else:
        name = proxy_header.proxy_settings().name
        messages.success(request, f"You can sign in with {name} from now on.")
    return redirect("mfa_index")
