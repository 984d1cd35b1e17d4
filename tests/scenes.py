"""Fixed states of the console: no cluster, three, sixty; the same rows each time."""

import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from clusters.models import Cluster, Node
from diagnostics.judge.status import ENTRIES
from diagnostics.judge.tests import Level, Test, ordered_tests
from diagnostics.models import PeerCheck, TroubleshooterResult, TroubleshooterRun
from exchange.models import KnownCertificate, NodeCertificates
from history import rollup
from jobs.models import Job
from mesh.models import UsersSeen
from peers.models import Peer
from services.models import NodeReading, Service

AGENT = "Cisco Intercluster Sync Agent"
SITES = ("EMEA-central-Vienna", "EMEA-west-Dublin", "APAC-Singapore", "AMER-east-NYC")
# Of a hundred peers of the large mesh, so many are not well; and so many are missing.
FAILED, WARNED, UNKNOWN, MISSING = 3, 3, 2, 1


def scene(number: int, now: datetime | None = None) -> None:
    """Fill an empty database with a mesh of so many clusters."""
    chance = random.Random(number)
    now = now or datetime.now(UTC)
    clusters = [cluster(n, number, chance) for n in range(number)]
    Cluster.objects.bulk_create(clusters)
    nodes = [
        node(one, n, role)
        for n, one in enumerate(clusters)
        for role in ("publisher", "subscriber")
    ]
    for one in nodes:
        one.certificate_not_after = now + timedelta(days=400)
    Node.objects.bulk_create(nodes)
    NodeReading.objects.bulk_create(
        NodeReading(node=one, tried_at=now, observed_at=now) for one in nodes
    )
    Service.objects.bulk_create(
        Service(node=one, name=AGENT, status="started", observed_at=now)
        for one in nodes
    )
    Cluster.objects.update(checked_at=now)
    # Neighbours were looked for, and there are none: the first steps are done.
    UsersSeen.objects.bulk_create(
        UsersSeen(cluster=one, read_at=now) for one in clusters
    )
    mesh(clusters, nodes[::2], chance, now)
    certificates(nodes, chance, now)
    if clusters:
        swept(now)
        run(clusters, nodes, chance, now)


def cluster(n: int, number: int, chance: random.Random) -> Cluster:
    name = f"cup{n + 1}"
    if number > 10:
        name = f"{SITES[n % len(SITES)]}-presence-cluster-{n // len(SITES) + 1:02}"
    made = Cluster(
        id=UUID(int=chance.getrandbits(128), version=4),
        name=name,
        domain="example.com",
        site=SITES[n % len(SITES)],
        axl_username="axladmin",
        provisioning="direct",
        generation="imp",
        version="12.5.1.18900-5",
        health="ok",
    )
    made.seal("axl_password", "open sesame")
    return made


def node(of: Cluster, n: int, role: str) -> Node:
    sub = role == "subscriber"
    return Node(
        cluster=of,
        role=role,
        name=f"{'sub' if sub else 'pub'}.{of.name.lower()}.example.com",
        address=f"127.66.{n + 1}.{2 if sub else 1}",
        certificate_fingerprint=f"{n:02x}" * 32,
        certificate_state="trusted",
    )


def mesh(
    clusters: list[Cluster],
    publishers: list[Node],
    chance: random.Random,
    now: datetime,
) -> None:
    users = {one.pk: chance.randrange(200, 15_000) for one in clusters}
    peers = []
    seen = {"seen_at": now.isoformat()}
    for home in clusters:
        for remote, publisher in zip(clusters, publishers, strict=True):
            drawn = chance.randrange(100) if len(clusters) > 3 else 50
            if home is remote or drawn < MISSING:
                continue
            peer = Peer(
                id=UUID(int=chance.getrandbits(128), version=4),
                cluster=home,
                remote_cluster=remote,
                address=publisher.name,
                applied_address=publisher.name,
                username="intercluster",
                provisioning_state="applied",
                outcome=outcome_of(drawn),
                remote_users=users[remote.pk],
                associated_users=users[remote.pk],
                checked_at=now - timedelta(seconds=chance.randrange(300)),
                entries=[entry | seen for entry in PASSED],
            )
            peer.seal("password", "open sesame")
            if peer.outcome == "failed":
                peer.associated_users = 0
                peer.entries = [
                    (CONNECT if entry["code"] == "sip" else entry) | seen
                    for entry in PASSED
                ]
            peers.append(peer)
    Peer.objects.bulk_create(peers)
    past(peers[:6], chance, now)


PASSED = [
    {
        "code": one.code,
        "label": one.label,
        "outcome": "passed",
        "evidence": str(one.known_by),
        "problem": "",
        "solution": "",
        "fix_url": "",
        "duration_ms": 12.0,
    }
    for one in ENTRIES
]
CONNECT = {
    "code": "sip",
    "label": "SIP answers over the preferred protocol.",
    "outcome": "failed",
    "evidence": "probe",
    "problem": "SIP does not answer on port 5060.",
    "solution": "Check that the node is up and that no firewall is in between.",
    "fix_url": "",
    "duration_ms": 5000,
}


def outcome_of(drawn: int) -> str:
    for limit, outcome in (
        (MISSING + FAILED, "failed"),
        (MISSING + FAILED + WARNED, "warning"),
        (MISSING + FAILED + WARNED + UNKNOWN, "unknown"),
    ):
        if drawn < limit:
            return outcome
    return "passed"


