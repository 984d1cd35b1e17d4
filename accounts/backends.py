"""The gate before every way of checking a password."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import audit, lockout

# The backend that a sign-in through each kind of provider goes by.
PROVIDER_BACKENDS = {
    "oidc": "accounts.backends.ProviderBackend",
    "saml": "accounts.backends.SamlBackend",
}


# The one that a sign-in by the header of a proxy goes by.
PROXY_BACKEND = "accounts.backends.ProxyBackend"


class LockoutBackend:
    """Stands first: refuses beyond the limit, else leaves the check to the others.

    It knows no users, so it has no `get_user` and is never taken for their backend.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, **kwargs: Any
    ) -> None:
        if username is None:
            return
        try:
            lockout.reserve_attempt(username, address_of(request))
        except lockout.Locked as locked:
            if request is not None:
                request.locked = locked  # type: ignore[attr-defined]
            if locked.first:
                audit.append_entry(audit.unknown_actor(request), "lock sign-in")
            raise PermissionDenied from locked


class ProviderBackend(ModelBackend):
    """Stands for a sign-in that the identity provider vouched for.

    Passwords mean nothing to it. Without a provider it is not in the settings, and
    sessions that began through it are over.
    """

    def authenticate(self, *args: Any, **kwargs: Any) -> None:
        return None


class SamlBackend(ProviderBackend):
    """The same for a SAML provider: each goes by its own settings."""


class ProxyBackend(ProviderBackend):
    """The same for a proxy that names people in a header."""


def address_of(request: HttpRequest | None) -> str:
    return request.META.get("REMOTE_ADDR", "") if request is not None else ""
