"""What the overview says of each fault of the lab, and where its link leads."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab import faults

Kind = tuple[str, str]

# What must be done until the console can know: a sweep, a run of the troubleshooter,
# a reading of certificates, or a proof of presence.
SWEEP, RUN, READ, PROVE = "sweep", "run", "read", "prove"
PUBLISHER, SUBSCRIBER, CLUSTER = "cup2-pub.lab.example", "cup2-sub1.lab.example", "cup2"

# What stands for <ms> and the like, and parameters that make a fault quick or visible.
WRITTEN = {
    ("clock", "<seconds>"): "400",
    ("sip", "<status>"): "503",
    ("dns", "slow"): "slow:9",
}
PARAMETERS = {"bomb": "20", "endless-headers": "1", "slow": "9"}


@dataclass(frozen=True)
class LabFault:
    """A fault of the lab."""

    area: str
    value: str

    def __str__(self) -> str:
        return f"{self.area}-{self.value}"

    @property
    def text(self) -> str:
        """The fault as the lab takes it, with its parameter."""
        return written(self.area, self.value)


@dataclass(frozen=True)
class Expected(LabFault):
    """The one problem of a fault: its code and severity, what it names, its fix."""

    on: str
    code: str
    severity: str
    fix: str
    by: str = SWEEP
    names: str = ""


def written(area: str, value: str) -> str:
    if text := WRITTEN.get((area, value)):
        return text
    more = PARAMETERS.get(value)
    return f"{value}:{more}" if more else value


def group(
    area: str, on: str, code: str, severity: str, fix: str, values: str, **more: str
) -> Iterator[Expected]:
    for value in values.split():
        yield Expected(area, value, on, code, severity, fix, **more)


NODE, SERVICES = "clusters:show_node", "services:show"
EDIT_CLUSTER, EDIT_NODE = "clusters:edit_cluster", "clusters:edit_node"
PASSWORD = f"{EDIT_CLUSTER}#id_axl_password"
ROLE = f"{EDIT_CLUSTER}#id_axl_username"
CANARY = "clusters:show_cluster#canary-head"
PRESENCE = "peers:edit_peer#status"
RESULTS = "diagnostics:run"
DUPLICATES = "directory:duplicates"

CUT = "cut-headers cut-body hang-up reset"
MUTE = "stall slow stall-body drip"
NEVER_ANSWERS = (*MUTE.split(), "silent")
GARBLED = "not-http bad-length endless-headers"
NOT_SOAP = "html-200 latin1 control-characters entities"


def nodes() -> Iterator[Expected]:
    silent = PUBLISHER, "node_unreachable", "failed", NODE
    yield Expected("node", "down", SUBSCRIBER, *silent[1:])
    yield from group("tls", *silent, "stall reset")
    changed = PUBLISHER, "certificate_changed", "failed", "clusters:certificate"
    yield from group("tls", *changed, "changed expired")
    tls = PUBLISHER, "node_axl", "failed", f"{EDIT_CLUSTER}#id_legacy_tls"
    yield from group("tls", *tls, "legacy plain")
    yield from group("sip", PUBLISHER, "peer_sip", "failed", SERVICES, "<status>")
    yield from group("sip", PUBLISHER, "peer_sip", "failed", SERVICES, "silent reset")
    clock = SUBSCRIBER, "test_clock", "failed", RESULTS
    yield from group("clock", *clock, "<seconds>", by=RUN)


def axl() -> Iterator[Expected]:
    def of(values: str, fix: str = NODE, code: str = "node_axl") -> Iterator[Expected]:
        yield from group("axl", PUBLISHER, code, "failed", fix, values)

    named = {"names": CLUSTER}
    role = "axl", PUBLISHER, "role_missing", "failed", ROLE
    yield from group(*role, "no-role html-403", **named)
    refused = "axl", PUBLISHER, "credentials_refused", "failed", PASSWORD
    yield from group(*refused, "html-401", **named)
    yield from of("off html-404 html-503", SERVICES)
    yield from of("versions", "clusters:show_cluster")
    yield from of("redirect", f"{EDIT_NODE}#id_address")
    yield from of(GARBLED, f"{EDIT_NODE}#id_axl_port")
    yield from of(NOT_SOAP)
    yield from of("status empty truncated-xml bomb error memory throttle")
    yield from of(f"{MUTE} {CUT}", NODE, "node_unreachable")


def control_center() -> Iterator[Expected]:
    unread = "control_center", SUBSCRIBER, "services_unread", "unknown"
    yield from group(*unread, PASSWORD, "html-401")
    yield from group(*unread, ROLE, "html-403")
    refused = "html-404 html-503 status empty redirect throttle off"
    yield from group(*unread, SERVICES, refused)
    broken = f"html-200 entities truncated-xml bomb {MUTE} {CUT} {GARBLED}"
    yield from group(*unread, SERVICES, broken)


def data() -> Iterator[Expected]:
    one_sided = CLUSTER, "entry_removed", "failed", "peers:drift", "one-sided"
    yield from group("peers", *one_sided, names="cup1")
    skip = CLUSTER, "peer_associated_users", "failed", "peers:resync", "skip"
    yield from group("agent", *skip)
    unresolved = CLUSTER, "peer_address", "failed", "peers:edit_peer#id_address"
    names = {"names": PUBLISHER}
    yield from group("dns", *unresolved, "silent slow nxdomain servfail", **names)
    reverse = CLUSTER, "test_dns_reverse", "failed", RESULTS, "no-ptr"
    yield from group("dns", *reverse, by=RUN, **names)
    for value, code, severity in (
        ("duplicate", "test_unique_userids", "failed"),
        ("duplicate-uri", "test_unique_uris", "failed"),
        ("duplicate-mail", "test_unique_mails", "warning"),
        ("no-uri", "test_uri_configured", "warning"),
        ("invalid-uri", "test_valid_uris", "failed"),
    ):
        yield Expected("users", value, CLUSTER, code, severity, DUPLICATES, RUN)
    for area, value, code, severity in (
        ("users", "unassigned", "test_unassigned_users", "warning"),
        ("topology", "failover", "test_ha_normal", "failed"),
        ("topology", "free-node", "test_assigned_nodes", "warning"),
        ("topology", "no-ha", "test_ha_enabled", "warning"),
        ("sync", "failed", "test_sync_data", "failed"),
    ):
        yield Expected(area, value, CLUSTER, code, severity, RESULTS, RUN)


def certificates() -> Iterator[Expected]:
    refused = CLUSTER, "os_account_refused", "warning"
    account = f"{EDIT_CLUSTER}#id_os_password"
    area, by = "certificates", {"by": READ}
    yield from group(area, *refused, account, "no-role html-401 html-403", **by)
    missing = CLUSTER, "trust_missing", "failed", "exchange:show", "missing-trust"
    yield from group(area, *missing, **by)
    unread = CLUSTER, "certificates_unread", "unknown", NODE
    answers = "html-200 html-503 status empty redirect truncated-xml entities bomb"
    kinds = f"{answers} {MUTE} {CUT} {GARBLED}"
    yield from group(area, *unread, kinds, **by)
    ends = PUBLISHER, "exchanged_expiring", "warning", NODE, "expiring"
    yield from group(area, *ends, **by)
    ended = PUBLISHER, "exchanged_expired", "failed", NODE, "expired"
    yield from group(area, *ended, **by)


def presence() -> Iterator[Expected]:
    def of(severity: str, fix: str, values: str) -> Iterator[Expected]:
        seen = "presence", CLUSTER, "peer_presence", severity, fix, values
        yield from group(*seen, by=PROVE)

    yield from of("warning", PRESENCE, "blocked")
    yield from of("failed", PRESENCE, "frozen silent")
    yield from of("unknown", PRESENCE, "full")
    refused = "no-role html-401 html-403 html-404 html-503 status empty redirect"
    yield from of("unknown", CANARY, refused)
    yield from of("unknown", CANARY, f"{NOT_SOAP} truncated-xml bomb {GARBLED}")
    yield from of("failed", CANARY, f"{MUTE} {CUT}")


def areas(name: str, values: str, reason: str) -> dict[Kind, str]:
    return {(name, value): reason for value in values.split()}


# Set and swept all the same: the console works on and says nothing.
HARMLESS = {
    **areas("axl", "stale-session", "the console signs in again"),
    **areas("axl", "no-version", "the version is optional"),
    **areas("axl", "old-namespace wrong-namespace", "namespaces are not compared"),
    **areas("axl", "reversed", "columns are read by name"),
    **areas("axl", "too-large", "a large answer is asked for in parts"),
    **areas("control_center", "legacy-only", "the older Control Center is asked"),
    **areas("control_center", "rate", "the console stays below the limit"),
    **areas("control_center", "multiref inline", "both styles are read"),
    **areas("control_center", "wrong-namespace reversed", "fields are read by name"),
    **areas(
        "control_center",
        "scrambled latin1 control-characters",
        "what is broken is the product's list, the names of services are known",
    ),
    **areas("catalogue", "refused missing no-role", "the peer table is known"),
    **areas("decoys", "all copy", "the peer table is known"),
    **areas("replication", "stale", "only the publisher's database is asked"),
    **areas("certificates", "off html-404", "the interface is optional"),
    **areas("certificates", "latin1 control-characters", "only the PEM texts count"),
    **areas("certificates", "broken-pem", "trust is shown as unknown, not as good"),
    **areas("certificates", "wrong-namespace reversed", "the answer is JSON"),
    **areas("presence", "no-snapshot", "the subscription shows the state"),
    **areas("presence", "rich-only", "rich answers are asked for"),
    **areas("presence", "wrong-namespace", "namespaces are not compared"),
}
# Not set: no status can see them.
UNSEEN = {("presence", "reversed"): "the schema of the service fixes the order"}
# Those of the product's own pages, which only clusters provisioned by them read:
# tests/overview/page_catalogue.py.
OF_PAGES = {
    kind
    for kind in faults.REGISTRY
    if kind[0] == "pages" or kind[0].startswith("page_")
}
EXPECTED = {
    (one.area, one.value): one
    for source in (nodes, axl, control_center, data, certificates, presence)
    for one in source()
}
