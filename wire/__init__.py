"""One door to the clusters: AXL, Control Center, SIP, TLS, DNS.

Knows no Django and no settings; imports nothing of the project.
"""

from wire import platforms, sql
from wire.axl import AxlClient
from wire.connect import connect_time, fetch_certificate
from wire.controlcenter import ControlCenterClient
from wire.deadline import Deadline
from wire.dns import Resolution, SrvTarget, resolve, reverse
from wire.errors import EXPLANATIONS, Code, WireError
from wire.host import Host, parse_host
from wire.limits import Backoff, Limiter, TokenBucket, Unlimited
from wire.node import NodeAddress, Policy, Trust
from wire.peer_table import PeerEntry, PeerTable, PeerTableClient, PeerValues
from wire.run import gather_limited, run, sockets, spare_collector
from wire.secret import Secret
from wire.services import ControlResult, Products, ServiceInfo, ServiceStatus
from wire.session import Session
from wire.sip import SipReply, options
from wire.sql import Query
from wire.tls import Certificate, Handshake

__all__ = [
    "EXPLANATIONS",
    "AxlClient",
    "Backoff",
    "Certificate",
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
    "Unlimited",
    "WireError",
    "connect_time",
    "fetch_certificate",
    "gather_limited",
    "options",
    "parse_host",
    "platforms",
    "resolve",
    "reverse",
    "run",
    "sockets",
    "spare_collector",
    "sql",
]
