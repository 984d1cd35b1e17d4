"""Everything that can be made to go wrong at run time: one registry of faults.

A fault is written AREA=VALUE, with a parameter as AREA=VALUE:PARAMETER and a number of
times as AREA=VALUE*TIMES. It is set on a node, a cluster or the whole lab; the narrower
setting wins. TIMES has no meaning for node, tls, latency, clock and wrong data.
"""

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

FORM = re.compile(r"(?P<value>[^:*]*)(?::(?P<parameter>[^*]*))?(?:\*(?P<times>\d+))?")


@dataclass(frozen=True)
class LabFault:
    """One way to misbehave: where, under what name, and what carries it out."""

    area: str
    value: str
    summary: str
    stage: str = "consulted"
    effect: Callable[..., Any] | None = None


@dataclass
class Setting:
    """A fault that is set, with its parameter and how often it still happens."""

    fault: LabFault
    value: str
    parameter: str = ""
    remaining: int | None = None

    def __str__(self) -> str:
        text = f"{self.fault.area}={self.value}"
        text += f":{self.parameter}" if self.parameter else ""
        return text + (f"*{self.remaining}" if self.remaining is not None else "")

    def number(self, default: float) -> float:
        return float(self.parameter) if self.parameter else default


REGISTRY: dict[tuple[str, str], LabFault] = {}


F = TypeVar("F", bound=Callable[..., Any])


def fault(areas: str, value: str, stage: str) -> Callable[[F], F]:
    """Register a function as what carries out a fault in the named areas."""

    def register(effect: F) -> F:
        summary = " ".join((effect.__doc__ or "").split())
        for area in areas.split():
            REGISTRY[area, value] = LabFault(area, value, summary, stage, effect)
        return effect

    return register


def register_consulted(area: str, value: str, summary: str) -> None:
    """Register a fault that the part concerned looks up for itself."""
    REGISTRY[area, value] = LabFault(area, value, summary)


register_consulted("node", "down", "all listeners of the node are closed")
register_consulted("latency", "<ms>", "every exchange takes one round trip of so long")
register_consulted(
    "clock", "<seconds>", "the node's clock (Date header) is off by so much"
)
register_consulted("tls", "changed", "another certificate is presented")
register_consulted("tls", "expired", "an expired certificate is presented")
register_consulted("tls", "legacy", "TLS 1.0 with AES128-SHA and a 1024-bit key only")
register_consulted(
    "tls", "stall", "connections are accepted, the handshake never answered"
)
register_consulted("tls", "plain", "the port speaks HTTP without TLS")
register_consulted("tls", "reset", "connections are reset before the handshake")
register_consulted(
    "axl", "read-only", "the AXL user has only the read-only role: writes get 401"
)
register_consulted("axl", "no-role", "the AXL user has lost its role: 403")
register_consulted("axl", "off", "the AXL service is off: 404")
register_consulted(
    "axl", "stale-session", "session cookies have expired: 404 for who sends one"
)
register_consulted(
    "axl", "versions", "only the schemas in the parameter, as versions:9.0,9.1"
)
register_consulted("axl", "no-version", "getCCMVersion is not offered")
register_consulted("axl", "old-namespace", "replies are in AXL/X.Y, not AXL/API/X.Y")
register_consulted(
    "axl", "too-large", "every query is too large beyond the parameter (10) rows"
)
register_consulted(
    "control_center", "legacy-only", "the newer Control Center answers 404"
)
register_consulted(
    "control_center", "rate", "at most the parameter (15) requests a minute"
)
register_consulted(
    "control_center", "refuse", "commands are refused with the code (-1042)"
)
register_consulted(
    "control_center", "stuck", "a service that starts never gets past Starting"
)
register_consulted(
    "control_center", "scrambled", "the product list has a scrambled row"
)
register_consulted("control_center", "multiref", "legacy replies use multiRef and href")
register_consulted("control_center", "inline", "legacy replies are inline")
register_consulted("sip", "<status>", "OPTIONS gets this status, as sip=403")
register_consulted("sip", "silent", "OPTIONS gets no answer")
register_consulted(
    "sip", "reset", "TCP and TLS connections are cut at the first request"
)
register_consulted(
    "presence", "blocked", "users of the cluster block watchers from others"
)
register_consulted(
    "presence", "frozen", "no state comes or goes; what came before stays"
)
register_consulted(
    "presence", "silent", "subscriptions are accepted and never show a state"
)
register_consulted("presence", "full", "no endpoint is free: 138")
register_consulted(
    "presence", "no-role", "the application user has lost its group: 140"
)
register_consulted(
    "presence", "no-snapshot", "contacts are shown by subscription only: 404"
)
register_consulted(
    "presence", "rich-only", "there are no short answers about presence: 404"
)
register_consulted("certificates", "off", "the certificate interface is not there: 404")
register_consulted("certificates", "no-role", "the OS administrator may not read: 403")
register_consulted(
    "certificates", "missing-trust", "trust lists lack the peers' certificates"
)
register_consulted(
    "certificates", "broken-pem", "no certificate in the answer can be read"
)
register_consulted(
    "certificates", "expiring", "the proxy's ends in the parameter (10) in days"
)
register_consulted("certificates", "expired", "the proxy's certificate has expired")
register_consulted("dns", "silent", "names of the node, cluster or lab get no answer")
register_consulted("dns", "slow", "answers take the parameter (3) in seconds")
register_consulted("dns", "no-ptr", "reverse look-ups find nothing")
register_consulted("dns", "nxdomain", "the names do not exist")
register_consulted("dns", "servfail", "the server fails")
register_consulted(
    "agent", "skip", "the sync agent leaves out the parameter (1) in users"
)
register_consulted("agent", "frozen", "the sync agent says Started but carries nothing")
register_consulted("agent", "leftovers", "users of a deleted peering stay as they were")
register_consulted(
    "catalogue", "refused", "no query may name systables or syscolumns: -272"
)
register_consulted(
    "catalogue", "missing", "there are no systables and syscolumns: -206"
)
register_consulted("catalogue", "no-role", "AXL refuses queries of the catalogue: 5003")
register_consulted("decoys", "all", "tables that look like a peer table and are none")
register_consulted(
    "decoys", "copy", "a copy of the peer table, as it is when this is set"
)
register_consulted(
    "peers", "one-sided", "entries on other clusters for this one are taken away"
)
register_consulted(
    "users", "duplicate", "the parameter (1) in users also live elsewhere"
)
register_consulted(
    "users", "duplicate-uri", "the parameter (1) in directory URIs are another's"
)
register_consulted("users", "unassigned", "the parameter (1) in users have no node")
register_consulted(
    "users", "no-uri", "the parameter (1) in users have no directory URI"
)
register_consulted(
    "users", "invalid-uri", "the parameter (1) in directory URIs are none"
)
register_consulted(
    "users", "duplicate-mail", "the parameter (1) in mail IDs are another's"
)
register_consulted("topology", "failover", "the nodes are in another state than Normal")
register_consulted("topology", "free-node", "the last node is in no subcluster")
register_consulted("topology", "no-ha", "no subcluster has high availability")
register_consulted(
    "sync", "failed", "the Sync Agent cannot connect to the call manager"
)
register_consulted(
    "replication", "stale", "reads of a subscriber show the data as it was"
)


