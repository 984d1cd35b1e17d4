"""Writing what a collection found to the rows that pages and API show."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import audit
from diagnostics.facts import ClusterFacts, Facts, NodeFacts
from diagnostics.fixes import url_of
from diagnostics.judge.cluster import health_of
from diagnostics.judge.peer import PeerView
from diagnostics.judge.status import judge, outcome_of
from diagnostics.models import PeerCheck
from diagnostics.service_readings import share
from diagnostics.signals import clusters_recorded
from peers.drift import drift_of
from peers.models import Cluster, Node, Peer
from wire import platforms


@dataclass(frozen=True)
class Status:
    """What is now known of one peer."""

    view: PeerView
    entries: list[dict[str, Any]]
    outcome: str
    associated_users: int | None
    remote_users: int | None

    @classmethod
    def of(cls, view: PeerView) -> "Status":
        entries = with_urls(judge(view))
        remote = view.remote
        return cls(
            view,
            entries,
            outcome_of(entries),
            view.home.users_of(remote) if remote else None,
            remote.own_users() if remote else None,
        )

    @property
    def counts(self) -> dict[str, int | None]:
        return {
            "associated_users": self.associated_users,
            "remote_users": self.remote_users,
        }


def record(facts: Facts) -> dict[str, str]:
    """Store what is known of clusters, nodes and peers; return outcomes by peer id."""
    record_clusters(facts)
    return record_peers(facts)


@transaction.atomic
def record_clusters(facts: Facts) -> None:
    for cluster in facts.clusters.values():
        for node in cluster.nodes:
            record_node(node)
        record_cluster(cluster, facts)
    share(facts)
    clusters_recorded.send(sender=Cluster, facts=facts)


def record_cluster(cluster: ClusterFacts, facts: Facts) -> None:
    values: dict[str, Any] = {"health": health_of(cluster), "checked_at": facts.at}
    if version := cluster.version.value:
        values["version"] = version[:60]
        if generation := generation_of(version):
            values["generation"] = generation
    if said := cluster.sync_agent.value:
        values |= {"user_sync": said.status[:255], "user_sync_at": facts.at}
    Cluster.objects.filter(pk=cluster.id).update(**values)


def generation_of(version: str) -> str:
    try:
        return platforms.generation_of(version)
    except ValueError:
        return ""


def record_node(node: NodeFacts) -> None:
    """Remember what the node speaks and presents; a changed certificate stops calls."""
    certificate = node.certificate.value
    values: dict[str, Any] = {
        name: value
        for name in ("axl_version", "control_center")
        if (value := getattr(node, name))
    }
    if certificate and node.confirmed in ("", certificate.fingerprint):
        values["certificate_not_after"] = certificate.not_after
    if values:
        Node.objects.filter(pk=node.id).update(**values)
    if certificate and node.confirmed not in ("", certificate.fingerprint):
        notice_change(node)


def notice_change(node: NodeFacts) -> None:
    row = Node.objects.select_related("cluster").filter(pk=node.id).first()
    pinned = row and row.cluster.tls_mode == Cluster.TlsMode.PINNED
    if row and pinned and row.remember_change():
        audit.record(audit.CONSOLE, "notice changed certificate", row)


def record_peers(facts: Facts) -> dict[str, str]:
    """Judge first, so that the transaction is short; return outcomes by peer id."""
    statuses = [
        Status.of(PeerView.of(facts, peer))
        for peer in facts.peers.values()
        if peer.home in facts.clusters
    ]
    with transaction.atomic():
        written = [status for status in statuses if write(status)]
        PeerCheck.objects.bulk_create(as_check(status) for status in written)
    PeerCheck.prune([status.view.peer.id for status in written])
    return {status.view.peer.id: status.outcome for status in statuses}


def write(status: Status) -> bool:
    """Write the status of a peer, unless a later check wrote it already."""
    view = status.view
    row = Peer.objects.filter(pk=view.peer.id)
    earlier = row.filter(Q(checked_at=None) | Q(checked_at__lte=view.at))
    if not earlier.update(
        outcome=status.outcome,
        checked_at=view.at,
        entries=status.entries,
        **status.counts,
    ):
        return False
    notice_drift(view)
    return True


def as_check(status: Status) -> PeerCheck:
    return PeerCheck(
        peer_id=status.view.peer.id,
        at=status.view.at,
        outcome=status.outcome,
        entries=[entry for entry in status.entries if entry["outcome"] != "passed"],
        **status.counts,
    )


def notice_drift(view: PeerView) -> None:
    """Remember what the cluster has otherwise than wanted, or not at all any more."""
    if not view.home.peers.known:
        return
    state = Peer.ProvisioningState
    # What was edited or written since the clusters were read is judged next time.
    rows = Peer.objects.filter(pk=view.peer.id, updated_at__lte=view.at)
    entry = view.entry or view.moved
    if entry is None:
        lost = rows.filter(provisioning_state=state.APPLIED)
        lost.update(provisioning_state=state.ABSENT, drift={})
        return
    wanted = {
        "address": view.peer.address,
        "username": view.peer.username,
        "protocol": view.peer.protocol,
        "external_phone_number_mask": view.peer.mask,
    }
    rows.filter(provisioning_state__in=(state.APPLIED, state.ABSENT)).update(
        provisioning_state=state.APPLIED,
        applied_address=entry.address,
        drift=drift_of(wanted, entry),
    )


def with_urls(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each entry the address of the page that mends it."""
    told = []
    for entry in entries:
        fix = entry.pop("fix")
        told.append(entry | {"fix_url": url_of(*fix) if fix else ""})
    return told
