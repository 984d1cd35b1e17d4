"""The life of a peer: saving, adopting, removing it. Nothing else writes peers.

What the cluster then shows are transitions of the model (`PeerQuerySet.mark_...`),
which the jobs and the checks call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from accounts.cluster_limits import all_clusters
from clusters.inventory import machine_ownership
from clusters.models import Cluster
from jobs.models import BATCH, Job, JobStep
from peers import inventory, rules
from peers.jobs.provision import ProvisionPeer
from peers.jobs.remove import RemovePeer
from peers.locks import withdraw_jobs
from peers.models import Peer
from peers.signals import peer_applied
from peers.values import PEER_FIELDS, visible_values
from wire import PeerEntry, address_of


class NothingDiffers(Exception):
    """The cluster shows what is desired, or something else than the page did."""


@dataclass(frozen=True)
class PeerEdit:
    """A peer to save: its new password, if it has one, and the fields of an edit.

    Args:
        remote: the cluster that the address belongs to, where that is known already.
    """

    peer: Peer
    password: str = field(default="", repr=False)
    fields: tuple[str, ...] = ()
    remote: Cluster | None = None

    def seal_password(self) -> None:
        """Give the peer its new password, if it has one."""
        if self.password:
            self.peer.seal("password", self.password)

    def link(self) -> None:
        """Note the cluster that the address belongs to.

        A check may have found by DNS what no node's name tells; only a peer that moved
        loses that.
        """
        if self.remote is not None:
            self.peer.remote_cluster = self.remote
            return
        moved = self.peer._state.adding or "address" in self.fields
        found = inventory.known_source().owner(self.peer.address)
        self.peer.remote_cluster = found or (
            None if moved else self.peer.remote_cluster
        )


def save_peer(
    peer: Peer, actor: Actor, *, password: str = "", fields: Iterable[str] = ()
) -> Job:
    """Save a new or edited peer and submit the job that brings it to its cluster.

    A job of an older save that still waits is withdrawn.

    Args:
        password: the new password in plain text; empty to keep the old one.
        fields: what an edit changed; empty for a new peer.

    Raises:
        base.revisions.Stale: somebody else edited the peer in the meantime.
        jobs.locks.Busy: a job works on the peer.
    """
    return save_peers([PeerEdit(peer, password, tuple(fields))], actor)[0]


@transaction.atomic
def save_peers(edits: Sequence[PeerEdit], actor: Actor) -> list[Job]:
    """Save peers, each of them once, in a few statements; otherwise as `save_peer`."""
    withdraw_jobs(edit.peer for edit in edits)
    store_peers(edits, actor)
    return ProvisionPeer.submit([edit.peer for edit in edits], actor)


@transaction.atomic
def store_peers(edits: Sequence[PeerEdit], actor: Actor) -> None:
    """Save peers that wait to be written, and record it; the job is the caller's.

    Raises:
        base.revisions.Stale: somebody else edited one of them in the meantime.
    """
    new = [edit.peer for edit in edits if edit.peer._state.adding]
    known = [edit for edit in edits if not edit.peer._state.adding]
    rows = Peer.objects.only(*PEER_FIELDS).in_bulk([one.peer.pk for one in known])
    old = {pk: visible_values(peer) for pk, peer in rows.items()}
    for edit in edits:
        edit.seal_password()
        edit.link()
        edit.peer.provisioning_state = Peer.ProvisioningState.PENDING
        edit.peer.assumed = []
    Peer.objects.bulk_create(new, batch_size=BATCH)
    for edit in known:
        secret = ("password",) if edit.password else ()
        state = ("remote_cluster_id", "provisioning_state", "assumed")
        edit.peer.save_edit(*edit.fields, *secret, *state)
    audit.record_all(actor, [_event_of(edit, old) for edit in edits])


def _event_of(edit: PeerEdit, old: Mapping[Any, dict[str, Any]]) -> audit.AuditEvent:
    peer = edit.peer
    found = audit.differences(old.get(peer.pk, {}), visible_values(peer))
    if edit.password:
        found["password"] = [None, "changed"]
    return audit.AuditEvent("edit peer" if peer.pk in old else "add peer", peer, found)


def provision_peer(peer: Peer, actor: Actor) -> Job:
    """Submit the job that brings the peer to its cluster."""
    return ProvisionPeer.submit([peer], actor)[0]


@transaction.atomic
def adopt_entry(peer: Peer, password: str, actor: Actor) -> Peer:
    """Store a peer whose entry is on its cluster already.

    Raises:
        django.core.exceptions.ValidationError: it breaks a rule of peers.
    """
    peer.provisioning_state = Peer.ProvisioningState.APPLIED
    peer.applied_address = peer.address
    peer.address = address_of(peer.address) or peer.address
    peer.seal("password", password)
    if errors := rules.peer_errors(peer):
        raise ValidationError(list(errors.values()))
    peer.clean_fields()
    peer.save(force_insert=True)
    found = audit.differences({}, visible_values(peer))
    if password:
        found["password"] = [None, "changed"]
    audit.append_entry(actor, "adopt peer", peer, found)
    return peer


@transaction.atomic
def learn_values(tables: Mapping[str, Iterable[PeerEntry]]) -> None:
    """Give adopted peers those values of their entries that nobody had seen before.

    Args:
        tables: the entries that were read, by the id of their cluster.
    """
    homes = Cluster.objects.filter(pk__in=tables)
    assumed = Peer.objects.filter(cluster__in=homes).exclude(assumed=[])
    peers = list(assumed.select_for_update().order_by("pk"))
    machines = machine_ownership() if peers else None
    for peer in peers:
        for entry in tables[str(peer.cluster_id)]:
            if machines and machines.same(entry.address, peer.address):
                _learn_values_of(peer, entry)
                break


def _learn_values_of(peer: Peer, entry: PeerEntry) -> None:
    found = visible_values(entry)
    # A code that nobody knows yet is no protocol.
    seen = [name for name in peer.assumed if found[name] or name != "protocol"]
    old = visible_values(peer)
    for name in seen:
        setattr(peer, name, found[name])
    try:
        peer.clean_fields()
    except ValidationError:
        return  # it stays a difference, which a person sees
    peer.assumed = [name for name in peer.assumed if name not in seen]
    if not seen:
        return
    peer.save_edit(*seen, "assumed")
    if changes := audit.differences(old, visible_values(peer)):
        audit.append_entry(audit.CONSOLE, "learn peer values", peer, changes)


@transaction.atomic
def request_removal(
    peer: Peer, actor: Actor, *, both_sides: bool = False
) -> Job | None:
    """Remove a peer by a job where its cluster may have it; otherwise drop its record.

    Raises:
        jobs.locks.Busy: a job works on the peer, or on the matching one.
    """
    matching = peer.reverse if both_sides else None
    withdraw_jobs([peer, *([matching] if matching else [])])
    if may_be_on_cluster(peer):
        return submit_removal(peer, actor, both_sides=both_sides)
    drop_record(peer, actor)
    return request_removal(matching, actor) if matching else None


@transaction.atomic
def submit_removal(peer: Peer, actor: Actor, *, both_sides: bool = False) -> Job:
    """Submit the job that removes the peer, and the matching one if both are to go.

    Raises:
        jobs.locks.Busy: a job of one of the peers is not finished.
    """
    matching = peer.reverse if both_sides else None
    peers = [peer, matching] if matching else [peer]
    for one in peers:
        Peer.objects.filter(pk=one.pk).mark_removing()
        audit.append_entry(actor, "remove peer", one)
    return RemovePeer.submit(peers, actor)


@transaction.atomic
def drop_record(peer: Peer, actor: Actor) -> None:
    """Delete the peer from the console only; the cluster keeps its entry."""
    withdraw_jobs([peer])
    audit.append_entry(actor, "forget peer", peer)
    peer.delete()


def may_be_on_cluster(peer: Peer) -> bool:
    """Whether the cluster has the entry, or a write started whose end is not known."""
    if peer.provisioning_state == Peer.ProvisioningState.ABSENT:
        return False
    if peer.applied_address:
        return True
    write = ProvisionPeer.write
    started = JobStep.objects.filter(started_at__isnull=False)
    with all_clusters():
        return (
            started.filter(job__target_id=str(peer.pk), key=write.key).exists()
            # A job of several peers, found by the cluster that it works on.
            or started.filter(
                job__on__cluster=peer.cluster_id, key=write.of(peer.pk).key
            ).exists()
        )


@transaction.atomic
def accept_cluster_values(peer: Peer, seen: dict[str, str], actor: Actor) -> None:
    """Desire from now on what the cluster shows; the password stays as it is.

    Args:
        seen: the values that were looked at.

    Raises:
        NothingDiffers: the cluster shows something else by now.
        django.core.exceptions.ValidationError: a value breaks a rule of peers.
        base.revisions.Stale: somebody else edited the peer in the meantime.
        jobs.locks.Busy: a job works on the peer.
    """
    if not peer.drifted or seen != peer.drift:
        raise NothingDiffers("The cluster shows something else by now. Read it again.")
    withdraw_jobs([peer])
    old = audit.field_values(peer, peer.drift)
    for name, value in peer.drift.items():
        setattr(peer, name, value)
    found = audit.differences(old, audit.field_values(peer, peer.drift))
    if errors := rules.peer_errors(peer):
        raise ValidationError(list(errors.values()))
    peer.clean_fields()
    fields = [*peer.drift, "drift", "assumed", "remote_cluster_id"]
    peer.remote_cluster = (
        inventory.known_source().owner(peer.address) or peer.remote_cluster
    )
    peer.drift, peer.assumed = {}, []
    peer.save_edit(*fields)
    audit.append_entry(actor, "take over values", peer, found)
    peer_applied.send(sender=Peer, peer=peer)


@transaction.atomic
def restore_console_values(peer: Peer, actor: Actor) -> Job:
    """Bring the peer to its cluster once more, as the console has it.

    Raises:
        NothingDiffers: it is being removed.
        jobs.locks.Busy: a job works on the peer.
    """
    if peer.removing:
        raise NothingDiffers("This peer is being removed.")
    withdraw_jobs([peer])
    peer.provisioning_state = Peer.ProvisioningState.PENDING
    peer.save_edit("provisioning_state")
    audit.append_entry(actor, "write peer again", peer)
    return provision_peer(peer, actor)


def mark_attested(peer: Peer, word: dict[str, Any]) -> None:
    """Store that a person says the entry stands as shown."""
    peer.attestation = word
    peer.provisioning_state = Peer.ProvisioningState.APPLIED
    peer.applied_address = peer.address
    peer.save_edit("attestation", "provisioning_state", "applied_address")
