"""What the name of a node says of its role, by the usual convention."""

import re

from wire import address_of, plain_host

PUBLISHER = r"pub(?:lisher)?|primary"
ROLE = re.compile(
    rf"(?P<stem>.*[^-_])[-_]?(?P<role>{PUBLISHER}|sub(?:scriber)?|secondary)[-_]?\d*"
)


def role_of(name: str) -> tuple[str, str, str] | None:
    """Split a name into stem, word for the role and domain; None without a word."""
    host, _, domain = plain_host(name).partition(".")
    found = None if address_of(name) else ROLE.fullmatch(host)
    return (found["stem"], found["role"], domain) if found else None


def is_publisher(name: str) -> bool:
    found = role_of(name)
    return found is not None and re.fullmatch(PUBLISHER, found[1]) is not None
