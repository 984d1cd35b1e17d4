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
class Fault:
    """One way to misbehave: where, under what name, and what carries it out."""

    area: str
    value: str
    summary: str
    stage: str = "consulted"
    effect: Callable[..., Any] | None = None


@dataclass
class Setting:
    """A fault that is set, with its parameter and how often it still happens."""

    fault: Fault
    value: str
    parameter: str = ""
    remaining: int | None = None

    def __str__(self) -> str:
        text = f"{self.fault.area}={self.value}"
        text += f":{self.parameter}" if self.parameter else ""
        return text + (f"*{self.remaining}" if self.remaining is not None else "")

    def number(self, default: float) -> float:
        return float(self.parameter) if self.parameter else default


REGISTRY: dict[tuple[str, str], Fault] = {}


F = TypeVar("F", bound=Callable[..., Any])


def fault(areas: str, value: str, stage: str) -> Callable[[F], F]:
    """Register a function as what carries out a fault in the named areas."""

    def register(effect: F) -> F:
        summary = " ".join((effect.__doc__ or "").split())
        for area in areas.split():
            REGISTRY[area, value] = Fault(area, value, summary, stage, effect)
        return effect

    return register


def consulted(area: str, value: str, summary: str) -> None:
    """Register a fault that the part concerned looks up for itself."""
    REGISTRY[area, value] = Fault(area, value, summary)


consulted("node", "down", "all listeners of the node are closed")
consulted("latency", "<ms>", "every exchange takes one round trip of so long")
consulted("clock", "<seconds>", "the node's clock (Date header) is off by so much")
consulted("tls", "changed", "another certificate is presented")
consulted("tls", "expired", "an expired certificate is presented")
consulted("tls", "legacy", "TLS 1.0 with AES128-SHA and a 1024-bit key only")
consulted("tls", "stall", "connections are accepted, the handshake never answered")
consulted("tls", "plain", "the port speaks HTTP without TLS")
consulted("tls", "reset", "connections are reset before the handshake")
consulted(
    "axl", "read-only", "the AXL user has only the read-only role: writes get 401"
)
consulted("axl", "no-role", "the AXL user has lost its role: 403")
consulted("axl", "off", "the AXL service is off: 404")
consulted("axl", "stale-session", "session cookies have expired: 404 for who sends one")
consulted("axl", "versions", "only the schemas in the parameter, as versions:9.0,9.1")
consulted("axl", "no-version", "getCCMVersion is not offered")
consulted("axl", "old-namespace", "replies are in AXL/X.Y, not AXL/API/X.Y")
consulted("axl", "too-large", "every query is too large beyond the parameter (10) rows")
consulted("control_center", "legacy-only", "the newer Control Center answers 404")
consulted("control_center", "rate", "at most the parameter (15) requests a minute")
consulted("control_center", "refuse", "commands are refused with the code (-1042)")
consulted("control_center", "stuck", "a service that starts never gets past Starting")
consulted("control_center", "scrambled", "the product list has a scrambled row")
consulted("control_center", "multiref", "legacy replies use multiRef and href")
consulted("control_center", "inline", "legacy replies are inline")
consulted("sip", "<status>", "OPTIONS gets this status, as sip=403")
consulted("sip", "silent", "OPTIONS gets no answer")
consulted("sip", "reset", "TCP and TLS connections are cut at the first request")
consulted("dns", "silent", "names of the node, cluster or lab get no answer")
consulted("dns", "slow", "answers take the parameter (3) in seconds")
consulted("dns", "no-ptr", "reverse look-ups find nothing")
consulted("dns", "nxdomain", "the names do not exist")
consulted("dns", "servfail", "the server fails")
consulted("agent", "skip", "the sync agent leaves out the parameter (1) in users")
consulted("agent", "frozen", "the sync agent says Started but carries nothing")
consulted("peers", "one-sided", "entries on other clusters for this one are taken away")
consulted("users", "duplicate", "the parameter (1) in users also live elsewhere")
consulted("users", "duplicate-uri", "the parameter (1) in directory URIs are another's")
consulted("users", "unassigned", "the parameter (1) in users have no node")
consulted("users", "no-uri", "the parameter (1) in users have no directory URI")
consulted("users", "invalid-uri", "the parameter (1) in directory URIs are none")
consulted("users", "duplicate-mail", "the parameter (1) in mail IDs are another's")
consulted("topology", "failover", "the nodes are in another state than Normal")
consulted("topology", "free-node", "the last node is in no subcluster")
consulted("topology", "no-ha", "no subcluster has high availability")
consulted("sync", "failed", "the Sync Agent cannot connect to the call manager")
consulted("replication", "stale", "reads of a subscriber show the data as it was")


class UnknownFault(ValueError):
    """A fault that the registry does not list."""


def parse(area: str, text: str) -> Setting:
    """Return the setting that AREA=text names."""
    found = FORM.fullmatch(text.strip())
    value = found["value"] if found else text
    known = REGISTRY.get((area, value)) or _free(area, value)
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


def _free(area: str, value: str) -> Fault | None:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return None
    return next((f for (a, v), f in REGISTRY.items() if a == area and "<" in v), None)


class Faults:
    """The faults set on one thing; what is not set here is asked of the wider thing."""

    def __init__(self, wider: "Faults | None" = None) -> None:
        self.wider = wider
        self.settings: dict[str, Setting] = {}

    def set(self, area: str, text: str) -> Setting:
        setting = parse(area, text)
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
