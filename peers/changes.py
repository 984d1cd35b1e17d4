"""Changes an administrator asks for: the row, the audit entry and the job, at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

import wire
from accounts import audit
from accounts.audit import Actor
from jobs.asked import Asked
from jobs.models import BATCH, Job
from peers import lookups
from peers.connections import policy
from peers.models import Cluster, Node, Peer
from wire import Certificate, PeerEntry

CERTIFICATE_DEADLINE = 10.0

PEER_FIELDS = (
    "address",
    "username",
    "protocol",
    "external_phone_number_mask",
)


class FingerprintDiffers(Exception):
    """The node presents another certificate than the one to be confirmed."""


@dataclass(frozen=True)
class PeerEdit:
    """A peer to save: its new password, if it has one, and the fields of an edit."""

    peer: Peer
    password: str = field(default="", repr=False)
    fields: tuple[str, ...] = ()

    def link(self) -> None:
        """Note the cluster that the address belongs to.

        A check may have found by DNS what no node's name tells; only a peer that moved
        loses that.
        """
        moved = self.peer._state.adding or "address" in self.fields
        found = lookups.known().owner(self.peer.address)
        self.peer.remote_cluster = found or (
            None if moved else self.peer.remote_cluster
        )


def save_peer(
    peer: Peer, actor: Actor, *, password: str = "", fields: Iterable[str] = ()
) -> Job:
    """Save a new or edited peer and submit its provisioning job.

    Args:
        password: the new password in plain text; empty to keep the old one.
        fields: what an edit changed; empty for a new peer.

    Raises:
        rest.models.Stale: somebody else edited the peer in the meantime.
        jobs.locks.Busy: a job of this peer is not finished.
    """
    return save_peers([PeerEdit(peer, password, tuple(fields))], actor)[0]


@transaction.atomic
def save_peers(edits: Sequence[PeerEdit], actor: Actor) -> list[Job]:
    """Save peers, each of them once, in a few statements; else as `save_peer`."""
    new = [edit.peer for edit in edits if edit.peer._state.adding]
    known = [edit for edit in edits if not edit.peer._state.adding]
    rows = Peer.objects.only(*PEER_FIELDS).in_bulk([one.peer.pk for one in known])
    old = {pk: values_of(peer) for pk, peer in rows.items()}
    for edit in edits:
        if edit.password:
            edit.peer.seal("password", edit.password)
        edit.link()
        edit.peer.provisioning_state = Peer.ProvisioningState.PENDING
    Peer.objects.bulk_create(new, batch_size=BATCH)
    for edit in known:
        secret = ("password",) if edit.password else ()
        fields = (*edit.fields, *secret, "remote_cluster_id", "provisioning_state")
        edit.peer.save_edit(*fields)
    audit.record_all(actor, [_event_of(edit, old) for edit in edits])
    return provision_all([edit.peer for edit in edits], actor)


def _event_of(edit: PeerEdit, old: Mapping[Any, dict[str, Any]]) -> audit.Event:
    peer = edit.peer
    found = audit.differences(old.get(peer.pk, {}), values_of(peer))
    if edit.password:
        found["password"] = [None, "changed"]
    return audit.Event("edit peer" if peer.pk in old else "add peer", peer, found)


def values_of(row: Peer | PeerEntry) -> dict[str, str]:
    """The values of a peer, or of a cluster's entry, the password left aside."""
    return {name: getattr(row, name) for name in PEER_FIELDS}


def provision(peer: Peer, actor: Actor) -> Job:
    """Submit the job that brings the peer to its cluster."""
    return provision_all([peer], actor)[0]


def provision_all(peers: Iterable[Peer], actor: Actor) -> list[Job]:
    """Submit a job for each peer."""
    asked = [_provisioning(peer) for peer in peers]
    return Job.objects.submit_all(asked, user=actor.user, address=actor.address)


def _provisioning(peer: Peer) -> Asked:
    steps = DIRECT_STEPS if peer.cluster.direct else GUIDED_STEPS
    return Asked(
        "provision-peer",
        [(key, label.format(cluster=peer.cluster)) for key, label in steps],
        target=peer,
        locks=[lock_of(peer)],
        queue=queue_of(peer.cluster),
    )


