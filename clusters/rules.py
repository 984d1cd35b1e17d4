"""The rules of clusters and nodes, the same for pages and REST: errors by field."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError

from accounts.cluster_limits import limit_admits
from clusters import inventory
from clusters.models import Cluster, Node

Errors = dict[str, ValidationError]

NO_PASSWORD = "Enter the password of this account."


def sentences_of(errors: Errors) -> list[str]:
    """What a person reads of them."""
    return [sentence for error in errors.values() for sentence in error.messages]


def cluster_errors(cluster: Cluster) -> Errors:
    errors: Errors = {}
    if cluster.tls_mode == Cluster.TlsMode.CA:
        if not cluster.ca_certificate:
            errors["ca_certificate"] = ValidationError(
                "Paste the CA certificate, or pin certificates.", "required"
            )
        if cluster.legacy_tls:
            errors["legacy_tls"] = ValidationError(
                "Legacy TLS is only for confirmed certificates.", "not-for-ca"
            )
    return errors


def node_errors(node: Node) -> Errors:
    errors: Errors = {}
    twin = inventory.known_source().twin(node) if node.address else None
    if twin:
        seen = limit_admits(twin.cluster_id)
        named = f"{twin} of {twin.cluster}" if seen else "Another node"
        errors["address"] = ValidationError(
            f"{named} has this address and AXL port.", "same-address"
        )
    if not node.cluster_id:
        return errors
    siblings = [
        n for n in inventory.known_source().nodes(node.cluster) if n.pk != node.pk
    ]
    name = node.name.casefold()
    if name and any(other.name.casefold() == name for other in siblings):
        errors["name"] = ValidationError(
            f"{node.cluster} has a node of this name.", "same-name"
        )
    publisher = publisher_among(siblings)
    if node.is_publisher and publisher:
        errors["role"] = ValidationError(
            f"{node.cluster} has a publisher already: {publisher}.", "second-publisher"
        )
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
    errors: Errors = {}
    if not cluster.pages_username:
        errors["pages_username"] = ValidationError(
            "Enter the account for the pages.", "required"
        )
    if not (password or cluster.pages_password):
        errors["pages_password"] = ValidationError(NO_PASSWORD, "required")
    return errors


def os_account_errors(cluster: Cluster, password: str) -> Errors:
    """What the OS administrator's account lacks: both of it, or neither.

    Args:
        password: the password given with the change, if any.
    """
    if password and not cluster.os_username:
        error = ValidationError("Enter the user of this password.", "required")
        return {"os_username": error}
    if cluster.os_username and not (password or cluster.os_password):
        return {"os_password": ValidationError(NO_PASSWORD, "required")}
    return {}
