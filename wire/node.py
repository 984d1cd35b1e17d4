"""Whom to talk to, whom to trust, and where the console may go."""

import ipaddress
import re
from dataclasses import dataclass, field

from wire.errors import Code, WireError
from wire.host import IpAddress, IpNetwork, read_ip
from wire.secret import Secret

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Policy:
    """Which destinations are allowed, and which DNS servers are asked.

    Args:
        networks: empty for anything but loopback, link-local, multicast, unspecified
            and reserved addresses; else only addresses in these networks.
        ports: empty for any port.
        dns_servers: "address:port"; empty for the system's resolver.
    """

    networks: tuple[IpNetwork, ...] = ()
    ports: frozenset[int] = frozenset()
    dns_servers: tuple[str, ...] = ()

    def allows(self, address: str) -> bool:
        ip = _inner(read_ip(address))
        if self.networks:
            return any(ip in network for network in self.networks)
        return not (
            ip.is_loopback
            or ip.is_link_local
            or ip.is_multicast
            or ip.is_unspecified
            or ip.is_reserved
        )

    def check(self, address: str, port: int | None = None) -> None:
        """Raise WireError POLICY when the destination is not allowed."""
        if not self.allows(address):
            raise WireError(
                Code.POLICY, f"The address {address} is not among the allowed networks."
            )
        if port is not None and self.ports and port not in self.ports:
            raise WireError(Code.POLICY, f"The port {port} is not among the allowed.")


def _inner(ip: IpAddress) -> IpAddress:
    """Unwrap the IPv6 forms that end at an IPv4 machine."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


@dataclass(frozen=True)
class Trust:
    """What proves that a node is the node: a confirmed fingerprint, or a CA.

    Args:
        fingerprint: SHA-256 of the node's certificate, 64 hexadecimal digits.
        ca_pem: the CA's certificates; the node's name is checked too.
        legacy: allow TLS 1.0 and small keys, only together with a fingerprint.
    """

    fingerprint: str = ""
    ca_pem: str = ""
    legacy: bool = False

    def __post_init__(self) -> None:
        if self.fingerprint and not _FINGERPRINT.fullmatch(self.fingerprint):
            raise ValueError("A fingerprint is 64 hexadecimal digits in lower case")
        if self.fingerprint and self.ca_pem:
            raise ValueError("Trust either a fingerprint or a CA, not both")
        if self.ca_pem and self.legacy:
            raise ValueError("Legacy TLS needs a confirmed fingerprint, not a CA")


@dataclass(frozen=True)
class NodeAddress:
    """One node to talk to, with all that a conversation needs."""

    name: str
    address: str
    axl_port: int = 8443
    sip_port: int = 5060
    sip_tls_port: int = 5061
    sip_peer_tls_port: int = 5062
    username: str = ""
    password: Secret = field(default=Secret(""), repr=False)
    trust: Trust = Trust()
    policy: Policy = Policy()
    generation: str | None = None
    axl_version: str | None = None
    control_center: str | None = None