DIRECT_STEPS = (
    ("catalogue", "Compare the peer table of {cluster} with its catalogue"),
    ("before", "Read the entry as it is now"),
    ("write", "Write the entry on the publisher of {cluster}"),
    ("read-back", "Read the entry back"),
)
GUIDED_STEPS = (
    ("instruct", "Configure the peer on the publisher of {cluster}"),
    ("notice", "Wait until {cluster} shows the peer"),
)
REMOVAL_STEPS = (
    ("catalogue", "Compare the peer table of {cluster} with its catalogue"),
    ("write", "Delete the entry on the publisher of {cluster}"),
    ("forget", "Delete the peer from the console"),
)
GUIDED_REMOVAL_STEPS = (
    ("instruct", "Delete the peer on the publisher of {cluster}"),
    ("notice", "Wait until {cluster} no longer shows the peer"),
    ("forget", "Delete the peer from the console"),
)


def remove_peer(peer: Peer, actor: Actor, *, both_sides: bool = False) -> Job:
    """Submit the job that removes the peer, and the matching one if both sides go.

    Raises:
        jobs.locks.Busy: a job of one of the peers is not finished.
    """
    back = peer.reverse if both_sides else None
    peers = [peer, back] if back else [peer]
    with transaction.atomic():
        for one in peers:
            Peer.objects.filter(pk=one.pk).update(removing=True)
            audit.record(actor, "remove peer", one)
        return Job.objects.submit(
            "remove-peer",
            [step for one in peers for step in removal_steps(one)],
            target=peer,
            arguments={"peers": [str(one.pk) for one in peers]},
            clusters={one.cluster_id for one in peers},
            locks=[lock_of(one) for one in peers],
            user=actor.user,
            address=actor.address,
            queue=queue_of(peer.cluster),
        )


def removal_steps(peer: Peer) -> list[tuple[str, str]]:
    steps = REMOVAL_STEPS if peer.cluster.direct else GUIDED_REMOVAL_STEPS
    return [
        (f"{peer.pk}:{key}", label.format(cluster=peer.cluster)) for key, label in steps
    ]


LOCK = "peer:"


def lock_of(peer: Peer) -> str:
    return f"{LOCK}{peer.pk}"


def queue_of(cluster: Cluster) -> str:
    """The queue of the workers near the cluster; without a site, any worker's."""
    return f"site-{cluster.site}" if cluster.site else ""


def discover(cluster: Cluster, actor: Actor) -> Job:
    """Submit the job that learns nodes, version and generation from the publisher."""
    audit.record(actor, "discover cluster", cluster)
    return Job.objects.submit(
        "discover-cluster",
        [
            ("version", "Ask the publisher for its version"),
            ("nodes", "Read the nodes of the cluster"),
            ("certificates", "Look at the certificates of its nodes"),
        ],
        target=cluster,
        locks=[f"discover:{cluster.pk}"],
        user=actor.user,
        address=actor.address,
        queue=queue_of(cluster),
    )


def test(cluster: Cluster, actor: Actor) -> Job:
    """Submit the job that reaches every node of the cluster."""
    return Job.objects.submit(
        "test-cluster",
        [(str(node.pk), f"Reach {node}") for node in cluster.nodes.all()],
        target=cluster,
        locks=[f"test:{cluster.pk}"],
        user=actor.user,
        address=actor.address,
        queue=queue_of(cluster),
    )


def present_certificate(node: Node) -> Certificate:
    """Return what the node presents now; the only question asked within a request."""
    return wire.run(
        wire.fetch_certificate(
            node.address,
            node.axl_port,
            policy(),
            server_name=node.name,
            legacy=node.cluster.legacy_tls,
            deadline=CERTIFICATE_DEADLINE,
        )
    )


def trust(node: Node, fingerprint: str, actor: Actor) -> None:
    """Confirm the certificate that the node presents now.

    Raises:
        FingerprintDiffers: it presents another one.
        WireError: it does not answer.
    """
    certificate = present_certificate(node)
    given = fingerprint.replace(":", "").strip().lower()
    if certificate.fingerprint != given:
        raise FingerprintDiffers(
            f"{node} presents the fingerprint {certificate.fingerprint}, "
            "not the one you confirmed. Look at it again."
        )
    with transaction.atomic():
        changes = {"fingerprint": [node.certificate_fingerprint, given]}
        node.trust(certificate.fingerprint, certificate.not_after)
        audit.record(actor, "trust certificate", node, changes)