class UnknownFault(ValueError):
    """A fault that the registry does not list."""


def parse_setting(area: str, text: str) -> Setting:
    """Return the setting that AREA=text names."""
    found = FORM.fullmatch(text.strip())
    value = found["value"] if found else text
    known = REGISTRY.get((area, value)) or _fault_of(area, value)
    if not found or not known:
        offered = sorted(v for a, v in REGISTRY if a == area)
        areas = sorted({a for a, _ in REGISTRY})
        raise UnknownFault(
            f"{area}={text} is not a fault; {area}: {', '.join(offered)}"
            if offered
            else f"{area} is not an area; there are {', '.join(areas)}"
        )
    times = int(found["times"]) if found["times"] else None
    return Setting(known, value, found["parameter"] or "", times)


def _fault_of(area: str, value: str) -> LabFault | None:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return None
    return next((f for (a, v), f in REGISTRY.items() if a == area and "<" in v), None)


class Faults:
    """The faults set on one thing; what is not set here is asked of the wider thing."""

    def __init__(self, wider: "Faults | None" = None) -> None:
        self.wider = wider
        self.settings: dict[str, Setting] = {}

    def set(self, area: str, text: str) -> Setting:
        setting = parse_setting(area, text)
        self.settings[area] = setting
        return setting

    def clear(self, area: str | None = None) -> list[Setting]:
        """Clear one area or all; return what was set."""
        areas = [area] if area else list(self.settings)
        return [s for a in areas if (s := self.settings.pop(a, None))]

    def get(self, area: str, value: str | None = None) -> Setting | None:
        """Return what is set in an area, if it is this value when one is given."""
        box: Faults | None = self
        setting = None
        while box and setting is None:
            setting = box.settings.get(area)
            box = box.wider
        if setting is None:
            return None
        if setting.remaining == 0 or (value and setting.value != value):
            return None
        return setting

    def take(self, area: str, value: str | None = None) -> Setting | None:
        """Return what is set and count it as having happened."""
        setting = self.get(area, value)
        if setting and setting.remaining is not None:
            setting.remaining -= 1
        return setting

    def amount(self, area: str) -> float:
        """Return a number that is itself the value, as in latency=50; 0 if unset."""
        setting = self.get(area)
        return float(setting.value) if setting else 0.0


def help_text() -> str:
    """Return the registry as text, an area after the other."""
    lines = []
    for area in dict.fromkeys(area for area, _ in REGISTRY):
        lines.append(f"\n{area}")
        for (of, value), known in REGISTRY.items():
            if of == area:
                lines += textwrap.wrap(
                    known.summary,
                    88,
                    initial_indent=f"  {value:<18} ",
                    subsequent_indent=" " * 21,
                )
    return "\n".join(lines)
