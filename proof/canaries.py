"""The one writer of canaries and of the certificates that their nodes present."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

import presence
import wire
from accounts import audit
from accounts.audit import Actor
from clusters.certificates import (
    FingerprintDiffers,
)
from clusters.connections import cluster_policy
from clusters.models import Cluster, Node
from clusters.presented import CERTIFICATE_DEADLINE
from presence import ProofInterface
from proof.models import Canary, CanaryUser, PresenceCertificate
from wire import Certificate

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
    old = {name: getattr(row, name) for name in FIELDS}
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


def port_of(node: Node, kind: str) -> int:
    """Give the port at which a certificate is read: the one that proofs use."""
    row = Canary.objects.filter(pk=node.cluster_id).first()
    row = row or Canary(cluster=node.cluster)
    if kind == Kind.XMPP:
        return row.xmpp_port
    return (
        node.sip_tls_port if row.interface is ProofInterface.SIP else row.presence_port
    )


def present_certificate(node: Node, kind: str) -> Certificate:
    """Return what a node presents now.

    Raises:
        WireError: it presents none.
    """
    port, legacy = port_of(node, kind), node.cluster.legacy_tls
    if kind == Kind.XMPP:
        return wire.run_loop(
            presence.fetch_starttls_certificate(
                node.address,
                port,
                cluster_policy(),
                domain=node.cluster.domain,
                server_name=node.name,
                legacy=legacy,
                deadline=CERTIFICATE_DEADLINE,
            )
        )
    return wire.run_loop(
        wire.fetch_certificate(
            node.address,
            port,
            cluster_policy(),
            server_name=node.name,
            legacy=legacy,
            deadline=CERTIFICATE_DEADLINE,
        )
    )


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
