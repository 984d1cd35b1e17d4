"""What the console decides where django-allauth asks: who may sign in, what follows.

Sign-in begins in `pre_login`, whatever the way, may stop for a second factor, and ends
in `login`. What must reach the end is kept in the session under BEGUN.
"""

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe

from accounts import audit, proxy_header, reauthentication, web_providers
from accounts.backends import PROXY_BACKEND
from accounts.factor_secrets import SEALED_FOR
from accounts.secrets import seal_secret, unseal_secret

# A sign-in that may still wait for its second factor: its backend and password.
SIGN_IN_STARTED = "sign_in_begun"
# No address is known, as behind a proxy that names none (RFC 4291, 2.5.2).
UNKNOWN_ADDRESS = "::"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Passwords, sign-in and sign-out."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """Pages answer HTML; a script only asks for what a passkey is to sign."""
        is_requested: bool = super().is_ajax(request)
        match = request.resolver_match
        return (
            is_requested
            and match is not None
            and match.url_name == "mfa_login_webauthn"
        )

    def is_safe_url(self, url: str) -> bool:
        """Only this host, whatever other names the console has."""
        request = self.request
        return url_has_allowed_host_and_scheme(
            url, {request.get_host()}, require_https=request.is_secure()
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        return audit.plain_address(request.META.get("REMOTE_ADDR")) or UNKNOWN_ADDRESS

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Leave counting to accounts.backends.LockoutBackend, which stands first."""

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        raise reauthentication.refusal_of(request)

    def pre_login(
        self, request: HttpRequest, user: User, **kwargs: Any
    ) -> HttpResponse | None:
        """Keep what the end of the sign-in checks again, under a key of its own."""
        request.session.cycle_key()
        request.session[SIGN_IN_STARTED] = {
            "user": user.pk,
            "hash": user.get_session_auth_hash(),
            "backend": getattr(user, "backend", ""),
            "proxy_subject": proxy_header.subject_in(request),
        }
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, unless the account changed while it waited for the second factor."""
        started = request.session.pop(SIGN_IN_STARTED, {})
        same = started.get("user") == user.pk and constant_time_compare(
            started.get("hash", ""), user.get_session_auth_hash()
        )
        if started.get("backend") == PROXY_BACKEND:
            # The proxy may name somebody else by the time of the second factor.
            subject = proxy_header.subject_in(request)
            same = same and subject != "" and subject == started["proxy_subject"]
        if not same or not user.is_active:
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        # What a stranger began is forgotten sooner; see accounts.views.signin.
        request.session.set_expiry(0)
        if started["backend"] in settings.AUTHENTICATION_BACKENDS:
            user.backend = started["backend"]
        super().login(request, user)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        messages.error(request, "This account may not sign in. Ask an administrator.")
        return redirect("account_login")

    def get_login_stages(self) -> list[str]:
        return ["accounts.stages.SecondFactorStage"]

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        backend = request.session.get(BACKEND_SESSION_KEY, "")
        if backend == PROXY_BACKEND:
            return reverse("account_login") + "?left=proxy"
        through = web_providers.provider_behind(backend)
        return reverse("account_login") + (f"?left={through.kind}" if through else "")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:sessions")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not reauthentication.is_recent(self.request)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """None of the library's pages: they keep what was sent in the session."""
        return []

    def send_mail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("Signing in sends no mail.")


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: their secrets at rest, and how they show."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "The code is wrong or was used already."
        " Wait for the next one.",
        "wrong_passkey": "The passkey was not accepted. Try again.",
        "too_many_passkeys": "You have as many passkeys as an account may have."
        " Remove one first.",
        "account_elsewhere": "Your account is kept by a directory or an identity"
        " provider: sign in there. A passkey is your second factor only.",
    }

    def encrypt(self, text: str) -> str:
        return seal_secret(text, SEALED_FOR)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal_secret(encrypted_text, SEALED_FOR).reveal()

    def build_totp_svg(self, url: str) -> str:
        from qrcode import make  # no process needs it but for this page
        from qrcode.image.svg import SvgPathFillImage

        drawing = make(url, image_factory=SvgPathFillImage)
        svg: str = drawing.to_string(encoding="unicode")
        return mark_safe(svg)  # noqa: S308 - numbers and the library's own attributes

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return f"Passkey {number}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": app_settings.TOTP_ISSUER}

    def _get_user_identifier(self, user: User) -> str:
        """People sign in by name, not by mail address."""
        return user.get_username()
