"""The answer of a SAML provider, and what it wants to know of the console.

The answer is a form that another site sends, so the browser leaves our session cookie
out. It is checked, kept for a moment under a cookie of its own, and taken in a request
of our own site.
"""

from allauth.socialaccount.sessions import LoginSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.access import open_to_all
from accounts.identities import SignInRefused
from accounts.views.provider import refuse_sign_in

COOKIE = "cupadmin-saml"
# How long, in seconds, an answer is kept for the next request.
SECONDS = 60


@open_to_all
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receive_answer(request: HttpRequest) -> HttpResponse:
    """Check an answer and keep it for `finish`; nothing here touches the session."""
    if request.method != "POST" or settings.SAML is None:
        return redirect("account_login")
    from accounts.providers import saml

    encoded = request.POST.get("SAMLResponse", "")
    try:
        saml.SamlAnswer(request, encoded)
    except SignInRefused as refused:
        return refuse_answer(request, refused)
    response = redirect("accounts:saml_return")
    pending = LoginSession(request, "saml_answer", COOKIE)
    pending.store.set_expiry(SECONDS)
    pending.store["answer"] = encoded
    pending.save(response)
    response.cookies[COOKIE]["httponly"] = True
    return response


def refuse_answer(request: HttpRequest, refused: SignInRefused) -> HttpResponse:
    actor = audit.unknown_actor(request)
    audit.record_once_a_minute(actor, "refuse sign-in", str(refused))
    context = {
        "title": "Not signed in",
        "sentence": str(refused),
        "code": refused.code,
    }
    return render(request, "error.html", context, status=400)


@open_to_all
@never_cache
@require_safe
def finish_sign_in(request: HttpRequest) -> HttpResponse:
    """Take the kept answer, once, and go on with what it was asked for."""
    if settings.SAML is None:
        return redirect("account_login")
    from accounts.providers import saml

    pending = LoginSession(request, "saml_answer", COOKIE)
    encoded = pending.store.get("answer", "")
    pending.delete()
    try:
        if not encoded:
            raise SignInRefused(
                "No response of the provider is waiting here. Sign in again.",
                "no_response",
            )
        return saml.come_back(request, encoded)
    except SignInRefused as refused:
        return refuse_sign_in(request, refused)


@open_to_all
@never_cache
@require_safe
def show_metadata(request: HttpRequest) -> HttpResponse:
    if settings.SAML is None:
        return redirect("account_login")
    from accounts.providers import saml

    return HttpResponse(saml.own_metadata(request), "application/samlmetadata+xml")
