"""From a plan to what is desired: by its job, entry by entry, once clusters are ready.

Applying a plan changes no peer. What it means waits beside the job, the passwords
sealed; the step that writes an entry first makes its values the desired ones, unless
somebody changed the peer since the plan was made.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import Actor
from base.revisions import Stale
from clusters.editing import save_cluster
from clusters.models import Cluster
from clusters.rules import sentences_of
from jobs.models import BATCH, Job
from jobs.run import Ended
from mesh.entry_changes import EntryChange, MeshPlan
from mesh.intent import MeshIntent
from mesh.models import PlannedEntry, PlannedPassword
from peers import lifecycle, rules
from peers.lifecycle import PeerEdit
from peers.models import Peer
from peers.values import PEER_FIELDS

PLAN_STALE, PEER_EXISTS = "plan_stale", "peer_exists"
PEER_DELETED, CLUSTER_DELETED = "peer_deleted", "cluster_deleted"


class PlanRefused(Ended):
    """An entry of a plan is no longer what it was when it was planned."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(Job.State.FAILED, message, code)


def planned_entry(step: EntryChange) -> PlannedEntry:
    """What a step of a plan means for one entry, not saved."""
    peer = step.peer or Peer(cluster=step.home)
    after = step.after or {}
    entry = PlannedEntry(
        peer=peer.pk,
        home=step.home,
        remote=step.remote,
        values={name: after[name] for name in PEER_FIELDS},
        revision=step.peer.revision if step.peer else None,
    )
    entry.seal("password", step.password.reveal())
    return entry


def store_plan(job: Job, entries: Iterable[PlannedEntry], current: MeshPlan) -> None:
    """Store what the plan means beside its job."""
    rows = list(entries)
    for row in rows:
        row.job = job
    PlannedEntry.objects.bulk_create(rows, batch_size=BATCH)
    PlannedPassword.objects.bulk_create(planned_passwords(job, current.intent))


def planned_passwords(job: Job, intent: MeshIntent) -> Iterable[PlannedPassword]:
    """New passwords of the users with which peers sign in to a cluster."""
    for cluster in intent.clusters:
        given = intent.credentials.get(cluster.pk)
        if given and given.username == cluster.peering_username:
            row = PlannedPassword(job=job, cluster=cluster, username=given.username)
            row.seal("password", given.password.reveal())
            yield row


def entries_of(job: Job, peers: Iterable[str]) -> list[PlannedEntry]:
    """The entries of these peers; guided ones first, since they may wait."""
    order = list(peers)
    rows = job.planned_entries.filter(peer__in=order).select_related("home", "remote")
    if len(rows) < len(order):
        sentence = "A cluster of this peering was deleted in the meantime."
        raise PlanRefused(CLUSTER_DELETED, sentence)
    return sorted(rows, key=lambda one: (one.home.written, order.index(str(one.peer))))


def draft_peer(entry: PlannedEntry) -> Peer:
    """The peer with the values of the plan, not saved.

    Raises:
        Refused: it was changed or deleted since, or another one has its place.
    """
    peer = current_peer(entry)
    if entry.accepted_at:
        return peer
    for name, value in entry.values.items():
        setattr(peer, name, value)
    PeerEdit(peer, entry.unseal("password").reveal()).seal_password()
    if entry.revision is None and (errors := rules.peer_errors(peer)):
        raise PlanRefused(PEER_EXISTS, f"{entry}: {' '.join(sentences_of(errors))}")
    return peer


def current_peer(entry: PlannedEntry) -> Peer:
    """The peer as the console has it now; a new one where the plan creates it."""
    rows = Peer.objects.select_related("cluster", "remote_cluster")
    peer = rows.filter(pk=entry.peer).first()
    if entry.revision is None and not entry.accepted_at:
        return peer or Peer(
            pk=entry.peer, cluster=entry.home, remote_cluster=entry.remote
        )
    if peer is None:
        raise PlanRefused(PEER_DELETED, f"{entry} was deleted in the meantime.")
    changed = peer.removing or peer.revision != entry.revision
    if changed and not entry.accepted_at:
        sentence = f"{peer} was changed since this plan was made; plan it again."
        raise PlanRefused(PLAN_STALE, sentence)
    return peer


@transaction.atomic
def accept_entry(entry: PlannedEntry, actor: Actor) -> Peer:
    """Make the values of the plan the desired ones, once; return the peer.

    Raises:
        Refused: as `draft`; nothing is changed.
    """
    mine = PlannedEntry.objects.filter(pk=entry.pk)
    row = mine.select_for_update(of=("self",)).select_related("home", "remote").get()
    peer = draft_peer(row)
    if row.accepted_at:
        return peer
    password = row.unseal("password").reveal()
    edit = PeerEdit(peer, password, PEER_FIELDS, remote=row.remote)
    try:
        lifecycle.store_peers([edit], actor)
    except Stale as error:
        raise PlanRefused(PLAN_STALE, f"{error} Plan it again.") from None
    mine.update(accepted_at=timezone.now(), password="")
    entry.accepted_at = timezone.now()
    return peer


@transaction.atomic
def accept_password(row: PlannedPassword, actor: Actor) -> None:
    """Make a password that the cluster took that of its intercluster user, once."""
    cluster = Cluster.objects.get(pk=row.cluster_id)
    password = row.unseal("password")
    PlannedPassword.objects.filter(pk=row.pk).delete()
    if cluster.peering_username != row.username:
        return
    if cluster.unseal("peering_password") != password:
        save_cluster(cluster, actor, peering_password=password.reveal())


def password_of(job: Job, cluster: UUID) -> PlannedPassword | None:
    return job.planned_passwords.filter(cluster=cluster).first()
