"""Peers as the sources look at them: of thousands, so they are no model instances."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse

from overview.found import Affected
from peers.models import Peer, PeerOutcome

# The worst first; what passed, or is only information, is no problem.
BAD = (PeerOutcome.FAILED, PeerOutcome.WARNING, PeerOutcome.UNKNOWN)


class PeerRow(NamedTuple):
    """A peer: its place, its state on the cluster, and what the last check found."""

    pk: UUID
    home: UUID
    remote: UUID | None
    address: str
    home_name: str
    outcome: str
    checked: bool
    state: str
    applied_address: str
    drifted: bool
    entries: list[dict[str, Any]]

    @property
    def key(self) -> tuple[UUID, UUID | None]:
        return self.home, self.remote

    @property
    def back(self) -> tuple[UUID | None, UUID]:
        return self.remote, self.home

    @property
    def affected(self) -> Affected:
        label = f"{self.address} on {self.home_name}"
        return Affected("peer", str(self.pk), label, str(self.home))

    @property
    def url(self) -> str:
        return reverse("peers:edit_peer", args=[self.pk])

    @property
    def bad(self) -> list[dict[str, Any]]:
        return [one for one in self.entries if one["outcome"] in BAD]


COLUMNS = (
    "pk",
    "cluster_id",
    "remote_cluster_id",
    "address",
    "cluster__name",
    "outcome",
    "checked_at",
    "provisioning_state",
    "applied_address",
    "drift",
)


def peer_rows() -> Iterator[PeerRow]:
    """Give all peers but those that are being removed, with entries where not passed.

    The entries of thousands of good peers are the most of what could be read.
    """
    peers = Peer.objects.filter(removing=False).order_by("cluster__name", "address")
    wrong = peers.exclude(outcome=PeerOutcome.PASSED).order_by()
    entries = dict(wrong.values_list("pk", "entries"))
    for (
        pk,
        home,
        remote,
        address,
        name,
        outcome,
        at,
        state,
        applied,
        drift,
    ) in peers.values_list(*COLUMNS):
        drifted = state == Peer.ProvisioningState.APPLIED and bool(drift)
        yield PeerRow(
            pk,
            home,
            remote,
            address,
            name,
            outcome,
            at is not None,
            state,
            applied,
            drifted,
            entries.get(pk, []),
        )
