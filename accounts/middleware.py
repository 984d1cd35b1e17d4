"""Guards around every page."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

# Views that belong to libraries and guard themselves, by module.
SELF_GUARDED = ("django.contrib.auth", "django.contrib.staticfiles")

GetResponse = Callable[[HttpRequest], HttpResponse]


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


class SessionAgeMiddleware:
    """End a session that was idle for too long; Django's own age is the absolute one.

    Polls of a page that somebody left open carry HX-Trigger without a person behind
    them, so only requests that are not polls count as activity.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.session.session_key:
            now = int(time.time())
            seen = request.session.setdefault("seen", now)
            if now - seen > settings.SESSION_IDLE_MINUTES * 60:
                logout(request)
            elif now - seen > 60 and "HX-Poll" not in request.headers:
                request.session["seen"] = now
        return self.get_response(request)


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
