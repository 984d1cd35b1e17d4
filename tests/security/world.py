"""Two clusters with one of everything each: one to be seen, one to be hidden."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts import audit
from clusters.models import Cluster, Node
from diagnostics.models import PeerCheck, TroubleshooterResult, TroubleshooterRun
from directory import store
from directory.column_builder import Builder
from directory.columns import User
from directory.models import Comparison, Snapshot
from exchange.models import KnownCertificate, NodeCertificates
from jobs.models import Job
from mesh.models import ObservedPeerTable
from notifications.models import Maintenance
from overview.models import Problem, ProblemCluster, Renewal
from peers.models import Peer
from services.models import NodeReading, Service


@dataclass
class World:
    """A cluster and what hangs on it; `word` stands in every name."""

    word: str
    cluster: Cluster
    ids: dict[str, Any]


def make_world(word: str, cluster: Cluster) -> World:
    """Fill a cluster; its publisher bears its name."""
    node = cluster.publisher
    now = timezone.now()
    peer = Peer(cluster=cluster, address=f"{word}-peer.example.net", username=word)
    peer.outcome, peer.checked_at = "failed", now
    peer.entries = [
        {
            "code": "address",
            "label": "Address",
            "outcome": "failed",
            "problem": f"{word}-problem",
            "solution": "",
            "duration_ms": 1,
        }
    ]
    peer.seal("password", "open sesame")
    peer.save()
    Node.objects.filter(pk=node.pk).update(certificate_not_after=now)
    described = {"state": "ok", "seen_at": now.isoformat(), "problem": f"{word}-pages"}
    Cluster.objects.filter(pk=cluster.pk).update(pages_seen=described)
    NodeReading.objects.create(node=node, tried_at=now, observed_at=now)
    service = Service.objects.create(
        node=node, name="Cisco UP Intercluster Sync Agent", status="stopped"
    )
    job = Job.objects.submit("test-cluster", [("a", f"{word}-step")], target=cluster)
    Job.objects.filter(pk=job.pk).update(
        state="needs_attention", error=f"{word}-error", finished_at=now
    )
    chosen = {"id": str(cluster.pk), "name": cluster.name}
    run = TroubleshooterRun.objects.create(clusters=[chosen], finished_at=now)
    result(run, cluster)
    PeerCheck.objects.create(peer=peer, at=now, outcome="failed")
    comparison = {"home_count": 1, "remote_count": 1, "missing": 0, "extra": 0}
    Comparison.objects.create(
        peer=peer, at=now, outcome="passed", elsewhere=0, settling=0, **comparison
    )
    Peer.objects.filter(pk=peer.pk).mark_compared("passed")
    entry = [f"{word}-stranger.example.net", word, "TCP", ""]
    ObservedPeerTable.objects.create(cluster=cluster, entries=[entry], read_at=now)
    certificate(word, node)
    window = Maintenance.objects.create(
        cluster=cluster, begins_at=now, ends_at=now.replace(year=now.year + 1)
    )
    written = audit.append_entry(audit.CONSOLE, "edit peer", peer)
    ids = {
        "cluster": cluster.pk,
        "node": node.pk,
        "peer": peer.pk,
        "service": service.pk,
        "job": job.pk,
        "run": run.pk,
        "snapshot": snapshot(word, cluster).pk,
        "audit": written.pk,
        "address": node.address,
        "window": window.pk,
        "problem": problem(word, cluster).pk,
        "setup": Job.objects.submit(
            "set-up-peerings",
            [],
            label=word,
            clusters=[cluster.pk],
            arguments={"clusters": [str(cluster.pk)], "rounds": []},
        ).pk,
    }
    return World(word, cluster, ids)


def certificate(word: str, node: Node) -> NodeCertificates:
    """What the certificate interface of a node showed: its own, and a problem since."""
    now = timezone.now()
    made, _ = KnownCertificate.objects.get_or_create(
        fingerprint=word.encode().hex().ljust(64, "0")[:64],
        defaults={
            "subject": f"CN={word}",
            "issuer": f"CN={word}-issuer",
            "common_name": word,
            "not_before": now,
            "not_after": now,
            "self_signed": False,
            "key_hash": word,
            "pem": word,
        },
    )
    return NodeCertificates.objects.create(
        node=node,
        seen_by="rest",
        seen_at=now,
        identities={"tomcat": made.pk, "cup": None},
        trusts={"tomcat": {"certificates": [made.pk], "unreadable": 0}},
        tried_at=now,
        code="timeout",
        problem=f"{word}-certificates",
        solution=f"{word}-solution",
    )


def snapshot(word: str, cluster: Cluster) -> Snapshot:
    """Two users of the cluster that share a directory URI; one word for both ids."""
    node, builder = cluster.publisher, Builder()
    name = word[::-1]
    userids = (name, f"{name}2")
    mail = f"{name}@example.com"
    builder.add([User(one, mail, "", "1000", node.name, True) for one in userids])
    taken = Snapshot(
        cluster=cluster,
        taken_at=timezone.now(),
        users=len(builder),
        nodes=builder.counts(),
        own_nodes=[node.name],
    )
    store.save_snapshot(taken, store.compress_pieces(builder.finish()))
    return taken


def problem(word: str, cluster: Cluster) -> Problem:
    """One of the list, acknowledged, so that it may be reopened; no renewal ends it."""
    now = timezone.now()
    made = Problem.objects.create(
        key=f"test:{word}",
        code="node_unreachable",
        severity="failed",
        rank=0,
        sentence=f"{word}-problem",
        cluster=cluster,
        since=now,
        acknowledged_at=now,
        acknowledged_name=word[::-1],
        note=f"{word}-note",
    )
    ProblemCluster.objects.create(problem=made, cluster=cluster.pk)
    Renewal.objects.update_or_create(pk=1, defaults={"renewed_at": None})
    return made


def result(run: TroubleshooterRun, cluster: Cluster) -> None:
    TroubleshooterResult.objects.create(
        run=run,
        position=1,
        section="System",
        code="system.test",
        description="A test",
        outcome="failed",
        problem=f"{cluster.name}-problem",
        cluster=cluster,
        cluster_name=cluster.name,
        details={},
    )


def shared(one: World, other: World) -> dict[str, Any]:
    """A job and a run that work on both."""
    both = [one.cluster, other.cluster]
    job = Job.objects.submit(
        "snapshot-directory",
        [(str(c.pk), f"Read the users of {c}") for c in both],
        label="2 clusters",
        clusters=[c.pk for c in both],
    )
    Job.objects.filter(pk=job.pk).update(
        state="running", doing=f"{other.word}-doing", error=f"{other.word}-error"
    )
    chosen = [{"id": str(c.pk), "name": c.name} for c in both]
    run = TroubleshooterRun.objects.create(
        clusters=chosen, finished_at=timezone.now(), totals={"failed": 2}
    )
    result(run, one.cluster)
    result(run, other.cluster)
    return {"job": job.pk, "run": run.pk}
