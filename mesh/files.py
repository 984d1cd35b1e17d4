"""A file of clusters and peerings against the console: compare, apply, write."""

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import yaml
from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from mesh.document import CLUSTER_FIELDS, ClusterWish, Document
from mesh.wanted import Wanted
from peers.changes import trust
from peers.models import Cluster, Node, Peer


@dataclass(frozen=True)
class ClusterChange:
    """What the file changes of a cluster; no cluster: it is added."""

    wish: ClusterWish
    cluster: Cluster | None
    fields: dict[str, list[Any]]
    password: bool
    publisher: bool

    @property
    def needed(self) -> bool:
        return bool(self.fields) or self.password or self.publisher

    def __str__(self) -> str:
        if self.cluster is None:
            return f"add cluster {self.wish.name}"
        said = [
            f"{name} {old or 'empty'} → {new or 'empty'}"
            for name, (old, new) in self.fields.items()
        ]
        said += ["AXL password"] * self.password + ["publisher"] * self.publisher
        return f"change cluster {self.wish.name}: {', '.join(said)}"


def existing() -> dict[str, Cluster]:
    rows = Cluster.objects.prefetch_related("nodes").order_by("name")
    return {cluster.name: cluster for cluster in rows}


def cluster_changes(document: Document) -> list[ClusterChange]:
    held = existing()
    found = [change_of(wish, held.get(wish.name)) for wish in document.clusters]
    return [change for change in found if change.needed]


def change_of(wish: ClusterWish, cluster: Cluster | None) -> ClusterChange:
    old = {name: getattr(cluster, name, "") for name in CLUSTER_FIELDS}
    fields = audit.differences(old, old | dict(wish.fields))
    password = wish.axl_password
    changed = password is not None and (
        cluster is None or cluster.unseal("axl_password") != password
    )
    publisher = cluster.publisher if cluster else None
    differs = bool(wish.publisher) and (
        publisher is None
        or any(
            getattr(publisher, name) != value
            for name, value in wish.publisher.items()
            if name != "fingerprint"
        )
        or ("fingerprint" in wish.publisher and not publisher.trusted)
    )
    return ClusterChange(wish, cluster, fields, changed, differs)


def unknown_names(document: Document) -> set[str]:
    """Clusters that a peering names and neither the file nor the console has."""
    named = {name for wish in document.peerings for name in wish.pair}
    return named - {wish.name for wish in document.clusters} - set(existing())


def waiting(document: Document) -> list[tuple[str, str]]:
    """Pairs that cannot be planned before their clusters are in the console."""
    held = existing()
    return [wish.pair for wish in document.peerings if not set(wish.pair) <= set(held)]


def wanted_of(document: Document) -> Wanted:
    """The peerings of the file between clusters that the console has."""
    held = existing()
    wishes = [wish for wish in document.peerings if set(wish.pair) <= set(held)]
    pairs = [(held[wish.pair[0]], held[wish.pair[1]]) for wish in wishes]
    return Wanted(
        tuple(pairs),
        protocols={
            frozenset({one.pk, other.pk}): wish.protocol
            for wish, (one, other) in zip(wishes, pairs, strict=True)
        },
        side_masks={
            (home.pk, remote.pk): wish.masks[home.name]
            for wish, (one, other) in zip(wishes, pairs, strict=True)
            for home, remote in ((one, other), (other, one))
            if home.name in wish.masks
        },
        credentials={
            held[wish.name].pk: wish.intercluster
            for wish in document.clusters
            if wish.intercluster and wish.name in held
        },
    )


