"""The time zone in which a person reads times; the console's own where none is chosen.

It is kept with the person, and with each session, so that no page asks for it.
"""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Preference

KEY = "time_zone"


@cache
def zone_names() -> list[str]:
    return sorted(available_timezones())


def zone_of(name: str) -> ZoneInfo | None:
    return ZoneInfo(name) if name in zone_names() else None


def set_session_zone(request: HttpRequest, user: User) -> None:
    """Let a new session know the zone of its person."""
    kept = Preference.objects.filter(user=user).first()
    if kept is not None:
        request.session[KEY] = kept.time_zone


def save_zone(request: HttpRequest, user: User, name: str) -> None:
    """Keep the zone of a person; empty for the console's own."""
    Preference.objects.update_or_create(user=user, defaults={"time_zone": name})
    request.session[KEY] = name


class TimeZoneMiddleware:
    """Shows and reads times in the zone of the person; REST speaks UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = zone_of(request.session.get(KEY, ""))
        if zone is None or request.path.startswith("/api/"):
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)
