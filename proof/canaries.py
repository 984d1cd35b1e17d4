"""The one writer of canaries and of the certificates that their nodes present."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from clusters.certificates import (
    FingerprintDiffers,
)
from clusters.jobs.present import ask_workers, is_asked_here
from clusters.models import Cluster, Node
from proof.jobs.present import PresentPresenceCertificates
from proof.models import Canary, CanaryUser, PresenceCertificate
from proof.presented import fetch_certificate
from wire import Certificate, Code, WireError

Kind = PresenceCertificate.Kind

FIELDS = (
    "userid",
    "watcher_userid",
    "way",
    "presence_username",
    "presence_port",
    "xmpp_port",
)
SECRETS = Canary.secret_fields


@transaction.atomic
def save_canary(cluster: Cluster, given: Mapping[str, Any], actor: Actor) -> Canary:
    """Keep the given fields; a secret that is empty or not given stays as it is."""
    Canary.objects.get_or_create(pk=cluster.pk)
    row = Canary.objects.select_for_update().get(pk=cluster.pk)
    old = audit.field_values(row, FIELDS)
    new = {name: value for name, value in given.items() if name in FIELDS}
    found = audit.differences(old, {**old, **new})
    for name, (_, value) in found.items():
        setattr(row, name, value)
    if "userid" in found:
        row.home_node = None
    if "watcher_userid" in found:
        row.watcher_home_node = None
    for name in SECRETS:
        if plain := given.get(name):
            row.seal(name, plain)
            found[name] = [None, "changed"]
    if found:
        row.save()
        audit.append_entry(actor, "edit canary", row, found)
    return row


def present_certificate(node: Node, kind: str) -> Certificate:
    """Return what a node presents now, to a worker of its site where it has workers.

    Raises:
        WireError: it presents none, or nobody could ask it.
    """
    if is_asked_here(node):
        return fetch_certificate(node, kind)
    with ask_workers([node], PresentPresenceCertificates, kind=kind) as answers:
        certificate, error = answers()[node]
    if certificate is None:
        raise error or WireError(Code.PROTOCOL, node=node.name)
    return certificate


def trust_service(node: Node, kind: str, fingerprint: str, actor: Actor) -> None:
    """Pin what a node presents, if it is what an administrator confirmed.

    Raises:
        clusters.certificates.FingerprintDiffers: it presents another certificate.
        WireError: it presents none.
    """
    certificate = present_certificate(node, kind)
    if certificate.fingerprint != fingerprint:
        raise FingerprintDiffers(
            f"{node} presents another certificate than the one that was confirmed."
        )
    with transaction.atomic():
        known = PresenceCertificate.objects.filter(node=node, kind=kind).first()
        before = known.fingerprint if known else ""
        PresenceCertificate.objects.update_or_create(
            node=node,
            kind=kind,
            defaults={
                "fingerprint": fingerprint,
                "not_after": certificate.not_after,
            },
        )
        changes = audit.differences(
            {f"{kind} fingerprint": before}, {f"{kind} fingerprint": fingerprint}
        )
        audit.append_entry(actor, "trust presence certificate", node, changes)


def remember_home(user: CanaryUser, node: Node) -> None:
    if user.home_node_id != node.pk:
        Canary.objects.filter(pk=user.row.pk).update(**{user.home_field: node})
