"""Addresses of the console, as they are registered at the provider."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def own_url(request: HttpRequest, name: str) -> str:
    if settings.CONSOLE_URL:
        return settings.CONSOLE_URL.rstrip("/") + reverse(name)
    return request.build_absolute_uri(reverse(name))
