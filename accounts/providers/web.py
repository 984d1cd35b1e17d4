"""Calls to an identity provider: over TLS, bounded, and not again at once."""

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import requests

T = TypeVar("T")

# Seconds to connect and for each silence; for a whole answer; its most bytes.
REQUEST_TIMEOUT = (3.0, 5.0)
DEADLINE = 10.0
MOST_BYTES = 1_000_000
# Anybody may ask for a sign-in; while the provider is down that must hold no threads.
PAUSE = 10.0
# How long what a provider publishes about itself is good.
PUBLISHED_SECONDS = 3600.0


class ProviderError(Exception):
    """The provider refused, in its own words."""


class Bounded(requests.adapters.HTTPAdapter):
    """Reads an answer within a deadline and a size."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        until = time.monotonic() + DEADLINE
        response = super().send(
            *args, **kwargs | {"stream": True, "timeout": REQUEST_TIMEOUT}
        )
        body = b""
        while part := response.raw.read1(65_536, decode_content=True):
            body += part
            if len(body) > MOST_BYTES or time.monotonic() > until:
                response.close()
                raise requests.ConnectionError("The answer is too long or too slow.")
        response._content = body
        return response


class ProviderSession(requests.Session):
    """Follows no redirect and takes nothing from the environment."""

    def __init__(self, ca_file: str, proxy: str) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = ca_file or True
        self.proxies = {"https": proxy} if proxy else {}
        self.mount("https://", Bounded())
        self.mount("http://", Bounded())
        self.hooks["response"].append(raise_provider_error)

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().request(*args, **kwargs | {"allow_redirects": False})


def raise_provider_error(
    response: requests.Response, *args: Any, **kwargs: Any
) -> None:
    """Raise the error of an OAuth answer (RFC 6749, 5.2), which tells an administrator
    more than its status."""
    if response.status_code < 400:
        return
    try:
        body = response.json()
    except ValueError:
        return
    if isinstance(body, dict) and "error" in body:
        raise ProviderError(str(body.get("error_description") or body["error"]))


class Published(Generic[T]):
    """What a provider publishes about itself, asked for when it is needed."""

    def __init__(self, load: Callable[[], T]) -> None:
        self.load = load
        self.held: T | None = None
        self.good_until = self.rests_until = 0.0

    def get(self) -> T:
        """Return it, as of the last hour.

        Raises:
            Exception: whatever asking for it raises, or that it failed a moment ago.
        """
        now = time.monotonic()
        if self.held is not None and now < self.good_until:
            return self.held
        if now < self.rests_until:
            raise requests.ConnectionError("It failed a moment ago.")
        self.rests_until = now + PAUSE
        self.held = self.load()
        self.good_until, self.rests_until = now + PUBLISHED_SECONDS, 0.0
        return self.held
