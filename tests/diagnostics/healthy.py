"""Facts of a healthy mesh of two clusters, to be spoilt one at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from diagnostics.answers import Answer, Failure
from diagnostics.facts import (
    ClusterFacts,
    Facts,
    HaNode,
    ImAddress,
    NodeFacts,
    PeerFacts,
    ProcessNode,
    Subcluster,
    SyncAgentSettings,
    UserFaults,
)
from wire import Certificate, PeerEntry, Resolution, ServiceStatus, SipReply, platforms

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
UP = SipReply(True, 200, "OK", 5.0)
NOTHING = Answer((), None, 1.0)


def failure(code, message="It failed.", remedy="Mend it."):
    return Answer(failure=Failure(code, message, remedy))


def certificate(days=300, fingerprint="ab" * 32, tls_version="TLSv1.3"):
    return Certificate(
        fingerprint=fingerprint,
        subject="CN=node",
        issuer="CN=node",
        not_before=NOW - timedelta(days=30),
        not_after=NOW + timedelta(days=days, hours=1),
        names=("node.example.com",),
        key_bits=2048,
        self_signed=True,
        pem="",
        signature_algorithm="sha256WithRSAEncryption",
        tls_version=tls_version,
    )


def node(n, m, publisher=False, **spoilt):
    profile = platforms.profile_of("cup8")
    names = [profile.sync_agent, *profile.services.values()]
    return NodeFacts(
        **{
            "id": f"node{n}{m}",
            "name": f"cup{n}-{m}.example.com",
            "address": f"10.0.{n}.{m}",
            "publisher": publisher,
            "confirmed": "ab" * 32,
            "connect": Answer(1.0),
            "certificate": Answer(certificate()),
            "axl": Answer(1, None, 20.0),
            "services": Answer(tuple(ServiceStatus(x, "started") for x in names)),
            "sip": {name: Answer(UP) for name in ("UDP", "TCP", "TLS")},
            "forward": Answer((f"10.0.{n}.{m}",), None, 5.0),
            "backward": Answer((f"cup{n}-{m}.example.com",)),
            "clock_offset": 0.2,
            **spoilt,
        }
    )


def entry(to, **spoilt):
    return PeerEntry(**{"address": to, "username": "ic", "protocol": "TCP", **spoilt})


def cluster(n, other, **spoilt):
    ours, theirs = f"cup{n}-1.example.com", f"cup{other}-1.example.com"
    counts = {ours: 10 * n, theirs: 10 * other}
    return ClusterFacts(
        **{
            "id": f"cluster{n}",
            "name": f"cup{n}",
            "domain": "example.com",
            "address_scheme": "user_id",
            "generation": "cup8",
            "direct": True,
            "nodes": (node(n, 1, True), node(n, 2)),
            "version": Answer("8.6.5.10000(12)"),
            "process_nodes": Answer(
                (ProcessNode(ours, True), ProcessNode(f"cup{n}-2.example.com", False))
            ),
            "users": Answer(counts),
            "peers": Answer((entry(f"10.0.{other}.1"),)),
            "unassigned": Answer(0),
            "sync_agent": Answer(SyncAgentSettings(True, "Completed today")),
            "subclusters": Answer((Subcluster("1", "Default", True),)),
            "ha_nodes": Answer((HaNode(ours, "1", "3"),)),
            "im_addresses": Answer(
                (ImAddress("anna", "anna@example.com", "a.b@mail.example", ours),)
            ),
            "user_faults": UserFaults(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
            **spoilt,
        }
    )


def peer(n, other, **spoilt):
    return PeerFacts(
        **{
            "id": f"peer{n}{other}",
            "home": f"cluster{n}",
            "remote": f"cluster{other}",
            "address": f"10.0.{other}.1",
            "username": "ic",
            "target": f"node{other}1",
            "resolution": Answer(Resolution((f"10.0.{other}.1",)), None, 3.0),
            "connect": Answer(1.0),
            "certificate": Answer(certificate()),
            "axl": Answer(1),
            "sip": Answer(UP),
            **spoilt,
        }
    )


def facts(one=None, two=None, there=None, back=None, **spoilt):
    """Give the facts of a healthy mesh, with any part of it replaced."""
    clusters = [one or cluster(1, 2), two or cluster(2, 1)]
    peers = [there or peer(1, 2), back or peer(2, 1)]
    return Facts(
        **{
            "at": NOW,
            "clusters": {c.id: c for c in clusters},
            "peers": {p.id: p for p in peers},
            "held": {(p.home, p.remote): p for p in peers if p.remote},
            "shared": dict.fromkeys(("userid", "directory_uri", "mail_id"), NOTHING),
            **spoilt,
        }
    )


def without_service(node_facts, name, status="stopped", **fields):
    """Give the node with one service in another state; None takes it away."""
    services = [s for s in node_facts.services.value if s.name != name]
    if status:
        services.append(ServiceStatus(name, status, **fields))
    return replace(node_facts, services=Answer(tuple(services)))
