"""What would have to change so that clusters are peers of each other. Changes nothing.

A plan compares the console's peers with what is wanted, side by side. Its hash covers
every value and the revision of every row, so that it can be applied only while it is
still true.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from uuid import UUID

from peers import rules
from peers.models import Cluster, Peer
from wire import Secret, platforms

Values = dict[str, str]
Pair = tuple[Cluster, Cluster]


@dataclass(frozen=True)
class Credentials:
    """The application user of a cluster, with which its peers sign in there."""

    username: str
    password: Secret = field(repr=False)


@dataclass(frozen=True)
class Wanted:
    """Which clusters shall be peers, and how.

    Args:
        pairs: each pair once; both sides are meant.
        masks: by id of the home cluster; a cluster that is not in it keeps its own.
        credentials: by id of the remote cluster; else its own AXL user.
    """

    pairs: tuple[Pair, ...]
    protocol: str = Peer.Protocol.TCP
    masks: Mapping[UUID, str] = field(default_factory=dict)
    credentials: Mapping[UUID, Credentials] = field(default_factory=dict)

    @classmethod
    def whole_mesh(cls, clusters: Iterable[Cluster], **how: Any) -> "Wanted":
        return cls(tuple(combinations(clusters, 2)), **how)


@dataclass(frozen=True)
class Step:
    """One side: the entry on `home` for `remote`, as it is and as it would be."""

    action: str  # create, update, delete or none
    home: Cluster
    remote: Cluster
    address: str
    before: Values | None
    after: Values | None
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    peer: Peer | None = field(default=None, repr=False)
    password: Secret = field(default=Secret(""), repr=False)

    @property
    def changes(self) -> bool:
        return self.action != "none"

    @property
    def changed(self) -> set[str]:
        """The fields that differ, for the page to mark."""
        before, after = self.before or {}, self.after or {}
        return {name for name in after if before.get(name) != after[name]}


@dataclass(frozen=True)
class Plan:
    """All sides, in the order in which they would be set up."""

    wanted: Wanted
    steps: tuple[Step, ...]

    @property
    def changes(self) -> list[Step]:
        return [step for step in self.steps if step.changes]

    @property
    def errors(self) -> list[str]:
        return [
            f"{step.home} to {step.remote}: {error}"
            for step in self.steps
            for error in step.errors
        ]

    @property
    def hash(self) -> str:
        facts = [
            [
                step.action,
                str(step.home.pk),
                str(step.remote.pk),
                step.before,
                step.after,
                step.peer.revision if step.peer else None,
            ]
            for step in self.steps
        ]
        text = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def plan(wanted: Wanted) -> Plan:
    """Compare, both sides of every pair."""
    peers = {
        (peer.cluster_id, peer.remote_cluster_id): peer
        for peer in Peer.objects.filter(
            cluster__in={cluster.pk for pair in wanted.pairs for cluster in pair}
        ).exclude(remote_cluster=None)
    }
    sides = [
        side for one, other in wanted.pairs for side in ((one, other), (other, one))
    ]
    return Plan(
        wanted,
        tuple(
            side_step(wanted, home, remote, peers.get((home.pk, remote.pk)))
            for home, remote in sides
        ),
    )


def side_step(
    wanted: Wanted, home: Cluster, remote: Cluster, peer: Peer | None
) -> Step:
    """Plan one side."""
    blocked = tuple(missing(home, remote))
    if blocked:
        return Step("none", home, remote, "", None, None, errors=blocked)
    credentials, given = credentials_for(wanted, remote)
    after = wanted_values(wanted, home, remote, peer, credentials)
    before = values_of(peer) if peer else None
    password = credentials.password if given or peer is None else Secret("")
    if peer is not None and password and peer.unseal("password") != password:
        after["password"] = "changed"
    action = "create" if peer is None else "none" if before == after else "update"
    warnings = [*side_warnings(home, remote), *drift(peer)]
    if action == "none" and drift(peer):
        action = "update"
    return Step(
        action,
        home,
        remote,
        after["address"],
        before,
        after,
        warnings=tuple(warnings),
        errors=tuple(side_errors(home, remote, after, peer)),
        peer=peer,
        password=password,
    )


def missing(home: Cluster, remote: Cluster) -> Iterable[str]:
    """What either cluster lacks before it can be planned for at all."""
    for cluster in (home, remote):
        if cluster.publisher is None:
            yield f"{cluster} has no publisher in the console."
        elif not cluster.publisher.trusted:
            yield f"The certificate of {cluster.publisher} is not confirmed."


def credentials_for(wanted: Wanted, remote: Cluster) -> tuple[Credentials, bool]:
    """Return the user of the remote cluster, and whether it was given on purpose."""
    given = wanted.credentials.get(remote.pk)
    if given is not None:
        return given, True
    return Credentials(remote.axl_username, remote.unseal("axl_password")), False


def wanted_values(
    wanted: Wanted,
    home: Cluster,
    remote: Cluster,
    peer: Peer | None,
    credentials: Credentials,
) -> Values:
    """The side as it would be; what nobody asked to change stays as it is."""
    kept = values_of(peer) if peer else {}
    chosen = remote.pk in wanted.credentials
    username = credentials.username if chosen or not kept else kept["username"]
    default_mask = kept.get("external_phone_number_mask", "")
    return {
        "address": kept.get("address") or address_for(home, remote),
        "username": username,
        "protocol": str(wanted.protocol),
        "external_phone_number_mask": wanted.masks.get(home.pk, default_mask),
        "password": "set",
    }


def values_of(peer: Peer) -> Values:
    return {
        "address": peer.address,
        "username": peer.username,
        "protocol": peer.protocol,
        "external_phone_number_mask": peer.external_phone_number_mask,
        "password": "set" if peer.password else "missing",
    }


def address_for(home: Cluster, remote: Cluster) -> str:
    """The remote publisher by the exact name of its node; 7.x wants its address."""
    publisher = remote.publisher
    if publisher is None:
        return ""
    return publisher.address if home.profile.peer_is_ip_only else publisher.name


def side_errors(
    home: Cluster, remote: Cluster, after: Values, peer: Peer | None
) -> Iterable[str]:
    mask = after["external_phone_number_mask"]
    if mask and not home.profile.has_mask:
        yield f"{home} has no external phone number mask."
    draft = peer or Peer(cluster=home, remote_cluster=remote, address=after["address"])
    yield from rules.peer_errors(draft).values()


def side_warnings(home: Cluster, remote: Cluster) -> Iterable[str]:
    if home.version and remote.version:
        if platforms.may_peer(home.version, remote.version) is False:
            yield (
                f"The vendor does not support peers of {home.version} "
                f"and {remote.version}."
            )
    else:
        yield "The version of a side is not known: run discovery first."
    if not home.direct:
        yield f"{home} is guided: you do its side by hand, as the job will show."


def drift(peer: Peer | None) -> list[str]:
    """What the last check found to differ on the cluster itself."""
    if peer is None:
        return []
    if peer.provisioning_state == Peer.ProvisioningState.ABSENT:
        return ["The cluster no longer shows this entry as wanted; it will be written."]
    if peer.provisioning_state == Peer.ProvisioningState.FAILED:
        return ["The entry could not be written before; it will be tried again."]
    return []
