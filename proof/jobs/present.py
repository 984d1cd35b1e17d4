"""Ask the nodes of a site for the certificates that they present to proofs."""

from collections.abc import Sequence

from accounts.roles import Role
from clusters.jobs.present import PresentCertificates
from clusters.models import Node
from clusters.presented import Presented
from presence.errors import PresenceCode, PresenceError
from proof.presented import fetch_certificate
from wire import WireError


class PresentPresenceCertificates(PresentCertificates):
    name = "present-presence-certificates"
    label = "Read presence certificates"
    role = Role.OPERATOR

    def present(self, nodes: Sequence[Node]) -> dict[Node, Presented]:
        found: dict[Node, Presented] = {}
        for node in nodes:
            try:
                found[node] = fetch_certificate(node, self.run.arguments["kind"]), None
            except WireError as error:
                found[node] = None, error
        return found

    @classmethod
    def error_of(cls, code: str, message: str, **more: str) -> WireError:
        if code not in {one.value for one in PresenceCode}:
            return super().error_of(code, message, **more)
        return PresenceError(PresenceCode(code), message, **more)  # type: ignore[arg-type]
