"""How a REST request proves who sends it."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.request import Request

from accounts import cluster_limits, lockout, rights, second_factor
from accounts.models import ApiToken

# A use is written down at most this often.
USED_EVERY = timedelta(minutes=1)
SECOND_FACTOR_NEEDED = (
    "This account needs its second factor: create the token on the page API tokens."
)


def token_of(request: HttpRequest) -> ApiToken | None:
    """Return the token that a request bears, and narrow what follows to its clusters.

    The one way to recognize a token, whatever the address it is sent to.

    Raises:
        AuthenticationFailed: it is unknown, over, or not allowed from this address.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = ApiToken.find(text.strip())
    if token is None:
        raise AuthenticationFailed("This token is unknown, expired or revoked.")
    if not token.admits(request.META.get("REMOTE_ADDR", "")):
        raise AuthenticationFailed("This token is not allowed from your address.")
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    cluster_limits.narrow_limit(token.limit)
    rights.note_token(token.pk)
    return token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        token = token_of(request._request)
        return (token.user, token) if token is not None else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BrowserAuthentication(SessionAuthentication):
    """The session of a signed-in browser, with CSRF protection."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found is not None and second_factor.is_missing(found[0], request._request):
            raise PermissionDenied("Set up your second factor on the pages first.")
        return found


class PasswordAuthentication(BasicAuthentication):
    """HTTP Basic, only where a script asks for its first token."""

    www_authenticate_realm = "cupadmin"

    def authenticate_credentials(
        self, userid: str, password: str, request: Any = None
    ) -> tuple[Any, None]:
        user = authenticate(request, username=userid, password=password)
        if not isinstance(user, User):
            locked: lockout.Locked | None = getattr(request, "locked", None)
            if locked is not None:
                raise Throttled(locked.seconds, "Too many attempts to sign in.")
            raise AuthenticationFailed("The user name or password is wrong.")
        # Not forgiven: a right password must not give its holder more attempts.
        if second_factor.is_set_up(user) or second_factor.is_missing(user):
            raise AuthenticationFailed(SECOND_FACTOR_NEEDED)
        lockout.forgive_attempt(userid, request.META.get("REMOTE_ADDR", ""))
        cluster_limits.narrow_limit(cluster_limits.limit_of(user))
        return user, None


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe the token in the OpenAPI schema."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class PasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe HTTP Basic in the OpenAPI schema."""

    target_class = PasswordAuthentication
    name = "password"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "basic"}


class BrowserScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe the session cookie in the OpenAPI schema."""

    target_class = BrowserAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
