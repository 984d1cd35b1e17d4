"""The certificate that a node presents, and its confirmation."""

import asyncio
from collections.abc import Iterable, Mapping

from django.db import transaction

import wire
from accounts import audit
from accounts.audit import Actor
from base.revisions import Stale
from clusters.connections import cluster_policy
from clusters.models import Node
from wire import Certificate, WireError

CERTIFICATE_DEADLINE = 10.0
Presented = tuple[Certificate | None, WireError | None]


class FingerprintDiffers(Exception):
    """The node presents another certificate than the one to be confirmed."""


def present_certificate(node: Node) -> Certificate:
    """Return what the node presents now; the only question asked within a request."""
    return wire.run_loop(_presented_certificate(node, node.cluster.legacy_tls))


async def _presented_certificate(node: Node, legacy: bool) -> Certificate:
    return await wire.fetch_certificate(
        node.address,
        node.axl_port,
        cluster_policy(),
        server_name=node.name,
        legacy=legacy,
        deadline=CERTIFICATE_DEADLINE,
    )


def present_certificates(nodes: Iterable[Node]) -> dict[Node, Presented]:
    """Return what each node presents now, or why it does not, all asked at once."""

    async def one(node: Node, legacy: bool) -> Presented:
        try:
            return await _presented_certificate(node, legacy), None
        except WireError as error:
            return None, error

    async def everyone() -> dict[Node, Presented]:
        found = await asyncio.gather(*map(one, rows, legacy))
        return dict(zip(rows, found, strict=True))

    rows = list(nodes)
    # Read before: the database is not asked from within the loop.
    legacy = [node.cluster.legacy_tls for node in rows]
    return wire.run_loop(everyone())


def trust_certificate(node: Node, fingerprint: str, actor: Actor) -> None:
    """Confirm the certificate that the node presents now.

    Raises:
        FingerprintDiffers: it presents another one.
        WireError: it does not answer.
    """
    _trust_certificate(node, present_certificate(node), fingerprint, actor)


def trust_many(given: Mapping[Node, str], actor: Actor) -> list[str]:
    """Confirm the certificates of nodes; return why some of them were not."""
    refused = []
    for node, (certificate, error) in present_certificates(given).items():
        try:
            if certificate is None:
                raise error or FingerprintDiffers(f"{node} presents no certificate.")
            _trust_certificate(node, certificate, given[node], actor)
        except (FingerprintDiffers, WireError, Stale) as problem:
            refused.append(str(problem))
    return refused


def _trust_certificate(
    node: Node, certificate: Certificate, fingerprint: str, actor: Actor
) -> None:
    given = fingerprint.replace(":", "").strip().lower()
    if certificate.fingerprint != given:
        raise FingerprintDiffers(
            f"{node} presents the fingerprint {certificate.fingerprint}, "
            "not the one you confirmed. Look at it again."
        )
    with transaction.atomic():
        changes = {"fingerprint": [node.certificate_fingerprint, given]}
        node.trust(certificate.fingerprint, certificate.not_after)
        audit.append_entry(actor, "trust certificate", node, changes)
