"""What differs between the product's generations, as data."""

from dataclasses import dataclass

SCHEMAS = [
    "1.0",
    "6.0",
    "6.1",
    "7.0",
    "7.1",
    "8.0",
    "8.5",
    "9.0",
    "9.1",
    "10.0",
    "10.5",
    "11.0",
    "11.5",
    "12.0",
    "12.5",
    "14.0",
    "15.0",
]

RELEASES = {
    "7.0": "7.0.9.10000(6)",
    "7.1": "7.1.3.10000(11)",
    "8.0": "8.0.4.10000(18)",
    "8.5": "8.5.4.10000(24)",
    "8.6": "8.6.5.10000(12)",
    "9.1": "9.1.1.31900(1)",
    "10.5": "10.5.2.20000(2)",
    "11.5": "11.5.1.12900(25)",
    "12.5": "12.5.1.17900(64)",
    "14": "14.0.1.12901(1)",
    "15": "15.0.1.11901(2)",
}
DEFAULT_RELEASE = {"cup7": "7.0", "cup8": "8.6", "imp": "12.5"}


@dataclass(frozen=True)
class ServiceKind:
    """One network service as the Control Center lists it."""

    name: str
    group: str
    servlet: bool = False
    deployable: bool = False
    restrict: str = "none"
    product: str = "Common"


@dataclass(frozen=True)
class LabRelease:
    """One release of the product: what its nodes offer and how they speak."""

    generation: str
    short: str
    version: str
    schemas: tuple[str, ...]

    @property
    def major(self) -> int:
        return int(self.short.split(".")[0])

    @property
    def old_faults(self) -> bool:
        return self.generation == "cup7"

    @property
    def control_centers(self) -> tuple[str, ...]:
        return ("legacy",) if self.generation == "cup7" else ("new", "legacy")

    @property
    def shows_certificates(self) -> bool:
        """Tell whether the platform shows its certificates to a program."""
        return self.major >= 14

    @property
    def sync_agent(self) -> str:
        return _product_name(self.generation, "Intercluster Sync Agent")

    @property
    def sip_proxy(self) -> str:
        return _product_name(self.generation, "SIP Proxy")

    @property
    def telephone_in_enduser(self) -> bool:
        """Tell whether enduser has telephonenumber: not in the attested IM&P list."""
        return self.generation != "imp"

    @property
    def services(self) -> tuple[ServiceKind, ...]:
        return _product_services(self.generation) + PLATFORM_SERVICES

    def unsupported_text(self, schemas: tuple[str, ...]) -> str:
        """Return the words of HTTP status 599 in this release's dialect."""
        if self.major < 12:
            return (
                "The specified version is not available.  Available versions are "
                + _enumerate(list(schemas))
            )
        return "Incorrect axl version. Supported axl versions are " + _enumerate(
            _grouped(schemas)
        )


def generation_of(short: str) -> str:
    major = int(short.split(".")[0])
    return "cup7" if major < 8 else "cup8" if major < 9 else "imp"


def release(generation: str, short: str | None = None) -> LabRelease:
    """Return a release of a generation, or the one that a version string names."""
    if short:
        short = short if short in RELEASES else ".".join(short.split(".")[:2])
        if short not in RELEASES:
            raise ValueError(f"unknown version {short}; known: {', '.join(RELEASES)}")
        generation = generation_of(short)
    elif generation not in DEFAULT_RELEASE:
        known = ", ".join(DEFAULT_RELEASE)
        raise ValueError(f"unknown generation {generation}; known: {known}")
    short = short or DEFAULT_RELEASE[generation]
    return LabRelease(generation, short, RELEASES[short], _schemas(short))


def _schemas(short: str) -> tuple[str, ...]:
    newest = float(short) if float(short) >= 8 else 7.1
    oldest = {7: 1.0, 8: 1.0, 9: 7.0, 14: 10.0, 15: 12.0}.get(int(newest), 8.0)
    return tuple(s for s in SCHEMAS if oldest <= float(s) <= newest)


def _enumerate(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _grouped(schemas: tuple[str, ...]) -> list[str]:
    majors: dict[str, list[str]] = {}
    for schema in schemas:
        majors.setdefault(schema.split(".")[0], []).append(schema)
    return [all_[0] if len(all_) == 1 else f"{m}.x" for m, all_ in majors.items()]


def _product_name(generation: str, what: str) -> str:
    return f"Cisco {what}" if generation == "imp" else f"Cisco UP {what}"


PLATFORM_SERVICES = (
    ServiceKind(
        "Cisco AXL Web Service", "Database and Admin Services", True, deployable=True
    ),
    ServiceKind("A Cisco DB", "DB Services", restrict="DoNotStop"),
    ServiceKind("A Cisco DB Replicator", "DB Services"),
    ServiceKind("Cisco Tomcat", "Platform Services", restrict="DoNotStop"),
    ServiceKind("SNMP Master Agent", "Platform Services"),
    ServiceKind("Host Resources Agent", "Platform Services"),
    ServiceKind("Cisco CDP", "System Services"),
    ServiceKind("Cisco Syslog Agent", "Platform Services"),
    ServiceKind("Cisco Certificate Expiry Monitor", "Platform Services"),
    ServiceKind("Cisco Log Partition Monitoring Tool", "Performance and Monitoring"),
    ServiceKind("Cisco RIS Data Collector", "Performance and Monitoring"),
    ServiceKind("Cisco AMC Service", "Performance and Monitoring"),
    ServiceKind(
        "Cisco Serviceability Reporter", "Performance and Monitoring", deployable=True
    ),
    ServiceKind("Cisco DRF Local", "Backup and Restore Services"),
    ServiceKind(
        "Cisco DRF Master", "Backup and Restore Services", restrict="PrimaryNode"
    ),
)

_FEATURES = ("SIP Proxy", "Presence Engine")
_NETWORK = (
    "Sync Agent",
    "Intercluster Sync Agent",
    "Config Agent",
    "OAM Agent",
    "Client Profile Agent",
)
_XCP = (
    "XCP Router",
    "XCP Config Manager",
    "XCP Connection Manager",
    "XCP Authentication Service",
    "XCP SIP Federation Connection Manager",
)
_ACTIVATED = (*_FEATURES, *_XCP[2:])
_IMP = ("Server Recovery Manager", "IM and Presence Data Monitor")


def _product_services(generation: str) -> tuple[ServiceKind, ...]:
    names = {
        "cup7": _FEATURES + _NETWORK,
        "cup8": _FEATURES + _NETWORK + _XCP,
        "imp": _FEATURES + _NETWORK + _XCP + _IMP,
    }[generation]
    group = "IM and Presence Services" if generation == "imp" else "CUP Services"
    return tuple(
        ServiceKind(
            _product_name(generation, name),
            group,
            deployable=name in _ACTIVATED,
            product="CUP",
        )
        for name in names
    )
