"""Certificates as nodes show them, and clusters whose certificates were read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from clusters.models import Cluster, Node
from exchange import store
from exchange.reading import CertificateReading
from wire import Certificate, CertificateSnapshot, TrustList
from wire.tls import describe_certificate

SERVICES = ("tomcat", "cup", "cup-xmpp")


@dataclass
class Authority:
    """A key and the name under which it signs."""

    key: Any
    name: x509.Name
    certificate: Certificate


def make(
    name: str,
    days: int = 400,
    *,
    by: Authority | None = None,
    key: Any = None,
    authority: bool = False,
) -> Certificate:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.name if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=900))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(x509.BasicConstraints(authority, None), True)
        .sign(by.key if by else key, hashes.SHA256())
    )
    return describe_certificate(made.public_bytes(Encoding.DER))


def make_authority(name: str, by: Authority | None = None) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return Authority(key, subject, make(name, by=by, key=key, authority=True))


def snapshot(
    presents: dict[str, Certificate | None], trusts: Iterable[Certificate], **more: int
) -> CertificateReading:
    """A whole answer; `more` is how many entries of a list could not be read."""
    held = tuple(trusts)
    lists = {name: TrustList(held, more.get(name, 0)) for name in SERVICES}
    return CertificateReading(CertificateSnapshot("", presents, lists))


@dataclass
class Mesh:
    """Two clusters with two nodes each that are peers; `store` reads them again."""

    home: Cluster
    remote: Cluster
    own: dict[Any, dict[str, Certificate]]

    def nodes(self, cluster: Cluster) -> list[Node]:
        return list(cluster.nodes.order_by("role", "name"))

    @property
    def everything(self) -> list[Certificate]:
        return [one for those in self.own.values() for one in those.values()]

    def read(self, node: Node, trusts: Iterable[Certificate], **more: int) -> None:
        reading = snapshot(dict(self.own[node.pk]), trusts, **more)
        store.save_reading(node, reading, timezone.now())

    def read_all(self) -> None:
        for node in self.nodes(self.home) + self.nodes(self.remote):
            self.read(node, self.everything)


@pytest.fixture
def mesh(
    cluster_factory: Callable[..., Cluster], peer_factory: Callable[..., Any]
) -> Mesh:
    home, remote = cluster_factory("cup1"), cluster_factory("cup2")
    for cluster in (home, remote):
        Node.objects.create(
            cluster=cluster,
            name=f"{cluster.name}-sub",
            address=f"{cluster.name}-sub.example.net",
            role="subscriber",
        )
    peer_factory(home, remote)
    peer_factory(remote, home)
    own = {
        node.pk: {service: make(node.name) for service in SERVICES}
        for node in Node.objects.all()
    }
    made = Mesh(home, remote, own)
    made.read_all()
    return made
