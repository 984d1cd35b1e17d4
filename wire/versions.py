"""AXL versions: which to offer, and what a status 599 says about them."""

import re
from collections.abc import Sequence

# Oldest last; 8.0 first for a stranger, since every product from 8 to 15 took it.
KNOWN = (
    *("15.0", "14.0", "12.5", "12.0", "11.5", "11.0", "10.5", "10.0"),
    *("9.1", "9.0", "8.5", "8.0", "7.1", "7.0", "6.1", "6.0", "1.0"),
)
UNKNOWN_VERSION = ("8.0", "7.1", *KNOWN)

_TAG = re.compile(r"<[^<>]*>")
_LIST = re.compile(r"(?:available|supported)[^:<]{0,40}?versions?\s+(?:are|is)\b", re.I)
# One version of the list, and what stands before it; the list ends at anything else.
_ITEM = re.compile(
    r"[\s|:,;&]{0,20}(?:(?:and|or)\s{1,20})?(\d{1,2})(?:\.(\d{1,2}|x))?(?![\w.]*\w)",
    re.I,
)


def supported_versions(text: str) -> list[str]:
    """Read the versions that the body of a 599 names, the newest first.

    Only those of the list itself: the page also names the version of Tomcat.
    """
    text = _TAG.sub("|", text)
    listed = _LIST.search(text)
    named: list[str] = []
    item = _ITEM.match(text, listed.end()) if listed else None
    while item:
        major, minor = item[1], item[2] or "0"
        if minor in "xX":
            named += [x for x in KNOWN if x.startswith(f"{major}.")]
        else:
            named.append(f"{int(major)}.{int(minor)}")
        item = _ITEM.match(text, item.end())
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
