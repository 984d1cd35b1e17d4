"""A person's word that an entry stands on its cluster as the console has it."""

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from peers import lifecycle
from peers.guide import run_waiting_job
from peers.models import Peer
from peers.signals import peer_applied

LONGEST_NOTE = 255


class NotAttestable(Exception):
    """The cluster itself shows something else, or the peer is being removed."""


@transaction.atomic
def attest_entry(peer: Peer, actor: Actor, note: str = "") -> None:
    """Note that the entry stands as shown; a guided job that waits for it ends.

    Raises:
        NotAttestable: the peer is being removed, or its entry differs on the cluster.
    """
    if peer.removing:
        raise NotAttestable("This peer is being removed.")
    if peer.drifted or peer.removed_there:
        raise NotAttestable(
            "The cluster itself shows something else. Read what differs first."
        )
    word = {
        "by": actor.label,
        "at": timezone.now().isoformat(),
        "note": note[:LONGEST_NOTE],
        "values": peer.attested_values,
    }
    lifecycle.mark_attested(peer, word)
    audit.append_entry(actor, "attest peer", peer, {"note": ["", note]} if note else {})
    run_waiting_job(peer)
    peer_applied.send(sender=Peer, peer=peer)


def take_back(peer_id: str, because: str) -> None:
    """Drop a word that something seen contradicts."""
    rows = Peer.objects.filter(pk=peer_id)
    if peer := rows.exclude(attestation={}).first():
        rows.mark_unattested()
        audit.append_entry(
            audit.CONSOLE, "take attestation back", peer, {"because": ["", because]}
        )