def apply_cluster(change: ClusterChange, actor: Actor) -> None:
    """Add or edit a cluster, and confirm the certificate that the file names.

    Raises:
        ValueError: something is missing or breaks a rule.
        peers.changes.FingerprintDiffers, wire.WireError: of the certificate.
    """
    wish = change.wish
    with transaction.atomic():
        cluster = change.cluster or new_cluster(wish)
        for name, value in wish.fields.items():
            setattr(cluster, name, value)
        if wish.axl_password and change.password:
            cluster.seal("axl_password", wish.axl_password.reveal())
        cluster.clean_fields(exclude=["name"])
        if change.cluster is None:
            cluster.save(force_insert=True)
        elif change.fields or change.password:
            secret = ["axl_password"] if change.password else []
            cluster.save_edit(*change.fields, *secret)
        found = dict(change.fields)
        if change.password:
            found["axl_password"] = [None, "changed"]
        action = "edit cluster" if change.cluster else "add cluster"
        audit.record(actor, action, cluster, found)
        node = store_publisher(cluster, wish, actor) if change.publisher else None
    fingerprint = wish.publisher.get("fingerprint", "")
    if node and fingerprint and not node.trusted:
        trust(node, fingerprint, actor)


def new_cluster(wish: ClusterWish) -> Cluster:
    if not wish.axl_password:
        raise ValueError(f"cluster {wish.name}: its AXL password is not to be found.")
    if not {"name", "address"} <= set(wish.publisher):
        raise ValueError(f"cluster {wish.name}: its publisher needs name and address.")
    return Cluster(name=wish.name)


def store_publisher(cluster: Cluster, wish: ClusterWish, actor: Actor) -> Node:
    node = cluster.nodes.filter(role=Node.Role.PUBLISHER).first()
    node = node or Node(cluster=cluster)
    node.cluster = cluster
    values = {k: v for k, v in wish.publisher.items() if k != "fingerprint"}
    found = audit.differences({k: getattr(node, k) for k in values}, values)
    for name, value in values.items():
        setattr(node, name, value)
    adding = node._state.adding
    node.clean_fields()
    if adding:
        node.save(force_insert=True)
    elif found:
        node.save_edit(*found)
    if found:
        audit.record(actor, "add node" if adding else "edit node", node, found)
    return node


def export() -> str:
    """Write what the console has; where the passwords will be is only proposed."""
    held = existing()
    peers = {
        (peer.cluster_id, peer.remote_cluster_id): peer
        for peer in Peer.objects.exclude(remote_cluster=None).defer("entries")
    }
    peerings, lonely = [], []
    for one, other in combinations(held.values(), 2):
        there, back = peers.get((one.pk, other.pk)), peers.get((other.pk, one.pk))
        if there and back:
            peerings.append(peering_data(there, back, one, other))
        elif there or back:
            home, remote = (one, other) if there else (other, one)
            lonely.append(f"# one-sided, so not listed: {home} to {remote}\n")
    data = {
        "clusters": [cluster_data(cluster) for cluster in held.values()],
        "peerings": peerings,
    }
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=88)
    return text + "".join(lonely)


def cluster_data(cluster: Cluster) -> dict[str, Any]:
    variable = re.sub(r"\W+", "_", cluster.name.upper(), flags=re.ASCII).strip("_")
    data: dict[str, Any] = {"name": cluster.name}
    if publisher := cluster.publisher:
        publisher.cluster = cluster
        data["publisher"] = {"name": publisher.name, "address": publisher.address}
        if publisher.trusted and publisher.certificate_fingerprint:
            data["publisher"]["fingerprint"] = publisher.certificate_fingerprint
    data |= {
        name: value for name in CLUSTER_FIELDS if (value := getattr(cluster, name))
    }
    return data | {"axl_password": {"env": f"{variable}_AXL_PASSWORD"}}


def peering_data(
    there: Peer, back: Peer, one: Cluster, other: Cluster
) -> dict[str, Any]:
    masks = {
        home.name: peer.external_phone_number_mask
        for home, peer in ((one, there), (other, back))
        if peer.external_phone_number_mask
    }
    data: dict[str, Any] = {"between": [one.name, other.name]}
    data["protocol"] = there.protocol
    return data | ({"masks": masks} if masks else {})
