"""How a REST request proves who sends it."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.request import Request

from accounts import lockout, scope, second_factor
from accounts.models import ApiToken

# A use is written down at most this often.
USED_EVERY = timedelta(minutes=1)
SECOND_FACTOR_NEEDED = (
    "This account needs its second factor: create the token on the page API tokens."
)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = ApiToken.find(text.decode("latin-1").strip())
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        if not token.admits(request.META.get("REMOTE_ADDR", "")):
            raise AuthenticationFailed("This token is not allowed from your address.")
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        scope.narrow(token.limit)
        return token.user, token

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
        if second_factor.of(user) or second_factor.is_missing(user):
            raise AuthenticationFailed(SECOND_FACTOR_NEEDED)
        lockout.forgive(userid, request.META.get("REMOTE_ADDR", ""))
        scope.narrow(scope.limit_of(user))
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
