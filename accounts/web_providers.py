"""The identity providers that people are sent to in their browser."""

from dataclasses import dataclass

from django.conf import settings

from accounts.backends import PROVIDER_BACKENDS
from accounts.identity_settings import Oidc, Saml


@dataclass(frozen=True)
class WebProvider:
    """A provider with its own pages: names of URLs, as the templates take them."""

    kind: str
    config: Oidc | Saml
    sign_in_page: str
    proof_page: str
    connect_page: str
    disconnect_page: str
    # Empty where the console cannot lead to signing out there.
    sign_out_page: str = ""

    @property
    def name(self) -> str:
        return self.config.name


def configured_providers() -> dict[str, WebProvider]:
    """Return those that are set up, by kind."""
    found: dict[str, WebProvider] = {}
    if settings.OIDC is not None:
        found["oidc"] = WebProvider(
            "oidc",
            settings.OIDC,
            "accounts:provider",
            "accounts:prove_at_provider",
            "accounts:connect",
            "accounts:disconnect",
            "accounts:provider_sign_out",
        )
    if settings.SAML is not None:
        found["saml"] = WebProvider(
            "saml",
            settings.SAML,
            "accounts:saml",
            "accounts:prove_at_saml",
            "accounts:connect_saml",
            "accounts:disconnect_saml",
        )
    return found


def provider_behind(backend: str) -> WebProvider | None:
    """Return the provider that vouched for a session of this backend."""
    known = configured_providers()
    kinds = [kind for kind, path in PROVIDER_BACKENDS.items() if path == backend]
    return known.get(kinds[0]) if kinds else None
