"""Strict reading of the addresses that people type."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from wire.errors import Code, WireError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# An underscore begins the labels of SRV names (_sip._tcp).
_LABEL = re.compile(r"_?[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_SPACE = re.compile(r"\s")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)


@dataclass(frozen=True)
class Host:
    """A host as the console writes it: an IP address or a name in lower case."""

    text: str
    ip: IpAddress | None = None

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=4096)
def parse_host(text: str) -> Host:
    """Read an IP address, a host name, a fully qualified or an SRV name.

    Raises:
        WireError: code ADDRESS, with one sentence that names the mistake.
    """
    complaint = _complaint(text)
    if complaint:
        raise WireError(Code.ADDRESS, complaint)
    ip = _literal(text)
    if ip:
        return Host(str(ip), ip)
    return Host(text.rstrip(".").lower())


@lru_cache(maxsize=4096)
def read_ip(text: str) -> IpAddress:
    """Read an IP address, or raise ValueError; a sweep asks for the same ones often."""
    return ipaddress.ip_address(text)


def address_of(host: str) -> str:
    """An IP address as it is compared; empty for a name.

    A cluster's table may hold an IPv6 address in any spelling, in brackets too.
    """
    try:
        return str(read_ip(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return ""


@lru_cache(maxsize=16_384)
def plain_host(host: str) -> str:
    """A name or an address as it is compared: lower case, no dot at the end."""
    host = host.strip().casefold().rstrip(".")
    return address_of(host) or host


def _literal(text: str) -> IpAddress | None:
    try:
        return read_ip(text)
    except ValueError:
        return None


def _complaint(text: str) -> str:
    if not text:
        return "Enter an address."
    if len(text) > 253:
        return "The address is longer than 253 characters."
    if "://" in text:
        return "Leave out the scheme: enter only the address."
    if _SPACE.search(text):
        return "The address must not contain spaces."
    if not text.isascii() or not text.isprintable():
        return "The address may contain only letters a to z, digits, hyphens and dots."
    if "@" in text:
        return "Leave out the user name: enter only the address."
    if "/" in text or "\\" in text or "?" in text or "#" in text:
        return "Leave out the path: enter only the address."
    if "%" in text:
        return "Leave out the zone of the IPv6 address (the part from %)."
    if "[" in text or "]" in text:
        return "Enter the IPv6 address without brackets."
    return "" if _literal(text) else _name_complaint(text)


def _name_complaint(text: str) -> str:
    if text.count(":") == 1:
        return "Leave out the port: enter only the address."
    if ":" in text:
        return "This is not a valid IPv6 address."
    labels = text.removesuffix(".").split(".")
    if "" in labels:
        return "The name has an empty part: look for doubled or leading dots."
    # Resolvers read 127.1, 0x7f000001 and 2130706433 as addresses of machines.
    if _NUMBER.fullmatch(labels[-1]):
        return "This is not a complete IPv4 address: enter four numbers from 0 to 255."
    if any(len(label) > 63 for label in labels):
        return "A part of the name between dots is longer than 63 characters."
    if not all(_LABEL.fullmatch(label) for label in labels):
        return (
            "The address may contain only letters, digits, hyphens and dots, and no "
            "part may begin or end with a hyphen."
        )
    return ""
