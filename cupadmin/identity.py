"""What the environment says about signing in through somebody else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

# How groups name their members: `member`, also groups in groups, `uniqueMember`,
# `memberUid`.
LDAP_GROUP_TYPES = ("member", "nested", "unique", "posix")

# An attribute that a filter compares with the typed name, the whole of it.
COMPARED = re.compile(r"\(\s*([\w.;-]+)\s*=\s*%\(user\)s\s*\)")


@dataclass(frozen=True)
class Admission:
    """Who of the people of another system may come in, and as what."""

    roles: Mapping[str, str] = field(default_factory=dict)
    default_role: str = ""
    required_group: str = ""
    create_accounts: bool = True


@dataclass(frozen=True, eq=False)
class Oidc:
    """An OpenID Connect provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "single sign-on"
    scopes: str = "openid profile email"
    username_claim: str = "preferred_username"
    groups_claim: str = "groups"
    ca_file: str = ""
    proxy: str = field(default="", repr=False)
    # The provider asks for a second factor itself.
    second_factor: bool = False
    admission: Admission = field(default_factory=Admission)


@dataclass(frozen=True, eq=False)
class Ldap:
    """An LDAP directory, Active Directory among them."""

    uri: str
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    user_base: str = ""
    user_filter: str = "(uid=%(user)s)"
    group_base: str = ""
    group_type: str = "member"
    ca_file: str = ""
    admission: Admission = field(default_factory=Admission)

    @property
    def name_attribute(self) -> str:
        """The attribute that accounts are named after; empty where there is none."""
        found = COMPARED.search(self.user_filter)
        return found[1] if found else ""


def is_safe(url: str) -> bool:
    """Whether this is https://, or stays on this machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and local)
    )


def read_oidc(env: Env) -> Oidc | None:
    """Return what is set of a provider; the checks say what is missing."""
    issuer = env.str("OIDC_ISSUER", "")
    client_id = env.str("OIDC_CLIENT_ID", "")
    secret = secret_of(env, "OIDC_CLIENT_SECRET")
    if not (issuer or client_id or secret):
        return None
    return Oidc(
        issuer=issuer.rstrip("/"),
        client_id=client_id,
        client_secret=secret,
        name=env.str("OIDC_NAME", Oidc.name),
        scopes=env.str("OIDC_SCOPES", Oidc.scopes),
        username_claim=env.str("OIDC_USERNAME_CLAIM", Oidc.username_claim),
        groups_claim=env.str("OIDC_GROUPS_CLAIM", Oidc.groups_claim),
        ca_file=env.str("OIDC_CA_FILE", ""),
        proxy=env.str("OIDC_PROXY", ""),
        second_factor=env.bool("OIDC_SECOND_FACTOR", False),
        admission=read_admission(env, "OIDC"),
    )


def read_ldap(env: Env) -> Ldap | None:
    """Return what is set of a directory; the checks say what is missing."""
    uri = env.str("LDAP_URI", "")
    user_base = env.str("LDAP_USER_BASE", "")
    if not (uri or user_base):
        return None
    return Ldap(
        uri=uri,
        bind_dn=env.str("LDAP_BIND_DN", ""),
        bind_password=secret_of(env, "LDAP_BIND_PASSWORD"),
        user_base=user_base,
        user_filter=env.str("LDAP_USER_FILTER", Ldap.user_filter),
        group_base=env.str("LDAP_GROUP_BASE", ""),
        group_type=env.str("LDAP_GROUP_TYPE", Ldap.group_type),
        ca_file=env.str("LDAP_CA_FILE", ""),
        admission=read_admission(env, "LDAP"),
    )


def read_admission(env: Env, prefix: str) -> Admission:
    return Admission(
        roles=dict(pairs(env.str(f"{prefix}_ROLES", ""))),
        default_role=env.str(f"{prefix}_DEFAULT_ROLE", ""),
        required_group=env.str(f"{prefix}_REQUIRED_GROUP", ""),
        create_accounts=env.bool(f"{prefix}_CREATE_ACCOUNTS", True),
    )


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield group and role of `group=role,group=role`."""
    for part in filter(None, map(str.strip, text.split(","))):
        group, _, role = part.rpartition("=")
        yield group.strip(), role.strip()


def secret_of(env: Env, name: str) -> str:
    """Return the variable, or the text of the file that NAME_FILE names."""
    path = env.str(f"{name}_FILE", "")
    if not path:
        return env.str(name, "")
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeError) as error:
        raise ImproperlyConfigured(
            f"CUPADMIN_{name}_FILE names {path}, which cannot be read."
        ) from error
