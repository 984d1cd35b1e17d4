"""What django-allauth's social accounts ask of the console.

A sign-in, a proof or a connection goes to the provider and back through the library.
`pre_social_login` is where an answer that holds is used; nothing else of the library's
sign-up, linking or matching by mail address is reached.
"""

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import Provider
from django.http import HttpRequest

from accounts import web_providers
from accounts.identities import SignInRefused
from accounts.models import Identity
from accounts.providers import oidc, purposes, web
from accounts.providers.answers import NOT_OURS, refusal_of_error
from accounts.providers.web import ProviderError


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Providers come from the settings; accounts and roles are made by us."""

    def list_apps(self, request: HttpRequest, **kwargs: Any) -> list[SocialApp]:
        known = web_providers.configured_providers()
        return [self.get_provider(request, kind).app for kind in known]

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Provider:
        if provider.partition(":")[0] == Identity.Provider.SAML:
            # An extra: its library may not be there.
            from accounts.providers import saml

            return saml.provider_for(request)
        return oidc.OidcProvider(request, app=oidc.app_of(oidc.oidc_settings()))

    def get_requests_session(self) -> web.ProviderSession:
        return oidc.session_for(oidc.oidc_settings())

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        data = sociallogin.state.get("data") or {}
        purpose = purposes.BY_NAME[data.get("purpose", "sign-in")]
        response = purpose(request, sociallogin, data)
        if response is not None:
            raise ImmediateHttpResponse(response)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Provider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Raise the sentence; the view that began this shows it."""
        if exception is not None:
            raise refusal_of_error(provider.name, exception)
        if (extra_context or {}).get("state"):
            reason = request.GET.get("error_description") or request.GET.get("error")
            raise refusal_of_error(
                provider.name, ProviderError(reason or "no reason given")
            )
        raise SignInRefused(NOT_OURS, "not_ours")

    def is_open_for_signup(self, *args: Any) -> bool:
        return False

    def authenticate_by_email(self, login: SocialLogin) -> None:
        """Nobody is who they are by an address of mail."""

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        return False

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("Signing in sends no mail.")
