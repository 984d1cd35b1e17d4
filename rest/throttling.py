"""Politeness: so many requests a minute for each token or signed-in browser."""

import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    # REST views load the classes that the settings name, this module among them.
    from rest_framework.views import APIView

WINDOW = 60


class PerToken(BaseThrottle):
    """Counts in the cache, by process or for all, as the cache is set up."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        limit: int = settings.API_RATE
        if not limit:
            return True
        holder: Any = request.auth or request.user
        window = int(time.time()) // WINDOW
        key = f"rate:{type(holder).__name__}:{holder.pk}:{window}"
        cache.add(key, 0, 2 * WINDOW)
        try:
            return cache.incr(key) <= limit
        except ValueError:
            # The cache dropped the counter between the two calls.
            return True

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW
