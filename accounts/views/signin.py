"""Sign-in and sign-out."""

from typing import Any

from allauth.account.views import LoginView, LogoutView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.debug import sensitive_post_parameters

from accounts import passkeys, proxy_header, web_providers
from accounts.access import Role, access, before_second_factor, open_to_all
from accounts.views.proxy import FORM_ONLY


class SignIn(LoginView):  # type: ignore[misc]
    """Name and password; the second factor follows on a page of its own.

    Whom a proxy in front names is led on, unless that was refused, or the person has
    just signed out.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        stays = {"left", FORM_ONLY} & set(request.GET)
        if proxy_header.is_named(request) and not stays:
            query = urlencode({"next": request.GET.get("next", "")})
            return redirect(f"{reverse('accounts:proxy')}?{query}")
        answer: HttpResponse = super().get(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # After signing out here one is still signed in at the provider.
        providers = web_providers.configured_providers()
        proxy = settings.PROXY_HEADER
        known = {**providers, **({"proxy": proxy} if proxy else {})}
        left = known.get(self.request.GET.get("left", ""))
        context: dict[str, Any] = super().get_context_data(
            providers=providers.values(),
            left=left,
            proxy=proxy if proxy_header.is_named(self.request) else None,
            passkeys_unusable=passkeys.why_unusable(self.request),
            **kwargs,
        )
        return context

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: Any) -> None:
        """Let somebody begin again, perhaps under another name."""


class SecondStep(AuthenticateView):  # type: ignore[misc]
    """A code or a passkey of somebody whose password was right."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)
        waits = hasattr(request, "_login_stage")
        if not waits and not request.user.is_authenticated:
            messages.info(request, "Sign in first; the second factor follows.")
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["person"] = self.stage.login.user
        allowed = context["js_data"]["request_options"]["publicKey"]
        context["passkeys_unusable"] = passkeys.why_unusable(self.request)
        context["has_passkeys"] = bool(allowed.get("allowCredentials"))
        return context


class PasskeySignIn(LoginWebAuthnView):  # type: ignore[misc]
    """Says what a passkey is to sign, and takes the signature."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Anybody may ask, and each time the session table keeps a row.
        request.session.set_expiry(settings.ACCOUNT_LOGIN_TIMEOUT)
        answer: HttpResponse = super().get(request, *args, **kwargs)
        return answer


login = open_to_all(SignIn.as_view(template_name="accounts/login.html"))
second_step = open_to_all(
    sensitive_post_parameters("code", "credential")(
        SecondStep.as_view(template_name="accounts/login_challenge.html")
    )
)
passkey = open_to_all(PasskeySignIn.as_view())
logout = before_second_factor(access(post=Role.VIEWER)(LogoutView.as_view()))


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
