"""People whom a proxy in front signs in, and names in a header of each request.

The header counts only from the addresses of that proxy: from anybody else it is what a
stranger wrote. WSGI writes `-` and `_` of a header's name alike; Waitress and Django's
own server drop names with `_`. docs/security.md says what the proxy must do.
"""

import unicodedata
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts import identities
from accounts.audit import plain_address
from accounts.backends import PROXY_BACKEND
from accounts.identities import Person, SignInRefused
from accounts.identity_settings import ProxyHeader
from accounts.models import Identity

# In the session: the name in the header when the session began; empty without one.
SUBJECT = "proxy_subject"
# As long as a user name may be.
LONGEST_NAME = 150
NOT_NAMED = "The proxy in front of this console does not say who you are."
ODD_NAME = "What the proxy sent as your user name is not one."
ODD_GROUPS = "What the proxy sent as your groups cannot be read."


def proxy_settings() -> ProxyHeader:
    """Return the proxy.

    Raises:
        SignInRefused: there is none.
    """
    proxy: ProxyHeader | None = settings.PROXY_HEADER
    if proxy is None:
        raise SignInRefused(NOT_NAMED, "not_named")
    return proxy


def header_of(request: HttpRequest, name: str) -> str | None:
    """Return a header of the proxy; None where it sent none, or somebody else did."""
    proxy: ProxyHeader | None = settings.PROXY_HEADER
    if proxy is None or not name or not comes_from(proxy, request):
        return None
    found: str | None = request.META.get(meta_key(name))
    return found


def meta_key(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


def comes_from(proxy: ProxyHeader, request: HttpRequest) -> bool:
    """Whether the proxy itself sent the request, whatever address it reports."""
    address = plain_address(getattr(request, "peer_address", ""))
    return address is not None and any(
        ip_address(address) in ip_network(network) for network in proxy.networks
    )


def is_named(request: HttpRequest) -> bool:
    """Whether the proxy says who this is, even by what is no name."""
    proxy: ProxyHeader | None = settings.PROXY_HEADER
    return proxy is not None and bool(header_of(request, proxy.user))


def subject_in(request: HttpRequest) -> str:
    """Return whom the proxy names; empty where it names nobody."""
    proxy: ProxyHeader | None = settings.PROXY_HEADER
    name = decoded(header_of(request, proxy.user) or "") if proxy else ""
    return name if is_name(name) else ""


def decoded(text: str) -> str:
    """Return a header as text: WSGI gives its bytes as Latin-1; empty if it is none."""
    try:
        found = text.encode("latin-1").decode()
    except ValueError:
        return ""
    return found if found.isprintable() else ""


def is_name(text: str) -> bool:
    """Whether it can be one user's name: of two headers a comma stands between."""
    return (
        0 < len(text) <= LONGEST_NAME
        and "," not in text
        and text == text.strip()
        # Another way to write the same letters would be another user.
        and unicodedata.is_normalized("NFKC", text)
    )


def person_in(request: HttpRequest) -> Person:
    """Return whom the proxy names, with groups and addresses as it gives them.

    Raises:
        SignInRefused: it names nobody.
    """
    proxy = proxy_settings()
    if not is_named(request):
        raise SignInRefused(NOT_NAMED, "not_named")
    subject = subject_in(request)
    if not subject:
        raise SignInRefused(ODD_NAME, "odd_name")
    first_name, _, last_name = text_of(request, proxy.full_name).rpartition(" ")
    return Person(
        kind=Identity.Provider.PROXY,
        issuer="",
        subject=subject,
        username=subject,
        first_name=first_name,
        last_name=last_name,
        email=text_of(request, proxy.email),
        groups=groups_in(request, proxy),
    )


def text_of(request: HttpRequest, name: str) -> str:
    return decoded(header_of(request, name) or "").strip()


def groups_in(request: HttpRequest, proxy: ProxyHeader) -> list[str]:
    """Return the groups that the proxy sent.

    Raises:
        SignInRefused: they cannot be read; some of them might decide.
    """
    given = header_of(request, proxy.groups) or ""
    text = decoded(given)
    if given and not text:
        raise SignInRefused(ODD_GROUPS, "odd_groups")
    return list(filter(None, map(str.strip, text.split(proxy.separator))))


def may_go_on(request: HttpRequest, user: User) -> bool:
    """Whether a session may go on with the header of this request.

    One that began by the header ends with it. One that began with a password may go on
    without, or with the one that it began with: else somebody else sits there now.
    """
    subject, began_with = subject_in(request), request.session.get(SUBJECT, "")
    if request.session.get(BACKEND_SESSION_KEY) == PROXY_BACKEND:
        return bool(subject) and subject == began_with
    return subject in ("", began_with) or owns(user, subject)


def owns(user: User, subject: str) -> bool:
    person = Person(Identity.Provider.PROXY, "", subject, subject)
    identity = identities.of_person(person)
    return identity is not None and identity.user_id == user.pk
