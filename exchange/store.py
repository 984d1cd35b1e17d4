"""The one writer of certificates that were read."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction

from clusters.models import Node
from exchange.judge import FRESH
from exchange.models import KnownCertificate, NodeCertificates
from exchange.reading import CertificateReading
from wire import Certificate

SeenBy = NodeCertificates.SeenBy


@transaction.atomic
def save_reading(
    node: Node, reading: CertificateReading, at: datetime
) -> NodeCertificates:
    """Keep what was read of a node.

    What the certificate interface showed a while ago is more than a handshake shows
    now: it stays until it is too old to mean anything.
    """
    row, _ = NodeCertificates.objects.get_or_create(pk=node.pk)
    error = reading.error
    row.tried_at = at
    row.code = str(error.code)[:40] if error else ""
    row.problem = error.message[:600] if error else ""
    row.solution = error.remedy[:600] if error else ""
    kept = row.seen_by == SeenBy.REST and row.seen_at and at - row.seen_at <= FRESH
    if reading.snapshot:
        store_snapshot(row, reading, at)
    elif not kept:
        row.trusts = {}
        row.identities = keys_of(reading.presented)
        row.seen_by = SeenBy.TLS if reading.presented else row.seen_by
        row.seen_at = at if reading.presented else row.seen_at
    row.save()
    return row


def store_snapshot(
    row: NodeCertificates, reading: CertificateReading, at: datetime
) -> None:
    snapshot = reading.snapshot
    assert snapshot is not None  # noqa: S101 - the caller looked
    trusts = snapshot.trusts
    lists = chain.from_iterable(one.certificates for one in trusts.values())
    keys = known_keys([*filter(None, snapshot.identities.values()), *lists])
    row.seen_by, row.seen_at = SeenBy.REST, at
    row.identities = {
        service: keys[one.fingerprint] if one else None
        for service, one in snapshot.identities.items()
    }
    row.trusts = {
        service: {
            "certificates": sorted({keys[c.fingerprint] for c in one.certificates}),
            "unreadable": one.unreadable,
        }
        for service, one in trusts.items()
    }


def keys_of(presented: Mapping[str, Certificate]) -> dict[str, int]:
    keys = known_keys(presented.values())
    return {service: keys[one.fingerprint] for service, one in presented.items()}


def known_keys(certificates: Iterable[Certificate]) -> dict[str, int]:
    """Give the keys of certificates by fingerprint; those that are new are added."""
    wanted = {one.fingerprint: one for one in certificates}
    rows = [row_of(one) for one in wanted.values()]
    there = stored_keys(wanted)
    new = [row for row in rows if row.fingerprint not in there]
    KnownCertificate.objects.bulk_create(new, batch_size=200, ignore_conflicts=True)
    return stored_keys(wanted) if new else there


def stored_keys(fingerprints: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    wanted = list(fingerprints)
    for start in range(0, len(wanted), 500):
        rows = KnownCertificate.objects.filter(
            fingerprint__in=wanted[start : start + 500]
        )
        found |= dict(rows.values_list("fingerprint", "pk"))
    return found


def row_of(one: Certificate) -> KnownCertificate:
    return KnownCertificate(
        fingerprint=one.fingerprint,
        subject=one.subject,
        issuer=one.issuer,
        common_name=one.common_name,
        not_before=one.not_before,
        not_after=one.not_after,
        self_signed=one.self_signed,
        key_hash=key_hash(one.pem),
        pem=one.pem,
    )


def key_hash(pem: str) -> str:
    """Give what tells one public key from another; nothing where it is not readable."""
    try:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return hashlib.sha256(der).hexdigest()


def link_signers() -> None:
    """Note which known authority signed each certificate, by its signature."""
    open_ones = KnownCertificate.objects.filter(self_signed=False, signer_key="")
    for one in open_ones:
        authorities = KnownCertificate.objects.filter(subject=one.issuer)
        for authority in authorities.exclude(pk=one.pk):
            if signed_by(one, authority):
                KnownCertificate.objects.filter(pk=one.pk).update(
                    signer_key=authority.key_hash
                )
                break


def signed_by(one: KnownCertificate, authority: KnownCertificate) -> bool:
    try:
        issued = x509.load_pem_x509_certificate(one.pem.encode())
        issuer = x509.load_pem_x509_certificate(authority.pem.encode())
        if not is_authority(issuer):
            return False
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def prune_certificates() -> None:
    """Forget certificates that no node presents or trusts any more."""
    used: set[Any] = set()
    for identities, trusts in NodeCertificates.objects.values_list(
        "identities", "trusts"
    ):
        used.update(identities.values())
        for one in trusts.values():
            used.update(one["certificates"])
    keys = KnownCertificate.objects.values_list("pk", flat=True)
    unused = [pk for pk in keys if pk not in used]
    for start in range(0, len(unused), 500):
        KnownCertificate.objects.filter(pk__in=unused[start : start + 500]).delete()
