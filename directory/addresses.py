"""Addresses of users: what a valid directory URI is, and how clusters rewrite it."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

# RFC 3261: what may stand for a user, and a host name or an IPv4 address.
_USER = re.compile(r"(?:sips?:)?[A-Za-z0-9_.!~*'()&=+$,;?/%#-]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SCHEME = re.compile(r"(?:sips?|mailto|im|tel):", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\s().\-/]+")
LONGEST_ADDRESS = 254
# Of the bytes of a text, those that no user portion holds: the @ is one of them.
_ODD = np.ones(256, np.bool_)
_ODD[[byte for byte in range(128) if _USER.fullmatch(chr(byte))]] = False


def valid_uri(uri: str) -> bool:
    user, _, host = uri.rpartition("@")
    return (
        len(uri) <= LONGEST_ADDRESS
        and bool(_USER.fullmatch(user))
        and _valid_host(host)
    )


def doubtful_uris(
    uris: Sequence[str],
    text: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Iterable[int]:
    """The few rows whose URI has to be looked at: the others are empty, or plainly a
    user portion, one @ and a good host.

    Args:
        text: where the URIs also stand as bytes, each with a zero behind its end.
    """
    odd = np.flatnonzero(_ODD[text])
    first = np.searchsorted(odd, starts)
    at = odd[first]
    next_odd = odd[np.minimum(first + 1, len(odd) - 1)]
    plain = (text[at] == ord("@")) & (at > starts) & (next_odd == ends)
    plain &= ends - starts <= LONGEST_ADDRESS
    hosts = [uri.rpartition("@")[2] for uri in uris]
    if bad := {host for host in set(hosts) if not _valid_host(host)}:
        plain &= np.fromiter((host not in bad for host in hosts), np.bool_, len(hosts))
    rows: list[int] = np.flatnonzero(~plain & (ends > starts)).tolist()
    return rows


# The users of a cluster share few hosts.
@lru_cache(maxsize=1024)
def _valid_host(host: str) -> bool:
    return bool(_HOST.fullmatch(host))


def bare_address(text: str) -> str:
    """The address without its scheme and parameters, as people may paste it."""
    text = text.strip().strip("<>")
    if not _SCHEME.match(text):
        return text
    return _SCHEME.sub("", text, count=1).partition(";")[0].partition("?")[0]


def digits_in(text: str) -> str:
    """The number in a text written for people, or nothing if it is no number."""
    number = _PUNCTUATION.sub("", bare_address(text))
    return number if re.fullmatch(r"\+?[0-9*#]{1,40}", number) else ""


def sip_uri(address: str) -> str:
    return f"sip:{bare_address(address)}" if address else ""


def rewrite_host(uri: str, host: str) -> str:
    """The SIP URI with its host portion replaced, as for a user on another cluster."""
    user, at, _ = uri.rpartition("@")
    return f"{user}@{host}" if at and host else uri
