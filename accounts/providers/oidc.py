"""OpenID Connect on django-allauth, with what it leaves out.

The library keeps state and PKCE and walks the code flow. It sends no nonce, does not
check the signature of an ID token that it fetched itself, and takes the algorithm from
the token; here all of that is checked (OpenID Connect Core 1.0, 3.1.3.7).
"""

import hmac
import secrets
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jwt
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
)
from allauth.socialaccount.providers.openid_connect.views import (
    OpenIDConnectOAuth2Adapter,
)
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.identities import Person, SignInRefused, provider_key
from accounts.identity_settings import Oidc, is_safe
from accounts.models import Identity
from accounts.providers.answers import Unfit, Unproven, answers_of
from accounts.providers.links import own_url
from accounts.providers.persons import FromPerson, storable_text
from accounts.providers.web import ProviderSession, Published

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"]
# How far, in seconds, the clocks of provider and console may differ.
LEEWAY = 60
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
AGAIN = {"prompt": "login", "max_age": "0"}


def oidc_settings() -> Oidc:
    """Return the provider.

    Raises:
        Refused: there is none.
    """
    provider: Oidc | None = settings.OIDC
    if provider is None:
        raise SignInRefused(
            "No identity provider is set up for this console.", "no_provider"
        )
    return provider


def app_of(provider: Oidc) -> SocialApp:
    """Return the provider as the library keeps one; it is never stored."""
    return SocialApp(
        provider="openid_connect",
        provider_id=provider_key(Identity.Provider.OIDC, provider.issuer),
        name=provider.name,
        client_id=provider.client_id,
        secret=provider.client_secret,
        settings={
            "server_url": provider.issuer,
            "oauth_pkce_enabled": True,
            "scope": provider.scopes.split(),
        },
    )


@cache
def published_by(provider: Oidc) -> Published[dict[str, Any]]:
    return Published(lambda: discover_provider(provider))


def session_for(provider: Oidc) -> ProviderSession:
    return ProviderSession(provider.ca_file, provider.proxy)


def discover_provider(provider: Oidc) -> dict[str, Any]:
    """Ask the provider about itself and refuse what somebody else says for it."""
    with session_for(provider) as session:
        answer = session.get(f"{provider.issuer}/.well-known/openid-configuration")
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
    if str(document.get("issuer", "")).rstrip("/") != provider.issuer:
        raise Unfit(f"It calls itself {str(document.get('issuer'))[:200]}.")
    for name in ENDPOINTS:
        if not is_safe(str(document.get(name, ""))):
            raise Unfit(f"Its {name} is no https:// address.")
    return document


class OidcProvider(FromPerson, OpenIDConnectProvider):  # type: ignore[misc]
    """Adds the nonce, and asks for a new sign-in where that is the purpose."""

    def get_oauth2_adapter(self, request: HttpRequest) -> "OidcAdapter":
        return OidcAdapter(request, self.app.provider_id)

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        *,
        again: bool = False,
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(24)
        params = {"nonce": nonce} | (AGAIN if again else {})
        with answers_of(self.name):
            response: HttpResponse = super().redirect(
                request, process, next_url, data, auth_params=params, nonce=nonce
            )
        return response

    def person_of(self, claims: dict[str, Any]) -> Person:
        provider = oidc_settings()
        groups = value_of(claims, provider.groups_claim)
        if not isinstance(groups, list):
            groups = [groups] if groups else []
        return Person(
            kind=Identity.Provider.OIDC,
            issuer=provider.issuer,
            subject=storable_text(claims["sub"]),
            username=storable_text(value_of(claims, provider.username_claim)),
            first_name=storable_text(claims.get("given_name")),
            last_name=storable_text(claims.get("family_name")),
            email=storable_text(claims.get("email")),
            groups=[storable_text(group) for group in groups],
        )


class OidcAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Asks the provider through our session and believes only signed claims."""

    state: dict[str, Any]

    @property
    def openid_config(self) -> dict[str, Any]:
        with answers_of(oidc_settings().name):
            return published_by(oidc_settings()).get()

    @property
    def basic_auth(self) -> bool:
        methods = self.openid_config.get("token_endpoint_auth_methods_supported")
        return not isinstance(methods, list) or "client_secret_basic" in methods

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return own_url(request, "accounts:provider_return")

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> Any:
        with answers_of(oidc_settings().name):
            return super().get_access_token_data(*args, **kwargs)

    def parse_token(self, data: Any) -> SocialToken:
        with answers_of(oidc_settings().name):
            return super().parse_token(data)

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        provider = self.get_provider()
        with answers_of(provider.name):
            claims = self._decode_id_token(app, kwargs["response"]["id_token"])
            all_claims = claims | self.missing_claims(claims, token.token)
            person = provider.person_of(all_claims)
            login = provider.sociallogin_from_response(request, person)
            login.person = person
            login.authenticated_at = seconds_in(claims.get("auth_time"))
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self.key_of(id_token),
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise Unproven(f"{str(error)[:150].rstrip('.')}.") from error
        nonce = storable_text(claims.get("nonce"))
        if not hmac.compare_digest(nonce.encode(), self.state["nonce"].encode()):
            raise Unproven("It is not the answer to this sign-in (nonce).")
        if claims.get("azp", app.client_id) != app.client_id:
            raise Unproven("It is meant for another client (azp).")
        return claims

    def key_of(self, id_token: str) -> jwt.PyJWK:
        """Return the provider's key that the token names, for that algorithm only."""
        header = jwt.get_unverified_header(id_token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise Unproven("It is not signed by a key pair.")
        with session_for(oidc_settings()) as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = answer.json()["keys"]
        for key in keys:
            if key.get("kid") == header.get("kid") and key.get("use", "sig") == "sig":
                return jwt.PyJWK(key, algorithm)
        raise Unproven("It is signed by a key that the provider does not publish.")

    def missing_claims(self, claims: dict[str, Any], token: str) -> dict[str, Any]:
        """Ask the provider for what the ID token leaves out."""
        provider = oidc_settings()
        needed = (provider.username_claim, provider.groups_claim)
        complete = all(value_of(claims, name) is not None for name in needed)
        if complete or not is_safe(str(self.openid_config.get("userinfo_endpoint"))):
            return {}
        user_info = dict(self._fetch_user_info(token))
        if user_info.get("sub") != claims["sub"]:
            raise Unproven("The user information is about somebody else.")
        return {name: value for name, value in user_info.items() if name not in claims}


class Callback(OAuth2CallbackView):  # type: ignore[misc]
    """Lets the adapter see what was kept when the sign-in began."""

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        self.adapter.state = state
        return state, response


def come_back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer; what follows is in accounts.providers.adapter."""
    adapter = OidcAdapter(request, Identity.Provider.OIDC.value)
    response: HttpResponse = Callback.adapter_view(adapter)(request)
    return response


def sign_out_url(request: HttpRequest) -> str:
    """Return where one's session at the provider ends; empty if it has no such page.

    Raises:
        Refused: the provider cannot be asked now.
    """
    provider = oidc_settings()
    with answers_of(provider.name):
        document = published_by(provider).get()
        endpoint = str(document.get("end_session_endpoint") or "")
    if not is_safe(endpoint):
        return ""
    back = own_url(request, "account_login")
    query = {"client_id": provider.client_id, "post_logout_redirect_uri": back}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def value_of(claims: dict[str, Any], path: str) -> Any:
    """Return a claim, also one within another: `realm_access.roles`."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def seconds_in(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
