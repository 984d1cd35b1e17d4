"""What other apps tell: a peer that was just provisioned is worth a check."""

from typing import Any

from peers.models import Peer
from peers.signals import peer_applied

# A cluster needs some seconds to carry its users after a peer was written.
VERIFY_FOR = 90


def connect() -> None:
    peer_applied.connect(verify, dispatch_uid="diagnostics.verify")


def verify(sender: object, *, peer: Peer, **extra: Any) -> None:
    from diagnostics.checks import submit_check

    submit_check([peer], until_verified=VERIFY_FOR)
