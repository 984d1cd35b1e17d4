"""Guards around every page."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts import (
    audit,
    cluster_limits,
    proxy_header,
    rights,
    second_factor,
    sessions,
)

# Views that belong to libraries and guard themselves, by module.
SELF_GUARDED = ("django.contrib.auth", "django.contrib.staticfiles")
LOST = "Your session has ended. Nothing was saved; enter it again after signing in."

GetResponse = Callable[[HttpRequest], HttpResponse]


class ClientAddressMiddleware:
    """Take the sender's address from the proxies that the settings count.

    Who really sent the request stays in `peer_address`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.peer_address = request.META.get("REMOTE_ADDR", "")  # type: ignore[attr-defined]
        if settings.PROXIES:
            # Only what our own proxies wrote counts; more to the left is hearsay.
            forwarded = request.headers.get("X-Forwarded-For", "").split(",")
            given = (
                forwarded[-settings.PROXIES]
                if len(forwarded) >= settings.PROXIES
                else ""
            )
            request.META["REMOTE_ADDR"] = audit.plain_address(given.strip()) or ""
        return self.get_response(request)


class DeclaredAccessMiddleware:
    """Refuse any view that declares no access, so that none can forget it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        declared = hasattr(view, "access") or hasattr(
            getattr(view, "cls", getattr(view, "view_class", None)), "access"
        )
        if not declared and not view.__module__.startswith(SELF_GUARDED):
            raise PermissionDenied("This page declares no access.")


class SignInMiddleware(LoginRequiredMiddleware):
    """Lead to the sign-in; where something was sent, say that it is lost."""

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        messages.warning(request, LOST, extra_tags="lost")
        # Not the address of the form: that may take nothing but what a form sends.
        return redirect_to_login(page_before(request), self.get_login_url(view_func))


def page_before(request: HttpRequest) -> str:
    """Return the page from which something was sent, if it is one of ours."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc != request.get_host():
        return "/"
    return came_from._replace(scheme="", netloc="", fragment="").geturl() or "/"


class SessionMiddleware:
    """End a session that was idle for too long, is too old, or was ended elsewhere.

    Polls of a page that somebody left open are marked by our script; they keep no
    session alive, since there is no person behind them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        row = sessions.current_session(request)
        if row is not None and request.user.is_authenticated:
            request.sign_in = row  # type: ignore[attr-defined]
            if "HX-Poll" not in request.headers:
                sessions.touch_session(row)
        elif request.user.is_authenticated:
            sessions.end_session(request)
        return self.get_response(request)


class ProxyHeaderMiddleware:
    """End a session whose person the proxy in front names no longer.

    It signs in nobody: that is the sign-in page's, so that a second factor follows.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        row, proxy = getattr(request, "sign_in", None), settings.PROXY_HEADER
        if proxy and row and not proxy_header.may_go_on(request, row.user):
            sessions.end_by_proxy(request, row, proxy.name)
        return self.get_response(request)


class ScopeMiddleware:
    """Limit every query of the request to the clusters of whoever asks.

    REST takes the limit of a token when it recognizes one; until then, and where
    nobody is signed in, there is nothing to see.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        row = getattr(request, "sign_in", None)
        limit = (
            cluster_limits.limit_of(row.user)
            if row is not None
            else cluster_limits.NOTHING
        )
        with cluster_limits.limited_to(limit), rights.using_token(None):
            response = self.get_response(request)
            limit = cluster_limits.current_limit()
        return streamed_within(limit, response)


def streamed_within(limit: cluster_limits.Limit | None, response: Any) -> HttpResponse:
    """A streamed body asks the database when its view has returned long ago."""
    if response.streaming:
        response.streaming_content = cluster_limits.keep_limit(
            response.streaming_content, limit
        )
    answer: HttpResponse = response
    return answer


class SecondFactorMiddleware:
    """Lead a person whose role needs a second factor to set one up, before all else.

    REST tells the same by its own authentication.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        open_view = not getattr(view, "login_required", True)
        if open_view or getattr(view, "before_second_factor", False):
            return None
        user = request.user
        if isinstance(user, User) and second_factor.is_missing(user, request):
            return redirect("mfa_index")
        return None


class NoStoreMiddleware:
    """Keep what only a signed-in person may see out of every cache."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
