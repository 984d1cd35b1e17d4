"""What the environment says about signing in through somebody else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from environs import Env

from base.secret_settings import read_secret

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
class Saml:
    """A SAML 2.0 identity provider, known by its metadata."""

    metadata_url: str = ""
    metadata_file: str = ""
    # Which provider it is, where the metadata describe several.
    entity_id: str = ""
    name: str = "single sign-on"
    # What the console calls itself; else the address of its own metadata.
    own_entity_id: str = ""
    subject_attribute: str = ""
    username_attribute: str = ""
    groups_attribute: str = ""
    # Signs what the console asks, and opens encrypted assertions.
    key: str = field(default="", repr=False)
    certificate_file: str = ""
    ca_file: str = ""
    proxy: str = field(default="", repr=False)
    # The provider asks for a second factor itself.
    second_factor: bool = False
    admission: Admission = field(default_factory=Admission)


@dataclass(frozen=True, eq=False)
class ProxyHeader:
    """A proxy in front that signs people in: the headers that it names them in."""

    user: str
    # Addresses of the proxy; from any other the headers are not read.
    networks: Sequence[str] = ()
    groups: str = ""
    separator: str = ","
    email: str = ""
    full_name: str = ""
    name: str = "single sign-on"
    sign_out_url: str = ""
    # The proxy asks for a second factor itself.
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


def read_proxy_header(env: Env, networks: Sequence[str]) -> ProxyHeader | None:
    """Return what is set of a proxy that signs people in; the checks say the rest."""
    user = env.str("PROXY_USER_HEADER", "")
    groups = env.str("PROXY_GROUPS_HEADER", "")
    admission = read_admission(env, "PROXY")
    if not (user or groups or networks or admission.roles or admission.default_role):
        return None
    return ProxyHeader(
        user=user,
        networks=tuple(networks),
        groups=groups,
        separator=env.str("PROXY_GROUPS_SEPARATOR", ProxyHeader.separator),
        email=env.str("PROXY_EMAIL_HEADER", ""),
        full_name=env.str("PROXY_FULL_NAME_HEADER", ""),
        name=env.str("PROXY_NAME", ProxyHeader.name),
        sign_out_url=env.str("PROXY_SIGN_OUT_URL", ""),
        second_factor=env.bool("PROXY_SECOND_FACTOR", False),
        admission=admission,
    )


def read_oidc(env: Env) -> Oidc | None:
    """Return what is set of a provider; the checks say what is missing."""
    issuer = env.str("OIDC_ISSUER", "")
    client_id = env.str("OIDC_CLIENT_ID", "")
    secret = read_secret(env, "OIDC_CLIENT_SECRET")
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
        proxy=read_secret(env, "OIDC_PROXY"),
        second_factor=env.bool("OIDC_SECOND_FACTOR", False),
        admission=read_admission(env, "OIDC"),
    )


def read_saml(env: Env) -> Saml | None:
    """Return what is set of a provider; the checks say what is missing."""
    url = env.str("SAML_METADATA_URL", "")
    file = env.str("SAML_METADATA_FILE", "")
    entity_id, key = env.str("SAML_ENTITY_ID", ""), read_secret(env, "SAML_KEY")
    admission = read_admission(env, "SAML")
    if not (url or file or entity_id or key or admission.roles):
        return None
    return Saml(
        metadata_url=url,
        metadata_file=file,
        entity_id=entity_id,
        name=env.str("SAML_NAME", Saml.name),
        own_entity_id=env.str("SAML_OWN_ENTITY_ID", ""),
        subject_attribute=env.str("SAML_SUBJECT_ATTRIBUTE", ""),
        username_attribute=env.str("SAML_USERNAME_ATTRIBUTE", ""),
        groups_attribute=env.str("SAML_GROUPS_ATTRIBUTE", ""),
        key=key,
        certificate_file=env.str("SAML_CERTIFICATE_FILE", ""),
        ca_file=env.str("SAML_CA_FILE", ""),
        proxy=read_secret(env, "SAML_PROXY"),
        second_factor=env.bool("SAML_SECOND_FACTOR", False),
        admission=admission,
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
        bind_password=read_secret(env, "LDAP_BIND_PASSWORD"),
        user_base=user_base,
        user_filter=env.str("LDAP_USER_FILTER", Ldap.user_filter),
        group_base=env.str("LDAP_GROUP_BASE", ""),
        group_type=env.str("LDAP_GROUP_TYPE", Ldap.group_type),
        ca_file=env.str("LDAP_CA_FILE", ""),
        admission=read_admission(env, "LDAP"),
    )


def read_admission(env: Env, prefix: str) -> Admission:
    return Admission(
        roles=dict(group_roles(env.str(f"{prefix}_ROLES", ""))),
        default_role=env.str(f"{prefix}_DEFAULT_ROLE", ""),
        required_group=env.str(f"{prefix}_REQUIRED_GROUP", ""),
        create_accounts=env.bool(f"{prefix}_CREATE_ACCOUNTS", True),
    )


def group_roles(text: str) -> Iterator[tuple[str, str]]:
    """Yield group and role of `group=role,group=role`."""
    for part in filter(None, map(str.strip, text.split(","))):
        group, _, role = part.rpartition("=")
        yield group.strip(), role.strip()
