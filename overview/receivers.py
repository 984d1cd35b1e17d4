"""What other apps record makes the list of problems outdated."""

from typing import Any

from clusters.signals import certificate_returned, contact_changed
from diagnostics.signals import clusters_recorded, peers_recorded
from exchange.signals import certificates_read
from peers.signals import peer_applied, peer_removed
from proof.signals import proof_recorded
from services.signals import services_controlled


def connect_receivers() -> None:
    for signal in (
        certificate_returned,
        certificates_read,
        clusters_recorded,
        contact_changed,
        peer_applied,
        peer_removed,
        proof_recorded,
    ):
        signal.connect(mark_changed, dispatch_uid="overview.mark")
    for signal in (peers_recorded, services_controlled):
        signal.connect(renew_problems, dispatch_uid="overview.renew")


def mark_changed(sender: object, **extra: Any) -> None:
    from overview import renewal

    renewal.mark_changed()


def renew_problems(sender: object, **extra: Any) -> None:
    from overview import renewal

    renewal.renew_soon()