def past(peers: list[Peer], chance: random.Random, now: datetime) -> None:
    """A fortnight of checks, every hour, with an outage."""
    PeerCheck.objects.bulk_create(
        PeerCheck(
            peer=peer,
            at=now - timedelta(hours=n),
            outcome="failed" if 60 < n < 72 else "passed",
            associated_users=None if 60 < n < 72 else peer.associated_users,
            remote_users=peer.remote_users,
        )
        for peer in peers
        for n in range(336)
    )
    rollup.roll_up()


def certificates(nodes: list[Node], chance: random.Random, now: datetime) -> None:
    """Each node trusts the others, but for a few; two clusters have no account."""
    services = ("tomcat", "cup", "cup-xmpp")
    made = {
        (node.pk, service): KnownCertificate(
            fingerprint=f"{chance.getrandbits(256):064x}",
            subject=f"CN={node.name}",
            issuer=f"CN={node.name}",
            common_name=node.name,
            not_before=now - timedelta(days=100),
            not_after=now + timedelta(days=12 if n == 5 else 400 + n, hours=1),
            self_signed=True,
            key_hash=f"{n}{service}",
            pem="",
        )
        for n, node in enumerate(nodes)
        for service in services
    }
    KnownCertificate.objects.bulk_create(made.values())
    for n, node in enumerate(nodes):
        seen = n >= 4
        lacks = nodes[2].pk if n % 9 == 4 else None
        held = {
            service: {
                "certificates": [
                    one.pk
                    for (pk, name), one in made.items()
                    if name == service and pk != lacks
                ],
                "unreadable": 0,
            }
            for service in services
        }
        NodeCertificates.objects.create(
            node=node,
            seen_by="rest" if seen else "tls",
            seen_at=now,
            tried_at=now,
            identities={
                service: made[node.pk, service].pk
                for service in (services if seen else services[:2])
            },
            trusts=held if seen else {},
            problem="" if seen else "No OS administrator is entered.",
        )
    with_account = {node.cluster_id for node in nodes[4:]}
    Cluster.objects.filter(pk__in=with_account).update(os_username="osadmin")


def swept(now: datetime) -> None:
    """The last sweep, which a worker has done."""
    job = Job.objects.submit("sweep", [], label="All clusters")
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.SUCCEEDED,
        started_at=now - timedelta(seconds=9),
        finished_at=now,
    )


def run(
    clusters: list[Cluster], nodes: list[Node], chance: random.Random, now: datetime
) -> None:
    """A run of the troubleshooter over everything, with a few tests that failed."""
    made = TroubleshooterRun.objects.create(
        clusters=[{"id": str(one.pk), "name": one.name} for one in clusters],
        started_at=now - timedelta(seconds=14),
        peers=[
            {
                "home": peer.cluster.name,
                "address": peer.address,
                "remote": peer.remote_cluster.name,
                "protocol": peer.protocol,
                "associated_users": peer.associated_users,
                "remote_users": peer.remote_users,
            }
            for peer in Peer.objects.select_related("cluster", "remote_cluster")
        ],
    )
    rows = [
        result(made, test, chance, **about)
        for test in ordered_tests()
        for about in subjects(test.scope, clusters, nodes)
    ]
    for position, row in enumerate(rows):
        row.position = position
    TroubleshooterResult.objects.bulk_create(rows)
    counts = Counter(row.outcome for row in rows)
    outcomes = TroubleshooterResult.Outcome.values
    made.finish({outcome: counts[outcome] for outcome in outcomes}, now)


def subjects(
    scope: Level, clusters: list[Cluster], nodes: list[Node]
) -> list[dict[str, Any]]:
    """What a test has a row for each of."""
    if scope == Level.MESH:
        return [{}]
    if scope == Level.CLUSTER:
        return [{"cluster": one, "cluster_name": one.name} for one in clusters]
    if scope == Level.NODE:
        return [
            {
                "cluster": one.cluster,
                "cluster_name": one.cluster.name,
                "node": one,
                "node_name": one.name,
            }
            for one in nodes
        ]
    return [
        {
            "cluster": peer.cluster,
            "cluster_name": peer.cluster.name,
            "peer": peer,
            "peer_address": peer.address,
        }
        # Those of the first clusters: a run over sixty has as many rows as it can.
        for peer in Peer.objects.select_related("cluster")[:240]
    ]


def result(
    made: TroubleshooterRun, test: Test, chance: random.Random, **about: Any
) -> TroubleshooterResult:
    drawn = chance.randrange(400)
    outcome = {0: "failed", 1: "warning", 2: "information"}.get(drawn, "passed")
    if outcome not in test.meaning:
        outcome = "passed"
    return TroubleshooterResult(
        run=made,
        section=test.section.value,
        code=test.code,
        description=test.description,
        outcome=outcome,
        problem=problem_text(test, outcome, about) if outcome != "passed" else "",
        solution=test.remedy if outcome in ("failed", "warning") else "",
        **about,
    )


def problem_text(test: Test, outcome: str, about: dict[str, Any]) -> str:
    """What the test says; of a service by its name, as its judge does."""
    pattern = r"Verify (?:that the (.+) service is running|the status of (.+)\.)"
    service = re.match(pattern, test.description)
    if service and outcome == "failed":
        return f"{service[1] or service[2]} is stopped on {about['node_name']}."
    return test.meaning[outcome]
