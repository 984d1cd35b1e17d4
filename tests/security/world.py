"""Two clusters with one of everything each: one to be seen, one to be hidden."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts import audit
from diagnostics.models import PeerCheck, TroubleshooterResult, TroubleshooterRun
from directory import store
from directory.building import Builder
from directory.columns import User
from directory.models import Comparison, Snapshot
from jobs.models import Job
from mesh.models import Shown
from notifications.models import Maintenance
from peers.models import Cluster, Node, Peer
from services.models import NodeReading, Service


@dataclass
class World:
    """A cluster and what hangs on it; `word` stands in every name."""

    word: str
    cluster: Cluster
    ids: dict[str, Any]


def make(word: str, cluster: Cluster) -> World:
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
    entry = [f"{word}-stranger.example.net", word, "TCP", ""]
    Shown.objects.create(cluster=cluster, entries=[entry], read_at=now)
    window = Maintenance.objects.create(
        cluster=cluster, begins_at=now, ends_at=now.replace(year=now.year + 1)
    )
    written = audit.record(audit.CONSOLE, "edit peer", peer)
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
        "setup": Job.objects.submit(
            "set-up-peerings",
            [],
            label=word,
            clusters=[cluster.pk],
            arguments={"clusters": [str(cluster.pk)], "rounds": []},
        ).pk,
    }
    return World(word, cluster, ids)


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
    store.save(taken, store.compressed(builder.finish()))
    return taken


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
