"""A file of clusters and peerings against the console: compare, apply, write."""

import re
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit import Actor
from base.revisions import Stale
from base.unreadable import Unreadable
from clusters import rules
from clusters.certificates import trust_certificate
from clusters.editing import save_cluster, save_node
from clusters.models import Cluster, Node
from clusters.validation import clean_host
from mesh.intent import MeshIntent
from mesh.spec import CLUSTER_FIELDS, ClusterSpec, Document
from peers.models import Peer


@dataclass(frozen=True)
class ClusterChange:
    """What the file changes of a cluster; no cluster: it is added."""

    spec: ClusterSpec
    cluster: Cluster | None
    fields: dict[str, list[Any]]
    password: bool
    publisher: bool

    @property
    def needed(self) -> bool:
        return bool(self.fields) or self.password or self.publisher

    @property
    def change_details(self) -> dict[str, list[Any]]:
        """The fields with old and new value; of a password only that it changes."""
        found = {name: list(values) for name, values in self.fields.items()}
        if self.password:
            found["axl_password"] = [None, "changed"]
        if self.publisher:
            held = self.cluster.publisher if self.cluster else None
            old = f"{held.name} ({held.address})" if held else None
            found["publisher"] = [old, " ".join(self.spec.publisher.values())]
        return found

    def __str__(self) -> str:
        if self.cluster is None:
            return f"add cluster {self.spec.name}"
        parts = [
            f"{name} {old or 'empty'} → {new or 'empty'}"
            for name, (old, new) in self.fields.items()
        ]
        parts += ["AXL password"] * self.password + ["publisher"] * self.publisher
        return f"change cluster {self.spec.name}: {', '.join(parts)}"


def existing_clusters() -> dict[str, Cluster]:
    rows = Cluster.objects.prefetch_related("nodes").order_by("name")
    return {cluster.name: cluster for cluster in rows}


def cluster_changes(document: Document) -> list[ClusterChange]:
    held = existing_clusters()
    found = [change_of(spec, held.get(spec.name)) for spec in document.clusters]
    return [change for change in found if change.needed]


def change_of(spec: ClusterSpec, cluster: Cluster | None) -> ClusterChange:
    old = {name: getattr(cluster, name, "") for name in CLUSTER_FIELDS}
    fields = audit.differences(old, old | dict(spec.fields))
    password = spec.axl_password
    changed = password is not None and (
        cluster is None or cluster.unseal("axl_password") != password
    )
    publisher = cluster.publisher if cluster else None
    differs = bool(spec.publisher) and (
        publisher is None
        or bool(node_changes(publisher, spec))
        or ("fingerprint" in spec.publisher and not publisher.trusted)
    )
    return ClusterChange(spec, cluster, fields, changed, differs)


def refuse_unknown_names(document: Document) -> None:
    """Raise Unreadable where neither the file nor the console has a cluster."""
    named = {name for spec in document.peerings for name in spec.pair}
    listed = {spec.name for spec in document.clusters}
    if unknown := named - listed - set(existing_clusters()):
        raise Unreadable(f"There is no cluster {min(unknown)}.", "no_cluster")


def waiting_pairs(document: Document) -> list[tuple[str, str]]:
    """Pairs that cannot be planned before their clusters are in the console."""
    held = existing_clusters()
    return [spec.pair for spec in document.peerings if not set(spec.pair) <= set(held)]


def intent_of(document: Document) -> MeshIntent:
    """The peerings of the file between clusters that the console has."""
    held = existing_clusters()
    specs = [spec for spec in document.peerings if set(spec.pair) <= set(held)]
    pairs = [(held[spec.pair[0]], held[spec.pair[1]]) for spec in specs]
    return MeshIntent(
        tuple(pairs),
        protocols={
            frozenset({one.pk, other.pk}): spec.protocol
            for spec, (one, other) in zip(specs, pairs, strict=True)
        },
        entry_masks={
            (home.pk, remote.pk): spec.masks[home.name]
            for spec, (one, other) in zip(specs, pairs, strict=True)
            for home, remote in ((one, other), (other, one))
            if home.name in spec.masks
        },
        credentials={
            held[spec.name].pk: spec.intercluster
            for spec in document.clusters
            if spec.intercluster and spec.name in held
        },
    )


