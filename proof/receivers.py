"""What other apps announce: a peer that was just set up is worth a proof."""

from contextlib import suppress
from typing import Any

from django.dispatch import receiver

from jobs.locks import Busy
from peers.models import Peer
from peers.signals import peer_applied
from proof import pairs


@receiver(peer_applied)
def prove_new(sender: object, *, peer: Peer, **extra: Any) -> None:
    """Prove a peering once its status is good; without canaries there is nothing."""
    from proof.jobs.prove import Prove

    found = pairs.with_canaries(peer.pk)
    with suppress(pairs.NoCanary, Busy):
        if found:
            Prove.submit(found, when_verified=True)
