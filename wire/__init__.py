"""One door to the clusters: AXL, Control Center, certificates, SIP, TLS, DNS.

Knows no Django and no settings; imports nothing of the project.
"""

from wire import platforms, sql
from wire.axl import AxlClient
from wire.certificates import CertificateSnapshot, TrustList, certificate_snapshot
from wire.connect import confirmed_certificate, connect_time, fetch_certificate
from wire.controlcenter import ControlCenterClient
from wire.deadline import Deadline
from wire.dns import Resolution, SrvTarget, resolve_host, reverse_names
from wire.errors import EXPLANATIONS, Code, WireError
from wire.host import Host, address_of, parse_host, plain_host
from wire.limits import Backoff, Limiter, TokenBucket, Unlimited
from wire.lookups import remembered_names
from wire.loop import gather_limited, run_loop, socket_limit, spare_collector
from wire.node import NodeAddress, Policy, Trust
from wire.peer_table import PeerEntry, PeerTable, PeerTableClient, PeerValues
from wire.secret import Secret
from wire.services import ControlResult, Products, ServiceInfo, ServiceStatus
from wire.session import Session
from wire.sip import SipReply, send_options
from wire.sql import Query
from wire.tls import Certificate, Handshake
from wire.xml import count_of

__all__ = [
    "EXPLANATIONS",
    "AxlClient",
    "Backoff",
    "Certificate",
    "CertificateSnapshot",
    "Code",
    "ControlCenterClient",
    "ControlResult",
    "Deadline",
    "Handshake",
    "Host",
    "Limiter",
    "NodeAddress",
    "PeerEntry",
    "PeerTable",
    "PeerTableClient",
    "PeerValues",
    "Policy",
    "Products",
    "Query",
    "Resolution",
    "Secret",
    "ServiceInfo",
    "ServiceStatus",
    "Session",
    "SipReply",
    "SrvTarget",
    "TokenBucket",
    "Trust",
    "TrustList",
    "Unlimited",
    "WireError",
    "certificate_snapshot",
    "confirmed_certificate",
    "connect_time",
    "count_of",
    "fetch_certificate",
    "gather_limited",
    "send_options",
    "address_of",
    "parse_host",
    "plain_host",
    "platforms",
    "remembered_names",
    "resolve_host",
    "reverse_names",
    "run_loop",
    "socket_limit",
    "spare_collector",
    "sql",
]
