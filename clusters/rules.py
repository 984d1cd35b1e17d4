"""The rules of clusters and nodes, the same for pages and REST: errors by field."""

from collections.abc import Iterable

from accounts.cluster_limits import limit_admits
from clusters import inventory
from clusters.models import Cluster, Node

Errors = dict[str, str]


def cluster_errors(cluster: Cluster) -> Errors:
    errors: Errors = {}
    if cluster.tls_mode == Cluster.TlsMode.CA:
        if not cluster.ca_certificate:
            errors["ca_certificate"] = "Paste the CA certificate, or pin certificates."
        if cluster.legacy_tls:
            errors["legacy_tls"] = "Legacy TLS is only for confirmed certificates."
    return errors


def node_errors(node: Node) -> Errors:
    errors: Errors = {}
    twin = inventory.known_source().twin(node) if node.address else None
    if twin:
        seen = limit_admits(twin.cluster_id)
        named = f"{twin} of {twin.cluster}" if seen else "Another node"
        errors["address"] = f"{named} has this address and AXL port."
    if not node.cluster_id:
        return errors
    siblings = [
        n for n in inventory.known_source().nodes(node.cluster) if n.pk != node.pk
    ]
    name = node.name.casefold()
    if name and any(other.name.casefold() == name for other in siblings):
        errors["name"] = f"{node.cluster} has a node of this name."
    publisher = publisher_among(siblings)
    if node.is_publisher and publisher:
        errors["role"] = f"{node.cluster} has a publisher already: {publisher}."
    return errors


def publisher_among(nodes: Iterable[Node]) -> Node | None:
    return next((node for node in nodes if node.is_publisher), None)


def account_errors(cluster: Cluster, password: str) -> Errors:
    """What the account for the pages lacks, where the console is to use them.

    Args:
        password: the password given with the change, if any.
    """
    if cluster.provisioning != Cluster.Provisioning.PAGES:
        return {}
    errors = {}
    if not cluster.pages_username:
        errors["pages_username"] = "Enter the account for the pages."
    if not (password or cluster.pages_password):
        errors["pages_password"] = "Enter the password of this account."
    return errors


def os_account_errors(cluster: Cluster, password: str) -> Errors:
    """What the OS administrator's account lacks: both of it, or neither.

    Args:
        password: the password given with the change, if any.
    """
    if password and not cluster.os_username:
        return {"os_username": "Enter the user of this password."}
    if cluster.os_username and not (password or cluster.os_password):
        return {"os_password": "Enter the password of this account."}
    return {}
