"""The certificate interface of the platform, from release 14 on.

Only reading; its shape is the one that programs in use rely on. The trust lists follow
the peering: the sync agent puts the certificates of a peer's nodes into them.
"""

import json
import secrets
from typing import TYPE_CHECKING, Any

from .certificates import TlsIdentity, identity_at
from .http import LabRequest, Response
from .http_faults import refusal_page
from .sessions import basic_credentials

if TYPE_CHECKING:
    from .cluster import LabCluster
    from .node import LabNode

ROOT = "/platformcom/"
SNAPSHOT = f"{ROOT}api/v1/certmgr/config/snapshot/server"
USERNAME = "osadmin"
BROKEN = "-----BEGIN CERTIFICATE-----\nMIIB+zCCAWQ\n-----END CERTIFICATE-----\n"


def password_of(cluster_name: str) -> str:
    """Return the password of a cluster's operating system administrator."""
    return f"{cluster_name}-os-secret"


def describe_certificate(cluster: "LabCluster") -> dict[str, str | None]:
    """Return what lab.json says of the account; nothing before release 14."""
    there = cluster.release.shows_certificates
    return {
        "os_username": USERNAME if there else None,
        "os_password": password_of(cluster.name) if there else None,
    }


class LabCertificates:
    """The certificates of one node, and the interface that shows them."""

    def __init__(self, node: "LabNode") -> None:
        self.node = node
        self.own: dict[str, TlsIdentity] = {}

    def identities(self) -> dict[str, TlsIdentity]:
        """Return what the node presents, by service."""
        found = {"tomcat": self.node.presented, "cup": self._of_the_proxy()}
        if self.node.cluster.generation != "cup7":
            found["cup-xmpp"] = self._made("cup-xmpp")
        return found

    def _of_the_proxy(self) -> TlsIdentity:
        """Return the proxy's certificate, or the one that ends when a fault says."""
        setting = self.node.faults.get("certificates")
        if setting and setting.value in ("expiring", "expired"):
            days = -1 if setting.value == "expired" else int(setting.number(10))
            return self._made(f"cup-{days}", days)
        return self.node.cup_identity

    def _made(self, kind: str, days: int = 1825) -> TlsIdentity:
        if kind not in self.own:
            node = self.node
            path = node.cluster.directory / f"{node.short_name}-{kind}.pem"
            key = node.cluster.lab.shared_key
            self.own[kind] = identity_at(path, node.name, node.address, key, days=days)
        return self.own[kind]

    async def answer(self, request: LabRequest) -> Response:
        """Answer a request below the root of the platform."""
        node = self.node
        off = node.faults.get("certificates", "off")
        if off or not node.cluster.release.shows_certificates:
            return refusal_page(404, "The requested resource is not available.")
        name, password = basic_credentials(request)
        right = password_of(node.cluster.name).encode()
        if name != USERNAME or not secrets.compare_digest(password.encode(), right):
            return refusal_page(401, "This request requires HTTP authentication ().")
        if node.faults.get("certificates", "no-role"):
            return refusal_page(403, "Access to the requested resource has been denied")
        if (request.method, request.path) != ("GET", SNAPSHOT):
            return refusal_page(404, "The requested resource is not available.")
        body = json.dumps(self.snapshot()).encode()
        return Response(200, body, "application/json")

    def snapshot(self) -> dict[str, Any]:
        node = self.node
        return {
            "server": node.name,
            "trackingId": secrets.token_hex(8),
            "identities": [
                {"service": service, "certificate": self._pem(one.pem), "csr": ""}
                for service, one in self.identities().items()
            ],
            "trusts": [
                {"service": service, "certificate_data": rows}
                for service, rows in self._trusts().items()
            ],
            "revokedCertificates": [],
        }

    def _pem(self, pem: str) -> str:
        broken = self.node.faults.get("certificates", "broken-pem")
        return BROKEN if broken else pem

    def _trusts(self) -> dict[str, list[dict[str, str]]]:
        """Return the trust lists: of the own cluster, and of those carried here."""
        cluster = self.node.cluster
        held = [
            (service, node.name, one.pem)
            for node in cluster.nodes
            for service, one in node.certificates.identities().items()
        ]
        if not self.node.faults.get("certificates", "missing-trust"):
            for rows in cluster.agent.trusts.values():
                held += rows
        found: dict[str, list[dict[str, str]]] = {}
        for service, name, pem in held:
            row = {"filename": f"{name}.pem", "certificate": self._pem(pem)}
            found.setdefault(f"{service}-trust", []).append(row)
        return found
