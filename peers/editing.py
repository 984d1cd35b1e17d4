"""What pages and REST both do to clusters, nodes and peers, each in one transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Concat

from accounts import audit
from accounts.audit import Actor
from accounts.scope import unlimited
from jobs.locks import Busy, JobLock, refuse_held
from jobs.models import Job, JobStep
from peers import changes
from peers.changes import PeerEdit
from peers.models import Cluster, Node, Peer
from peers.signals import resync_asked

# A check may go on: it copes with a row that is gone.
KINDS = ("provision-peer", "remove-peer", "discover-cluster", "test-cluster")

# What a person enters, in the order of the forms; passwords are apart.
CLUSTER_FIELDS = (
    "name",
    "domain",
    "description",
    "site",
    "axl_username",
    "provisioning",
    "tls_mode",
    "ca_certificate",
    "legacy_tls",
    "peer_table",
)
PORTS = ("axl_port", "sip_port", "sip_tls_port", "sip_peer_tls_port")
NODE_FIELDS = ("name", "address", "role", *PORTS)


class NoPublisher(Exception):
    """What is asked needs a publisher, and the cluster has none in the console."""


def values_of(row: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in fields}


@transaction.atomic
def save_cluster(
    cluster: Cluster,
    actor: Actor,
    *,
    password: str = "",
    fields: Iterable[str] = (),
    publisher: Node | None = None,
) -> None:
    """Save a new cluster with its publisher, or the edited fields of a known one.

    Raises:
        rest.models.Stale: somebody else edited it in the meantime.
    """
    creating = cluster._state.adding
    old = {} if creating else values_of(Cluster.objects.get(pk=cluster.pk), fields)
    new = values_of(cluster, CLUSTER_FIELDS if creating else fields)
    found = audit.differences(old, new)
    if password:
        cluster.seal("axl_password", password)
        found["axl_password"] = [None, "changed"]
    if creating:
        cluster.save(force_insert=True)
    else:
        cluster.save_edit(*fields, *(("axl_password",) if password else ()))
    audit.record(actor, "add cluster" if creating else "edit cluster", cluster, found)
    if publisher is not None:
        publisher.cluster = cluster
        save_node(publisher, actor)


def hold_clusters(pks: Iterable[Any]) -> None:
    """Lock these clusters until the transaction ends, in the order that all keep to."""
    rows = Cluster.objects.select_for_update(no_key=True).filter(pk__in=list(pks))
    list(rows.order_by("pk").values_list("pk"))


@transaction.atomic
def delete_cluster(cluster: Cluster, actor: Actor) -> None:
    """Delete it with its nodes and peers, here only; raises Busy while a job works."""
    # An import that has it waits for the audit trail.
    hold_clusters([cluster.pk])
    rows: list[models.Model] = [cluster, *cluster.nodes.all(), *cluster.peers.all()]
    withdraw(*rows)
    audit.record(actor, "delete cluster", cluster)
    cluster.delete()


@transaction.atomic
def save_node(node: Node, actor: Actor, *, fields: Iterable[str] = ()) -> None:
    creating = node._state.adding
    before = None if creating else Node.objects.get(pk=node.pk)
    old = values_of(before, fields) if before else {}
    new = values_of(node, NODE_FIELDS if creating else fields)
    if creating:
        node.save(force_insert=True)
    else:
        node.save_edit(*fields)
    action = "add node" if creating else "edit node"
    audit.record(actor, action, node, audit.differences(old, new))
    relink(node, *([before] if before else []))


@transaction.atomic
def delete_node(node: Node, actor: Actor) -> None:
    withdraw(node)
    audit.record(actor, "delete node", node)
    node.delete()
    relink(node)


def relink(*nodes: Node) -> None:
    """Find the remote cluster again of the peers that point to these nodes."""
    hosts = {host for node in nodes for host in (node.name, node.address)}
    query = Q()
    for host in hosts:
        query |= Q(address__iexact=host)
    with unlimited():
        for peer in Peer.objects.filter(query):
            remote = peer.find_remote()
            Peer.objects.filter(pk=peer.pk).update(remote_cluster=remote)


def save_peer(
    peer: Peer, actor: Actor, *, password: str = "", fields: Iterable[str] = ()
) -> Job:
    """Save a peer and provision it; a job of an older save that waits is withdrawn."""
    return save_peers([PeerEdit(peer, password, tuple(fields))], actor)[0]


@transaction.atomic
def save_peers(edits: Sequence[PeerEdit], actor: Actor) -> list[Job]:
    """The same for many, each of them once."""
    withdraw(*(edit.peer for edit in edits))
    return changes.save_peers(edits, actor)


@transaction.atomic
def delete_peer(peer: Peer, actor: Actor, *, both_sides: bool = False) -> Job | None:
    """Remove a peer by a job where its cluster may have it; else delete its row.

    Raises:
        jobs.locks.Busy: a job works on the peer, or on the matching one.
    """
    back = peer.reverse if both_sides else None
    withdraw(peer, *([back] if back else []))
    if may_be_on_cluster(peer):
        return changes.remove_peer(peer, actor, both_sides=both_sides)
    forget_peer(peer, actor)
    return delete_peer(back, actor) if back else None


@transaction.atomic
def forget_peer(peer: Peer, actor: Actor) -> None:
    """Delete the row only; the cluster keeps its entry."""
    withdraw(peer)
    audit.record(actor, "forget peer", peer)
    peer.delete()


def resync(peer: Peer, actor: Actor) -> Job:
    """Have the sync agent of the home publisher restarted.

    Raises:
        jobs.locks.Busy: a control job of the agent is not finished.
        NoPublisher: the home cluster has none, so there is no such agent.
    """
    if peer.cluster.publisher is None:
        raise NoPublisher(f"The cluster {peer.cluster} has no publisher.")
    answers = resync_asked.send(sender=Peer, peer=peer, actor=actor)
    return cast(Job, answers[0][1])


def may_be_on_cluster(peer: Peer) -> bool:
    """Whether the cluster has the entry, or a write began whose end is not known."""
    if peer.provisioning_state == Peer.ProvisioningState.ABSENT:
        return False
    if peer.applied_address:
        return True
    begun = JobStep.objects.filter(started_at__isnull=False)
    with unlimited():
        return (
            begun.filter(job__target_id=str(peer.pk), key="write").exists()
            # A job of several peers, found by the cluster that it works on.
            or begun.filter(
                job__on__cluster=peer.cluster_id, key=f"{peer.pk}:write"
            ).exists()
        )


def held_peers() -> dict[str, Job]:
    """The jobs that keep peers from being edited, by the ids of the peers.

    A job that waits and is about the peer itself does not: it is withdrawn.
    """
    locks = JobLock.objects.filter(name__startswith=changes.LOCK).exclude(
        job__state=Job.State.QUEUED,
        job__kind__in=KINDS,
        name=Concat(Value(changes.LOCK), F("job__target_id")),
    )
    return {
        lock.name.removeprefix(changes.LOCK): lock.job
        for lock in locks.select_related("job")
    }


def withdraw(*rows: models.Model) -> None:
    """Cancel the waiting jobs of these rows; raise Busy for one that somebody works on.

    A guided set-up waits for a person for as long as it takes; it must not keep the
    peer from being edited.
    """
    targets = [str(row.pk) for row in rows]
    with unlimited():
        jobs = Job.objects.active().filter(target_id__in=targets, kind__in=KINDS)
        jobs.cancel_waiting()
        working = jobs.first()
    if working is not None:
        raise Busy(working)
    # A job of several peers is about none of them, but holds the lock of each.
    refuse_held(changes.lock_of(row) for row in rows if isinstance(row, Peer))
