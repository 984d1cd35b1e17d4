"""Sign-in with the password of an LDAP directory; loaded only where one is set.

Accounts of the console itself come first and are never looked up in the directory, so
nobody there can take them over and they work while it is down.
"""

from typing import Any

import ldap
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest
from django_auth_ldap import config
from django_auth_ldap.backend import LDAPBackend, ldap_error

from accounts import audit, identities
from accounts.identities import Person, SignInRefused
from accounts.identity_settings import Ldap
from accounts.models import Identity

# Seconds to connect, and for an answer.
CONNECT, ANSWER = 5, 10
GROUP_TYPES = {
    "member": config.GroupOfNamesType,
    "nested": config.NestedGroupOfNamesType,
    "unique": config.GroupOfUniqueNamesType,
    "posix": config.PosixGroupType,
}


class DirectoryBackend(LDAPBackend):  # type: ignore[misc]
    """django-auth-ldap with our settings; accounts and roles are made by us."""

    @property
    def default_settings(self) -> dict[str, Any]:
        return backend_options(ldap_settings())

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or "\0" in username or is_of_the_console(username):
            return None
        try:
            user: User | None = super().authenticate(request, username, password)
        except SignInRefused as refused:
            add_error(request, str(refused), refused.code)
            return None
        return user

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        """Called when the password was right and before anything is stored."""
        person = person_of(ldap_user)
        actor = audit.Actor(
            address=getattr(ldap_user._request, "META", {}).get("REMOTE_ADDR"),
            request_id=getattr(ldap_user._request, "request_id", ""),
            name="LDAP",
        )
        return identities.admit_person(person, ldap_settings().admission, actor), False

    def get_user(self, user_id: Any) -> User | None:
        # The library's own would let in the deactivated.
        found: User | None = ModelBackend().get_user(user_id)
        return found


def ldap_settings() -> Ldap:
    if settings.LDAP is None:
        raise RuntimeError("No directory is configured.")
    return settings.LDAP


def is_of_the_console(username: str) -> bool:
    named = User.objects.filter(username__iexact=username.strip())
    directory = Identity.Provider.LDAP.value
    return named.exclude(socialaccount__provider=directory).exists()


def person_of(ldap_user: Any) -> Person:
    """Who it is by the directory's word; a filter may find one by several names."""
    attributes = ldap_user.attrs or {}
    grouped = bool(ldap_settings().group_base)
    name = name_in(attributes)
    return Person(
        kind=Identity.Provider.LDAP,
        issuer="",
        subject=name,
        username=name,
        first_name=first_value(attributes, "givenName"),
        last_name=first_value(attributes, "sn"),
        email=first_value(attributes, "mail"),
        groups=ldap_user.group_names if grouped else [],
    )


def name_in(given: Any) -> str:
    """The name of the account, in lower case; empty where the directory tells none."""
    values = given.get(ldap_settings().name_attribute) or [""]
    # A directory does not tell upper from lower case, so neither may an account. It
    # keeps several values in no order.
    name = min(str(value).lower() for value in values)
    return "" if "\0" in name else name


def first_value(given: Any, name: str) -> str:
    values = given.get(name) or [""]
    return str(values[0]).replace("\0", "")


def backend_options(directory: Ldap) -> dict[str, Any]:
    """Return the settings of django-auth-ldap."""
    scope = ldap.SCOPE_SUBTREE
    found = {
        "SERVER_URI": directory.uri,
        "START_TLS": directory.uri.lower().startswith("ldap://"),
        "BIND_DN": directory.bind_dn,
        "BIND_PASSWORD": directory.bind_password,
        "USER_SEARCH": config.LDAPSearch(
            directory.user_base, scope, directory.user_filter
        ),
        "ALWAYS_UPDATE_USER": False,
        "CONNECTION_OPTIONS": connection_options(directory),
    }
    if directory.group_base:
        found["GROUP_SEARCH"] = config.LDAPSearch(directory.group_base, scope)
        found["GROUP_TYPE"] = GROUP_TYPES[directory.group_type](name_attr="cn")
    return found


def connection_options(directory: Ldap) -> dict[int, Any]:
    found: dict[int, Any] = {
        ldap.OPT_NETWORK_TIMEOUT: CONNECT,
        ldap.OPT_TIMEOUT: ANSWER,
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
    }
    if directory.ca_file:
        found[ldap.OPT_X_TLS_CACERTFILE] = directory.ca_file
    # Last: the options before it count from the next context on.
    return found | {ldap.OPT_X_TLS_NEWCTX: 0}


@receiver(ldap_error, dispatch_uid="accounts.ldap")
def log_failure(request: HttpRequest | None = None, **kwargs: Any) -> None:
    """A wrong password is no error for the library; this is about the directory."""
    add_error(
        request,
        "The directory gives no usable answer now. Other accounts work.",
        "no_answer",
    )


def add_error(request: HttpRequest | None, sentence: str, code: str) -> None:
    if request is not None:
        error = ValidationError(sentence, code)
        request.refused_because = error  # type: ignore[attr-defined]
