"""Entries changed on a cluster behind the console's back, and the two ways out."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from jobs.models import Job
from peers import changes, editing, rules
from peers.models import Peer
from peers.signals import peer_applied
from wire import PeerEntry


class NothingDiffers(Exception):
    """The cluster shows what is wanted, or something else than the page did."""


@dataclass(frozen=True)
class Difference:
    """A field of a peer, as it is wanted and as the cluster has it."""

    name: str
    label: str
    wanted: str
    cluster: str


def drift_of(wanted: Mapping[str, str], entry: PeerEntry) -> dict[str, str]:
    """The values of a cluster's entry that are not those wanted."""
    found = changes.values_of(entry)
    if found["address"].casefold() == wanted["address"].casefold():
        del found["address"]
    return {name: value for name, value in found.items() if value != wanted[name]}


def side_by_side(
    wanted: dict[str, str], found: dict[str, str]
) -> dict[str, dict[str, str]]:
    """Each field that differs with both its values, as REST shows them."""
    return {
        name: {"wanted": wanted[name], "cluster": found[name]}
        for name in changes.PEER_FIELDS
        if name in found
    }


def differences(peer: Peer) -> list[Difference]:
    """All fields of a peer whose entry was changed, or removed; none if neither."""
    if not (peer.drifted or peer.removed_there):
        return []
    found = []
    for name in changes.PEER_FIELDS:
        wanted = getattr(peer, name)
        theirs = "" if peer.removed_there else peer.drift.get(name, wanted)
        label = str(Peer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        found.append(Difference(name, label, wanted, theirs))
    return found


@transaction.atomic
def take_over(peer: Peer, seen: dict[str, str], actor: Actor) -> None:
    """Want from now on what the cluster shows; the password stays as it is.

    Args:
        seen: the values that were looked at.

    Raises:
        NothingDiffers: the cluster shows something else by now.
        django.core.exceptions.ValidationError: a value breaks a rule of peers.
        rest.models.Stale: somebody else edited the peer in the meantime.
        jobs.locks.Busy: a job works on the peer.
    """
    if not peer.drifted or seen != peer.drift:
        raise NothingDiffers("The cluster shows something else by now. Look again.")
    editing.withdraw(peer)
    old = editing.values_of(peer, peer.drift)
    for name, value in peer.drift.items():
        setattr(peer, name, value)
    found = audit.differences(old, editing.values_of(peer, peer.drift))
    if errors := rules.peer_errors(peer):
        raise ValidationError(list(errors.values()))
    peer.clean_fields()
    fields = [*peer.drift, "drift", "remote_cluster_id"]
    peer.remote_cluster = peer.find_remote() or peer.remote_cluster
    peer.drift = {}
    peer.save_edit(*fields)
    audit.record(actor, "take over values", peer, found)
    peer_applied.send(sender=Peer, peer=peer)


@transaction.atomic
def write_again(peer: Peer, actor: Actor) -> Job:
    """Bring the peer to its cluster once more, as it is wanted.

    Raises:
        NothingDiffers: it is being removed.
        jobs.locks.Busy: a job works on the peer.
    """
    if peer.removing:
        raise NothingDiffers("This peer is being removed.")
    editing.withdraw(peer)
    peer.provisioning_state = Peer.ProvisioningState.PENDING
    peer.save_edit("provisioning_state")
    audit.record(actor, "write peer again", peer)
    return changes.provision(peer, actor)
