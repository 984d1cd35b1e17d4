"""Reading the certificates of nodes: one question each, a cluster's one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import wire
from accounts.secrets import SecretError
from clusters.connections import cluster_policy, with_credentials
from clusters.models import Cluster, Node
from wire import (
    Certificate,
    CertificateSnapshot,
    Code,
    NodeAddress,
    Policy,
    Secret,
    WireError,
)

# Seconds for the certificate interface of a node, and for a handshake.
SNAPSHOT, HANDSHAKE = 30.0, 8.0
FIRST_RELEASE = 14
# An account that was refused once must not be locked by the other nodes.
REFUSALS = (Code.UNAUTHORIZED, Code.FORBIDDEN)
OLDER = "older_release"
NO_ACCOUNT = "no_account"
REFUSED_BEFORE = "refused_before"


@dataclass(frozen=True)
class CertificateReading:
    """What one node showed: its snapshot, or what its ports presented, and why."""

    snapshot: CertificateSnapshot | None = None
    presented: Mapping[str, Certificate] = field(default_factory=dict)
    error: "WireError | Unasked | None" = None


@dataclass(frozen=True)
class Unasked:
    """Why the certificate interface was not asked at all."""

    code: str
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Target:
    """A node, and how it is read."""

    key: str
    address: NodeAddress
    port: int
    legacy: bool
    unasked: Unasked | None = None


def targets_of(cluster: Cluster, *, barred: bool = False) -> list[Target]:
    """Give the nodes of a cluster, the publisher first.

    Args:
        barred: the account was refused, and nobody has changed it since.
    """
    nodes = sorted(cluster.nodes.all(), key=lambda node: not node.is_publisher)
    unasked = reason_not_to_ask(cluster, barred=barred)
    password = Secret("")
    if unasked is None:
        try:
            password = cluster.unseal("os_password")
        except SecretError as error:
            unasked = Unasked("secret", str(error), "Enter the password again.")
    return [target_of(node, password, unasked) for node in nodes]


def target_of(node: Node, password: Secret, unasked: Unasked | None) -> Target:
    cluster = node.cluster
    address = with_credentials(node, cluster.os_username, password)
    if unasked is None and not node.trusted:
        unasked = Unasked(
            Code.CERTIFICATE_UNKNOWN,
            f"The certificate of {node.name} is not confirmed, so no password is sent "
            "to it.",
            "Confirm the certificate of the node.",
        )
    return Target(
        str(node.pk), address, cluster.pages_port, cluster.legacy_tls, unasked
    )


def reason_not_to_ask(cluster: Cluster, *, barred: bool) -> Unasked | None:
    if is_older(cluster):
        return Unasked(
            OLDER,
            f"Trust lists can be read from release {FIRST_RELEASE} on; "
            f"{cluster.name} runs {cluster.version}.",
            "Compare them with show cert list trust on the nodes.",
        )
    if not cluster.os_username:
        return Unasked(
            NO_ACCOUNT,
            f"No OS administrator is entered for {cluster.name}.",
            "Enter the OS administrator on the page of the cluster.",
        )
    if barred:
        return Unasked(
            REFUSED_BEFORE,
            f"The OS administrator of {cluster.name} was refused and is not tried "
            "again by itself.",
            "Correct the account on the page of the cluster, or read the certificates "
            "now.",
        )
    return None


def is_older(cluster: Cluster) -> bool:
    """Whether the release is known to have no certificate interface."""
    major = cluster.version.partition(".")[0]
    return major.isdecimal() and int(major) < FIRST_RELEASE


async def read_cluster(targets: Sequence[Target]) -> dict[str, CertificateReading]:
    """Read the nodes of one cluster, one after the other."""
    found: dict[str, CertificateReading] = {}
    refused: WireError | None = None
    for target in targets:
        reading = await read_node(target, refused)
        if isinstance(reading.error, WireError) and reading.error.code in REFUSALS:
            refused = reading.error
        found[target.key] = reading
    return found


async def read_node(
    target: Target, refused: WireError | None = None
) -> CertificateReading:
    error: WireError | Unasked | None = target.unasked or refused
    if error is None:
        try:
            asked = wire.certificate_snapshot(
                target.address, target.port, deadline=SNAPSHOT
            )
            return CertificateReading(await asked)
        except WireError as problem:
            error = problem
    return CertificateReading(presented=await presented_by(target), error=error)


async def presented_by(target: Target) -> dict[str, Certificate]:
    """Give what the ports of a node present; nothing but a handshake is sent."""
    where, found = target.address, {}
    for service, port in (("tomcat", where.axl_port), ("cup", where.sip_tls_port)):
        if seen := await handshake(target, port, cluster_policy()):
            found[service] = seen
    return found


async def handshake(target: Target, port: int, allowed: Policy) -> Certificate | None:
    try:
        return await wire.fetch_certificate(
            target.address.address,
            port,
            allowed,
            server_name=target.address.name,
            legacy=target.legacy,
            deadline=HANDSHAKE,
        )
    except WireError:
        return None
