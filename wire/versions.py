"""AXL versions: which to offer, and what a status 599 says about them."""

import re
from collections.abc import Sequence

# Oldest last; 8.0 first for a stranger, since every product from 8 to 15 took it.
KNOWN = (
    *("15.0", "14.0", "12.5", "12.0", "11.5", "11.0", "10.5", "10.0"),
    *("9.1", "9.0", "8.5", "8.0", "7.1", "7.0", "6.1", "6.0", "1.0"),
)
STRANGER = ("8.0", "7.1", *KNOWN)

_LIST = re.compile(
    r"(?:available|supported)[^:]{0,40}?versions?\s+(?:are|is)\s*:?(.*)", re.I | re.S
)
_VERSION = re.compile(r"\b(\d{1,2})\.(\d{1,2}|x)\b", re.I)


def supported_versions(text: str) -> list[str]:
    """Read the versions that the body of a 599 names, the newest first."""
    listed = _LIST.search(re.sub(r"<[^>]*>", " ", text))
    found = _VERSION.findall(listed[1]) if listed else []
    named: list[str] = []
    for major, minor in found:
        if minor in "xX":
            named += [x for x in KNOWN if x.startswith(f"{major}.")]
        else:
            named.append(f"{int(major)}.{int(minor)}")
    return sorted(set(named), key=_order, reverse=True)


def next_version(tried: Sequence[str], text: str, offers: Sequence[str]) -> str | None:
    """Choose what to offer after a refusal: what the node names, else the next."""
    named = supported_versions(text)
    for version in (*offers, *named):
        if version in named and version not in tried:
            return version
    if named:
        return None
    return next((version for version in offers if version not in tried), None)


def _order(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