def apply_cluster(change: ClusterChange, actor: Actor) -> None:
    """Add or edit a cluster, and confirm the certificate that the file names.

    Raises:
        base.unreadable.Unreadable: something is missing or breaks a rule.
        clusters.certificates.FingerprintDiffers, wire.WireError: of the certificate.
    """
    spec = change.spec
    cluster = change.cluster or new_cluster(spec)
    for name, value in spec.fields.items():
        setattr(cluster, name, value)
    account = rules.account_errors(cluster, "")
    refuse_invalid(spec, cluster, rules.cluster_errors(cluster) | account)
    node = drafted_publisher(change) if change.publisher else None
    try:
        with transaction.atomic():
            save_change(change, cluster, node, actor)
    except (IntegrityError, Stale):
        raise Unreadable(
            f"cluster {spec.name}: somebody changed it in the meantime; run it again.",
            "changed",
        ) from None
    fingerprint = spec.publisher.get("fingerprint", "")
    if node and fingerprint and not node.trusted:
        trust_certificate(node, fingerprint, actor)


def save_change(
    change: ClusterChange, cluster: Cluster, node: Node | None, actor: Actor
) -> None:
    secret = change.spec.axl_password
    password = secret.reveal() if secret and change.password else ""
    if change.cluster is None:
        save_cluster(cluster, actor, password=password, publisher=node)
        return
    if change.fields or password:
        save_cluster(cluster, actor, password=password, fields=change.fields)
    if node is None:
        return
    fields = () if node._state.adding else node_changes(cluster.publisher, change.spec)
    if node._state.adding or fields:
        save_node(node, actor, fields=fields)


def new_cluster(spec: ClusterSpec) -> Cluster:
    if not spec.axl_password:
        raise Unreadable(
            f"cluster {spec.name}: its AXL password is not to be found.", "no_password"
        )
    if not {"name", "address"} <= set(spec.publisher):
        raise Unreadable(
            f"cluster {spec.name}: its publisher needs name and address.", "missing"
        )
    return Cluster(name=spec.name)


def drafted_publisher(change: ClusterChange) -> Node:
    """The publisher as the file has it, not saved."""
    cluster, spec = change.cluster, change.spec
    held = cluster.publisher if cluster else None
    # That of a new cluster gets its cluster when both are saved.
    node = copy(held) if held else Node(cluster=cluster) if cluster else Node()
    for name, value in node_values(spec).items():
        setattr(node, name, value)
    refuse_invalid(spec, node, rules.node_errors(node), exclude=["cluster"])
    return node


def node_values(spec: ClusterSpec) -> dict[str, str]:
    """The fields of the publisher, as they are stored."""
    names = ("name", "address")
    return {
        key: clean_host(spec.publisher[key]) for key in names if key in spec.publisher
    }


def node_changes(node: Node | None, spec: ClusterSpec) -> list[str]:
    values = node_values(spec)
    return [key for key in values if getattr(node, key, None) != values[key]]


def refuse_invalid(
    spec: ClusterSpec,
    row: Cluster | Node,
    errors: rules.Errors,
    exclude: Collection[str] = (),
) -> None:
    """Raise Unreadable for the first value that breaks a rule or its field."""
    try:
        row.clean_fields(exclude={*exclude, *errors})
    except ValidationError as error:
        wrong = error.error_dict
        errors = errors | {name: ValidationError(wrong[name]) for name in wrong}
    part = "publisher " if isinstance(row, Node) else ""
    for name, broken in errors.items():
        sentence = " ".join(broken.messages)
        raise Unreadable(
            f"cluster {spec.name}, {part}{name}: {sentence}",
            broken.error_list[0].code or "invalid",
        )


def export_yaml() -> str:
    """Write what the console has; where the passwords will be is only proposed."""
    data = exported_data()
    lonely = data.pop("one_sided")
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=88)
    return text + "".join(
        f"# one-sided, so not listed: {home} to {remote}\n" for home, remote in lonely
    )


def exported_data() -> dict[str, list[Any]]:
    """Return clusters and peerings as a file has them, and one-sided pairs."""
    held = existing_clusters()
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
            lonely.append([home.name, remote.name])
    return {
        "clusters": [cluster_data(cluster) for cluster in held.values()],
        "peerings": peerings,
        "one_sided": lonely,
    }


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
