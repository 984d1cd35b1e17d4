"""OpenID Connect: to the provider and back, with state, nonce and PKCE by authlib.

The library is loaded by the first sign-in only, and only where a provider is set.
"""

import logging
import time
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.identities import Person, Refused
from accounts.models import Identity
from cupadmin.hidden import masked
from cupadmin.identity import Oidc, is_safe

logger = logging.getLogger(__name__)

# How long somebody may stay at the provider.
SECONDS = 900
# How far the clocks of provider and console may differ.
LEEWAY = 60


@cache
def client(provider: Oidc) -> Any:
    """Return authlib's client; it keeps what the provider says about itself."""
    from accounts.oidc_client import make

    return make(provider)


def configured() -> Oidc:
    """Return the provider.

    Raises:
        Refused: there is none.
    """
    provider: Oidc | None = settings.OIDC
    if provider is None:
        raise Refused("No identity provider is set up for this console.")
    return provider


def begin(request: HttpRequest, **kept: Any) -> str:
    """Return where to send the browser; `kept` comes back with it.

    Raises:
        Refused: the provider cannot be asked now.
    """
    provider = configured()
    again = {"prompt": "login", "max_age": "0"} if kept["purpose"] == "proof" else {}
    back = own_url(request, "accounts:provider_return")
    try:
        app = client(provider)
        started = app.create_authorization_url(back, **again)
        kept["at"] = int(time.time())
        app.save_authorize_data(request, redirect_uri=back, **started, **kept)
    except Exception as error:
        raise refusal(provider, error) from error
    address: str = started["url"]
    return address


def complete(request: HttpRequest) -> tuple[Person, dict[str, Any], dict[str, Any]]:
    """Return who came back, the claims, and what `begin` kept.

    Raises:
        Refused: the answer does not prove it, or is not to a question of ours.
    """
    provider = configured()
    app = client(provider)
    state = request.GET.get("state", "")
    kept: dict[str, Any] | None = app.framework.get_state_data(request.session, state)
    if kept is None or kept["at"] < time.time() - SECONDS:
        raise Refused("This sign-in did not begin in this browser, or took too long.")
    try:
        issuer = app.load_server_metadata()["issuer"]
        token = app.authorize_access_token(
            request,
            leeway=LEEWAY,
            claims_options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
        )
        claims = dict(token["userinfo"])
        told = claims | missing_claims(app, provider, token, claims)
    except Exception as error:
        app.framework.clear_state_data(request.session, state)
        raise refusal(provider, error) from error
    return person_of(provider, told), claims, kept


def missing_claims(
    app: Any, provider: Oidc, token: dict[str, Any], claims: dict[str, Any]
) -> dict[str, Any]:
    """Ask the provider for what the ID token leaves out."""
    wanted = {provider.username_claim}
    if provider.admission.roles or provider.admission.required_group:
        wanted.add(provider.groups_claim)
    absent = [name for name in wanted if value_of(claims, name) is None]
    if not absent or not is_safe(told_url(app, "userinfo_endpoint")):
        return {}
    told = dict(app.userinfo(token=token))
    if told.get("sub") != claims["sub"]:
        raise ValueError("The user information is about somebody else.")
    return {name: value for name, value in told.items() if name not in claims}


def told_url(app: Any, name: str) -> str:
    return str(app.server_metadata.get(name) or "")


def value_of(claims: dict[str, Any], path: str) -> Any:
    """Return a claim, also one within another: `realm_access.roles`."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def person_of(provider: Oidc, claims: dict[str, Any]) -> Person:
    groups = value_of(claims, provider.groups_claim)
    if not isinstance(groups, list):
        groups = [groups] if groups else []
    return Person(
        provider=Identity.Provider.OIDC,
        issuer=provider.issuer,
        subject=text(claims["sub"]),
        username=text(value_of(claims, provider.username_claim)),
        first_name=text(claims.get("given_name")),
        last_name=text(claims.get("family_name")),
        email=text(claims.get("email")),
        groups=[str(group) for group in groups],
    )


def text(value: Any) -> str:
    """Return what a database can hold, whatever the claim is."""
    return "" if value is None else str(value).replace("\0", "")


def is_fresh(claims: dict[str, Any], kept: dict[str, Any]) -> bool:
    """Whether the person typed something at the provider since we sent it there."""
    at = claims.get("auth_time")
    return isinstance(at, int | float) and at >= kept["at"] - LEEWAY


def sign_out_url(request: HttpRequest) -> str:
    """Return where one's session at the provider ends; empty if it has no such page.

    Raises:
        Refused: the provider cannot be asked now.
    """
    provider = configured()
    try:
        app = client(provider)
        app.load_server_metadata()
        if not is_safe(told_url(app, "end_session_endpoint")):
            return ""
        back = own_url(request, "accounts:login")
        made = app.create_logout_url(back, client_id=provider.client_id)
    except Exception as error:
        raise refusal(provider, error) from error
    address: str = made["url"]
    return address


def own_url(request: HttpRequest, name: str) -> str:
    if settings.CONSOLE_URL:
        return settings.CONSOLE_URL.rstrip("/") + reverse(name)
    return request.build_absolute_uri(reverse(name))


def refusal(provider: Oidc, error: Exception) -> Refused:
    """Say it to a person; the whole of it goes to the log, without any token."""
    from accounts.oidc_client import AuthlibBaseError, JoseError, Unfit

    # An OAuth error is what the provider's own answer says.
    said = masked(str(error))[:500]
    logger.warning("OpenID Connect: %s: %s", type(error).__name__, said)
    if isinstance(error, Unfit):
        return Refused(f"{provider.name} is not set up as it should be. {error}")
    if isinstance(error, JoseError):
        return Refused(f"The answer of {provider.name} is not valid. {reason(error)}")
    if isinstance(error, AuthlibBaseError):
        told = (error.description or error.error or "")[:200]
        return Refused(f"{provider.name} refused: {told}")
    return Refused(
        f"{provider.name} gives no usable answer now. Accounts of this console can"
        " still sign in with their password."
    )


def reason(error: Any) -> str:
    said = error.description or error.error
    return f"{str(said)[:150].rstrip('.')}."
