"""Clusters and nodes are saved and deleted here only, each in one transaction.

What is observed of them, and the certificate that is confirmed, are stored by methods
of the models.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from clusters.locks import mesh_lock_of
from clusters.models import Cluster, Node
from clusters.routing import follow_site
from clusters.signals import cluster_leaving, node_changed
from jobs.locks import refuse_held
from jobs.models import Job
from wire import address_of

# What a person enters, in the order of the forms; passwords are apart.
CLUSTER_FIELDS = (
    "name",
    "domain",
    "address_scheme",
    "description",
    "site",
    "axl_username",
    "provisioning",
    "pages_username",
    "pages_port",
    "os_username",
    "tls_mode",
    "ca_certificate",
    "legacy_tls",
    "peer_table",
)


PORTS = ("axl_port", "sip_port", "sip_tls_port", "sip_peer_tls_port")


NODE_FIELDS = ("name", "address", "role", *PORTS)


@transaction.atomic
def save_cluster(
    cluster: Cluster,
    actor: Actor,
    *,
    password: str = "",
    peering_password: str = "",
    pages_password: str = "",
    os_password: str = "",
    fields: Iterable[str] = (),
    publisher: Node | None = None,
    action: str = "",
) -> None:
    """Save a new cluster with its publisher, or the edited fields of a known one.

    Args:
        action: what the audit trail calls it, where it is more than an edit.

    Raises:
        base.revisions.Stale: somebody else edited it in the meantime.
    """
    creating = cluster._state.adding
    old = (
        {}
        if creating
        else audit.field_values(Cluster.objects.get(pk=cluster.pk), fields)
    )
    new = audit.field_values(cluster, CLUSTER_FIELDS if creating else fields)
    found = audit.differences(old, new)
    given = {
        "axl_password": password,
        "peering_password": peering_password,
        "pages_password": pages_password,
        "os_password": os_password,
    }
    secrets = [name for name, plain in given.items() if plain]
    for name in secrets:
        cluster.seal(name, given[name])
        found[name] = [None, "changed"]
    if creating:
        cluster.save(force_insert=True)
    else:
        cluster.save_edit(*fields, *secrets)
    action = action or ("add cluster" if creating else "edit cluster")
    audit.append_entry(actor, action, cluster, found)
    if "site" in found and not creating:
        follow_site(cluster, old["site"])
    if publisher is not None:
        publisher.cluster = cluster
        save_node(publisher, actor)


def hold_clusters(pks: Iterable[Any]) -> None:
    """Lock these clusters until the transaction ends, in the order that all keep to."""
    rows = Cluster.objects.select_for_update(no_key=True).filter(pk__in=list(pks))
    list(rows.order_by("pk").values_list("pk"))


@transaction.atomic
def delete_cluster(cluster: Cluster, actor: Actor) -> None:
    """Delete it with its nodes and peers, here only; raises Busy while a job works."""
    # An import that has it waits for the audit trail.
    hold_clusters([cluster.pk])
    Job.objects.withdraw([cluster, *cluster.nodes.all()])
    cluster_leaving.send(sender=Cluster, cluster=cluster)
    refuse_held([mesh_lock_of(cluster.pk)])
    audit.append_entry(actor, "delete cluster", cluster)
    cluster.delete()


@transaction.atomic
def save_node(node: Node, actor: Actor, *, fields: Iterable[str] = ()) -> None:
    creating = node._state.adding
    before = None if creating else Node.objects.get(pk=node.pk)
    fields = [*fields, *name_with_address(node, before)]
    old = audit.field_values(before, fields) if before else {}
    new = audit.field_values(node, NODE_FIELDS if creating else fields)
    if creating:
        node.save(force_insert=True)
        if not node.trusted:
            node.cluster.doubt_health()
    else:
        node.save_edit(*fields)
    action = "add node" if creating else "edit node"
    audit.append_entry(actor, action, node, audit.differences(old, new))
    node_changed.send(sender=Node, node=node, before=before)


def name_with_address(node: Node, before: Node | None) -> list[str]:
    """Let a name that was only the old address become the new one.

    Once the node was reached, that name may be its own, and it stays. So does a host
    name, as the topology has it, when the node shall be dialled by IP address.
    """
    if before is None or before.certificate_fingerprint or before.axl_version:
        return []
    if not before.name == before.address == node.name != node.address:
        return []
    if address_of(node.address) and not address_of(node.name):
        return []
    node.name = node.address
    return ["name"]


@transaction.atomic
def delete_node(node: Node, actor: Actor) -> None:
    Job.objects.withdraw([node])
    audit.append_entry(actor, "delete node", node)
    node.delete()
    node_changed.send(sender=Node, node=node, before=None)
