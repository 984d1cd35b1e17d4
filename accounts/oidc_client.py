"""authlib's client, bounded; loaded only where a provider is configured."""

import time
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoIntegration
from authlib.integrations.django_client.apps import DjangoOAuth2App
from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import JoseError

from cupadmin.identity import Oidc, is_safe

__all__ = ["AuthlibBaseError", "JoseError", "Unfit", "make"]

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"]
# Seconds to connect and for each silence; for a whole answer; its most bytes.
TIMEOUT = (3.0, 5.0)
DEADLINE = 10.0
MOST = 1_000_000
# Anybody may ask for a sign-in; while the provider is down that must hold no threads.
PAUSE = 10.0


class Unfit(Exception):
    """What the provider says about itself cannot be true."""


class Bounded(requests.adapters.HTTPAdapter):
    """Reads an answer within a deadline and a size."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        until = time.monotonic() + DEADLINE
        response = super().send(*args, **kwargs | {"stream": True, "timeout": TIMEOUT})
        body = b""
        while part := response.raw.read1(65_536, decode_content=True):
            body += part
            if len(body) > MOST or time.monotonic() > until:
                response.close()
                raise requests.ConnectionError("The answer is too long or too slow.")
        response._content = body
        return response


def make(provider: Oidc) -> Any:
    class Session(OAuth2Session):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Nothing of the environment may change whom we trust or where we ask.
            self.trust_env = False
            self.verify = provider.ca_file or True
            self.proxies = {"https": provider.proxy} if provider.proxy else {}
            self.mount("https://", Bounded())
            self.mount("http://", Bounded())

        def request(self, *args: Any, **kwargs: Any) -> Any:
            return super().request(*args, **kwargs | {"allow_redirects": False})

    class App(DjangoOAuth2App):  # type: ignore[misc]
        client_cls = Session
        rests_until = 0.0

        def load_server_metadata(self) -> dict[str, Any]:
            if time.monotonic() < self.rests_until:
                raise requests.ConnectionError("It failed a moment ago.")
            try:
                return checked(provider, super().load_server_metadata())
            except Exception:
                self.rests_until = time.monotonic() + PAUSE
                self.server_metadata.pop("_loaded_at", None)
                raise

    return App(
        DjangoIntegration("oidc"),
        name="oidc",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": provider.scopes, "code_challenge_method": "S256"},
    )


def checked(provider: Oidc, told: dict[str, Any]) -> dict[str, Any]:
    """Refuse what somebody else says for the provider, and weak algorithms."""
    if str(told.get("issuer", "")).rstrip("/") != provider.issuer:
        raise Unfit(f"It calls itself {str(told.get('issuer'))[:200]}.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_safe(str(told.get(name, ""))):
            raise Unfit(f"Its {name} is no https:// address.")
    told["id_token_signing_alg_values_supported"] = ALGORITHMS
    return told
