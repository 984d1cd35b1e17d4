"""Checks of what the environment says about signing in."""

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from accounts.identity_settings import (
    LDAP_GROUP_TYPES,
    Admission,
    Ldap,
    Oidc,
    ProxyHeader,
    Saml,
    is_safe,
)
from accounts.roles import Role

# What the column of a provider takes, with the kind before it.
LONGEST_ISSUER = 190

# A header that a proxy sets; `_` is `-` for WSGI, so that nobody could tell them apart.
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
# Headers that browsers send, or that mean something else.
TAKEN = re.compile(
    r"accept.*|authorization|connection|content-.*|cookie|forwarded|host|hx-.*"
    r"|idempotency-key|if-.*|origin|proxy-.*|range|referer|sec-.*|te|trailer"
    r"|transfer-encoding|upgrade.*|user-agent|via|x-csrftoken"
    r"|x-forwarded-(by|for|host|port|proto)|x-real-ip|x-request-id|x-requested-with"
)
# The shortest prefixes of the networks that a proxy may be in, by version of IP.
WIDEST = {4: 16, 6: 64}

ROLES = f"Roles are {', '.join(Role.values)}."


@register(Tags.security)
def sign_in_is_configured(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Half a configuration lets in nobody, or too many."""
    errors = [*required_role_errors()]
    if settings.OIDC is not None:
        errors += oidc_errors(settings.OIDC)
    if settings.SAML is not None:
        errors += saml_errors(settings.SAML)
    if settings.LDAP is not None:
        errors += ldap_errors(settings.LDAP)
    if settings.PROXY_HEADER is not None:
        errors += proxy_errors(settings.PROXY_HEADER)
    return errors


def required_role_errors() -> Iterator[CheckMessage]:
    for name in settings.REQUIRE_SECOND_FACTOR:
        if name not in Role.values:
            yield Error(
                f"CUPADMIN_REQUIRE_SECOND_FACTOR names {name!r}, which is no role.",
                hint=ROLES,
                id="accounts.E010",
            )


def oidc_errors(provider: Oidc) -> Iterator[CheckMessage]:
    for name in ("issuer", "client_id", "client_secret"):
        if not getattr(provider, name):
            yield Error(
                f"OpenID Connect is half set up: CUPADMIN_OIDC_{name.upper()} is"
                " missing.",
                hint="Set it, or take the other CUPADMIN_OIDC_ variables away.",
                id="accounts.E011",
            )
    if provider.issuer and not is_safe(provider.issuer):
        yield Error(
            "CUPADMIN_OIDC_ISSUER must begin with https://.", id="accounts.E012"
        )
    if len(provider.issuer) > LONGEST_ISSUER:
        yield Error(
            f"CUPADMIN_OIDC_ISSUER has more than {LONGEST_ISSUER} characters.",
            id="accounts.E017",
        )
    if "openid" not in provider.scopes.split():
        yield Error("CUPADMIN_OIDC_SCOPES must name openid.", id="accounts.E013")
    yield from file_errors("CUPADMIN_OIDC_CA_FILE", provider.ca_file)
    yield from admission_errors("CUPADMIN_OIDC", provider.admission)


def saml_errors(provider: Saml) -> Iterator[CheckMessage]:
    if find_spec("onelogin") is None:
        yield Error(
            "SAML is set up, but python3-saml is not installed.",
            hint="Install requirements-saml.txt, see docs/security.md.",
            id="accounts.E030",
        )
        return
    if bool(provider.metadata_url) == bool(provider.metadata_file):
        yield Error(
            "SAML needs one of CUPADMIN_SAML_METADATA_URL and"
            " CUPADMIN_SAML_METADATA_FILE.",
            hint="Set one of them, or remove the other CUPADMIN_SAML_ variables.",
            id="accounts.E031",
        )
    if provider.metadata_url and not is_safe(provider.metadata_url):
        yield Error(
            "CUPADMIN_SAML_METADATA_URL must begin with https://.", id="accounts.E032"
        )
    if not holds_key_pair(provider):
        yield Error(
            "CUPADMIN_SAML_KEY and CUPADMIN_SAML_CERTIFICATE_FILE must hold a private"
            " key and its certificate, as PEM.",
            id="accounts.E033",
        )
    yield from file_errors("CUPADMIN_SAML_METADATA_FILE", provider.metadata_file)
    yield from metadata_errors(provider)
    yield from file_errors("CUPADMIN_SAML_CA_FILE", provider.ca_file)
    yield from admission_errors("CUPADMIN_SAML", provider.admission)


def ldap_errors(directory: Ldap) -> Iterator[CheckMessage]:
    if find_spec("django_auth_ldap") is None:
        yield Error(
            "CUPADMIN_LDAP_URI is set, but django-auth-ldap is not installed.",
            hint="Install requirements-ldap.txt, see docs/security.md.",
            id="accounts.E020",
        )
    for name, value in (("URI", directory.uri), ("USER_BASE", directory.user_base)):
        if not value:
            yield Error(
                f"LDAP is half set up: CUPADMIN_LDAP_{name} is missing.",
                hint="Set it, or take the other CUPADMIN_LDAP_ variables away.",
                id="accounts.E021",
            )
    if directory.uri and not directory.uri.lower().startswith(("ldap://", "ldaps://")):
        yield Error(
            "CUPADMIN_LDAP_URI must begin with ldaps://, or with ldap:// for StartTLS.",
            id="accounts.E022",
        )
    if bool(directory.bind_dn) != bool(directory.bind_password):
        yield Error(
            "CUPADMIN_LDAP_BIND_DN and its password belong together.",
            hint="Set CUPADMIN_LDAP_BIND_PASSWORD_FILE, or neither to search unnamed.",
            id="accounts.E023",
        )
    if not directory.name_attribute:
        yield Error(
            "CUPADMIN_LDAP_USER_FILTER compares no attribute with %(user)s alone.",
            hint="Write one as in (uid=%(user)s): accounts are named after it.",
            id="accounts.E024",
        )
    yield from group_errors(directory)
    yield from file_errors("CUPADMIN_LDAP_CA_FILE", directory.ca_file)
    yield from admission_errors("CUPADMIN_LDAP", directory.admission)


def proxy_errors(proxy: ProxyHeader) -> Iterator[CheckMessage]:
    """Refuse whatever would let somebody else than the proxy name people."""
    if not proxy.user:
        yield Error(
            "Sign-in by a proxy is half set up: CUPADMIN_PROXY_USER_HEADER is missing.",
            hint="Set it, or remove the other CUPADMIN_PROXY_ variables.",
            id="accounts.E040",
        )
    if not settings.PROXIES:
        yield Error(
            "CUPADMIN_PROXY_USER_HEADER is set, but no proxy is declared.",
            hint="Set CUPADMIN_PROXIES to the number of your proxies.",
            id="accounts.E041",
        )
    if not proxy.networks:
        yield Error(
            "CUPADMIN_PROXY_USER_HEADER is set, but not from where it counts.",
            hint="Set CUPADMIN_PROXY_NETWORKS to the addresses of your proxy.",
            id="accounts.E042",
        )
    for text in proxy.networks:
        network = ip_network(text)
        if network.prefixlen < WIDEST[network.version]:
            yield Error(
                f"CUPADMIN_PROXY_NETWORKS names {text}: anybody in it could sign in"
                " as anybody.",
                hint="Name the addresses of your proxy; at most a /"
                f"{WIDEST[network.version]}.",
                id="accounts.E043",
            )
    yield from header_errors(proxy)
    rules = proxy.admission
    if (rules.roles or rules.required_group) and not proxy.groups:
        yield Error(
            "CUPADMIN_PROXY_GROUPS_HEADER is missing: groups give roles, but no header"
            " names them.",
            id="accounts.E046",
        )
    if len(proxy.separator) != 1:
        yield Error(
            "CUPADMIN_PROXY_GROUPS_SEPARATOR must be one character.",
            id="accounts.E047",
        )
    there = proxy.sign_out_url
    if there and not (re.match(r"/(?![/\\])", there) or is_safe(there)):
        yield Error(
            "CUPADMIN_PROXY_SIGN_OUT_URL must begin with https://, or be a path.",
            id="accounts.E048",
        )
    yield from admission_errors("CUPADMIN_PROXY", rules)


def header_errors(proxy: ProxyHeader) -> Iterator[CheckMessage]:
    given = {
        "USER": proxy.user,
        "GROUPS": proxy.groups,
        "EMAIL": proxy.email,
        "FULL_NAME": proxy.full_name,
    }
    used: set[str] = set()
    for part, name in given.items():
        if not name:
            continue
        if not HEADER.fullmatch(name) or TAKEN.fullmatch(name.lower()):
            yield Error(
                f"CUPADMIN_PROXY_{part}_HEADER is {name[:60]!r}, which cannot be such a"
                " header.",
                hint="Take a name of letters, digits and hyphens that only your proxy"
                " sets, such as X-Remote-User.",
                id="accounts.E044",
            )
        if name.lower() in used:
            yield Error(
                f"CUPADMIN_PROXY_{part}_HEADER names a header that another setting"
                " names.",
                id="accounts.E045",
            )
        used.add(name.lower())


def group_errors(directory: Ldap) -> Iterator[CheckMessage]:
    if directory.group_type not in LDAP_GROUP_TYPES:
        yield Error(
            f"CUPADMIN_LDAP_GROUP_TYPE is {directory.group_type!r}.",
            hint=f"It is one of {', '.join(LDAP_GROUP_TYPES)}.",
            id="accounts.E025",
        )
    rules = directory.admission
    if (rules.roles or rules.required_group) and not directory.group_base:
        yield Error(
            "CUPADMIN_LDAP_GROUP_BASE is missing: groups give roles, but nobody says"
            " where they are.",
            id="accounts.E026",
        )


def holds_key_pair(provider: Saml) -> bool:
    """Whether key and certificate are a pair, or neither is set."""
    if not (provider.key or provider.certificate_file):
        return True
    try:
        key = load_pem_private_key(provider.key.encode(), None)
        pem = Path(provider.certificate_file).read_bytes()
        return load_pem_x509_certificate(pem).public_key() == key.public_key()
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return False


def metadata_errors(provider: Saml) -> Iterator[CheckMessage]:
    """Read a file now; an address is asked when somebody signs in."""
    if not Path(provider.metadata_file or "/").is_file():
        return
    from accounts.providers import saml

    try:
        saml.described_in(saml.metadata_of(provider), provider.entity_id)
    except Exception as error:
        yield Error(
            f"CUPADMIN_SAML_METADATA_FILE names {provider.metadata_file}, which does"
            " not describe a provider.",
            hint=str(error)[:200],
            id="accounts.E034",
        )


def file_errors(variable: str, path: str) -> Iterator[CheckMessage]:
    if path and not Path(path).is_file():
        yield Error(f"{variable} names {path}, which is no file.", id="accounts.E014")


def admission_errors(prefix: str, rules: Admission) -> Iterator[CheckMessage]:
    given = [("ROLES", role) for role in rules.roles.values()]
    if rules.default_role:
        given.append(("DEFAULT_ROLE", rules.default_role))
    for name, role in given:
        if role not in Role.values:
            yield Error(
                f"{prefix}_{name} names {role!r}, which is no role.",
                hint=f"Write GROUP=ROLE,GROUP=ROLE. {ROLES}",
                id="accounts.E015",
            )
    if rules.create_accounts and not given:
        yield Warning(
            f"{prefix}_CREATE_ACCOUNTS makes accounts, but no setting gives them a"
            " role.",
            hint="Map groups under System > Users > Groups: until then nobody new"
            f" comes in. Or set {prefix}_ROLES or {prefix}_DEFAULT_ROLE.",
            id="accounts.W016",
        )
