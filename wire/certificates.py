"""The certificate interface of one node: what it presents and whom it trusts.

Offered from release 14 on, to an operating system administrator. Its shape is attested
by programs that use it, not by the vendor's text: so each certificate is read from its
own PEM, what stands beside it is ignored, and what cannot be read is counted, because
a list that is not known whole proves no absence.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wire.deadline import Deadline
from wire.errors import Code, WireError, clean_text
from wire.http import Connection, Headers
from wire.interfaces import Interface, seen_at
from wire.limits import ConnectionAllowance
from wire.node import NodeAddress
from wire.soap_faults import failure_of
from wire.tls import Certificate, describe_certificate

PORT = 443
PATH = "/platformcom/api/v1/certmgr/config/snapshot/server"
MOST_BYTES = 16 * 1024 * 1024
MOST_CERTIFICATES = 20_000
# A certificate is a few kilobytes; what is longer is not read.
_LONGEST_PEM = 64 * 1024
_PEM = re.compile(
    r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----"
    r"([A-Za-z0-9+/=\s]{1,65536}?)-----END (?:TRUSTED |X509 )?CERTIFICATE-----"
)
_SERVICE = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@dataclass(frozen=True)
class TrustList:
    """The certificates that a node trusts for one of its services.

    Args:
        unreadable: how many entries were not understood.
    """

    certificates: tuple[Certificate, ...] = ()
    unreadable: int = 0


@dataclass(frozen=True)
class CertificateSnapshot:
    """The certificates of one node, by service in lower case.

    Args:
        identities: None where the certificate of a service was not understood.
        trusts: only the services whose list the node showed.
    """

    server: str = ""
    identities: Mapping[str, Certificate | None] = field(default_factory=dict)
    trusts: Mapping[str, TrustList] = field(default_factory=dict)


async def certificate_snapshot(
    node: NodeAddress, port: int = PORT, *, deadline: float = 30.0
) -> CertificateSnapshot:
    """Ask a node for all of its certificates, in one question.

    Args:
        node: with the name and password of an operating system administrator.
    """
    try:
        body = await _ask_interface(node, port, Deadline(deadline))
        return read_snapshot(body, node.name)
    except WireError as error:
        raise seen_at(Interface.CERTIFICATES, error) from None


async def _ask_interface(node: NodeAddress, port: int, clock: Deadline) -> bytes:
    headers = _headers(node, port)
    connection = await Connection.open(node, port, clock)
    try:
        reply = await connection.send("GET", PATH, headers, b"", clock)
        if reply.status != 200:
            raise await failure_of(reply, node.name, Interface.CERTIFICATES)
        return await reply.read(MOST_BYTES)
    finally:
        connection.close()


def _headers(node: NodeAddress, port: int) -> Headers:
    if ":" in node.username:
        raise WireError(Code.VALUE, "A user name cannot contain a colon.")
    pair = f"{node.username}:{node.password.reveal()}".encode(errors="replace")
    host = f"[{node.address}]" if ":" in node.address else node.address
    return [
        ("Host", f"{host}:{port}"),
        ("User-Agent", "cupadmin"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        ("Authorization", f"Basic {base64.b64encode(pair).decode()}"),
    ]


def read_snapshot(body: bytes, node: str) -> CertificateSnapshot:
    """Read the answer; of one that says two things at once nothing is taken."""
    try:
        found = json.loads(body, object_pairs_hook=_unique_names)
    except (ValueError, RecursionError):
        raise _unrecognised(node, "no JSON") from None
    identities = found.get("identities") if isinstance(found, dict) else None
    if not isinstance(identities, list) or not identities:
        raise _unrecognised(node, "no identities")
    allowance = ConnectionAllowance(node, MOST_BYTES, MOST_CERTIFICATES)
    trusts = found.get("trusts")
    server = found.get("server")
    return CertificateSnapshot(
        clean_text(server, 253) if isinstance(server, str) else "",
        _identities(identities, allowance),
        _trusts(trusts if isinstance(trusts, list) else [], allowance),
    )


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _unrecognised(node: str, detail: str) -> WireError:
    message = f"{node} answered with something that is no list of certificates."
    return WireError(Code.PROTOCOL, message, detail=detail)


def _identities(
    rows: list[Any], allowance: ConnectionAllowance
) -> dict[str, Certificate | None]:
    found: dict[str, Certificate | None] = {}
    for service, row in _services(rows):
        allowance.take_rows(1)
        read = list(_certificates(row.get("certificate")))
        first = read[0] if read else None
        known = found.setdefault(service, first)
        if known != first:
            # Two certificates of one service: which it presents is not said.
            found[service] = None
    return found


def _trusts(rows: list[Any], allowance: ConnectionAllowance) -> dict[str, TrustList]:
    found: dict[str, TrustList] = {}
    for service, row in _services(rows):
        known = found.get(service, TrustList())
        entries = row.get("certificate_data")
        if not isinstance(entries, list):
            found[service] = TrustList(known.certificates, known.unreadable + 1)
            continue
        allowance.take_rows(len(entries))
        read = [list(_certificates(_pem_of(entry))) for entry in entries]
        certificates = [one for those in read for one in those if one is not None]
        allowance.take_rows(max(len(certificates) - len(entries), 0))
        unreadable = sum(not those or None in those for those in read)
        found[service] = TrustList(
            (*known.certificates, *certificates), known.unreadable + unreadable
        )
    return found


def _services(rows: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each row with its service, by which a list and its owner are paired."""
    for row in rows:
        name = row.get("service") if isinstance(row, dict) else None
        if isinstance(name, str):
            service = name.strip().lower().removesuffix("-trust")
            if _SERVICE.fullmatch(service):
                yield service, row


def _pem_of(entry: Any) -> Any:
    return entry.get("certificate") if isinstance(entry, dict) else entry


def _certificates(text: Any) -> Iterator[Certificate | None]:
    """Read every certificate in a text; None for one that cannot be read."""
    if not isinstance(text, str) or len(text) > _LONGEST_PEM:
        yield None
        return
    found = _PEM.findall(text)
    if not found:
        yield None
    for block in found:
        try:
            yield describe_certificate(base64.b64decode(block))
        except ValueError:
            yield None
