"""Visits to the product's own pages: who signs in, and one at a time."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import wire
from accounts.secrets import SecretError
from clusters.connections import with_credentials
from clusters.contacts import remember_error
from clusters.discovery import require_publisher
from clusters.models import Cluster, Node
from jobs.leases import LeaseBusy, lease
from pages import PageCode, PagesError, PeerPages, Visit
from wire import Code, NodeAddress, PeerEntry, Secret, WireError

T = TypeVar("T")
Conversation = Callable[[PeerPages], Awaitable[T]]

VISIT_DEADLINE = 180.0
# So long a job waits for another visit of the same account.
VISIT_TIMEOUT = VISIT_DEADLINE + 30.0
MOST_NAME = 100


@dataclass(frozen=True)
class Account:
    """Where the pages of a cluster are, and who signs in."""

    node: NodeAddress
    port: int
    path: str
    others: tuple[str, ...]

    def visit(self, seconds: float) -> Visit:
        return Visit(
            self.node, self.port, self.path, deadline=seconds, others=self.others
        )


def account_of(cluster: Cluster) -> Account:
    """The account for the pages of the publisher, decrypted just now."""
    node = require_publisher(cluster)
    if node.certificate_state == Node.CertificateState.CHANGED:
        raise WireError(Code.CERTIFICATE_CHANGED, node=node.name)
    address = with_credentials(node, cluster.pages_username, _password(cluster))
    others = [one for one in cluster.nodes.all() if one.pk != node.pk]
    return Account(
        replace(address, axl_port=cluster.pages_port),
        cluster.pages_port,
        cluster.profile.pages["administration"],
        tuple(text for one in others for text in (one.name, one.address)),
    )


def _password(cluster: Cluster) -> Secret:
    try:
        return cluster.unseal("pages_password")
    except SecretError:
        return Secret("")


@contextlib.contextmanager
def hold_session(account: Account, seconds: float, patience: float) -> Iterator[None]:
    """One session of an account on a publisher, whichever worker it comes from.

    Raises:
        PagesError: BUSY, another visit kept it for as long as we could wait.
    """
    node = account.node
    name = f"pages:{node.address}:{account.port}:{node.username}"[:MOST_NAME]
    try:
        with lease(name, seconds=seconds + 30.0, patience=patience):
            yield
    except LeaseBusy:
        raise PagesError(PageCode.BUSY, node=node.name) from None


def visit_cluster(cluster: Cluster, conversation: Conversation[T]) -> T:
    """Sign in, work on the peer pages, sign out. Never call this from a request."""
    account = account_of(cluster)

    async def whole() -> T:
        async with account.visit(VISIT_DEADLINE) as session:
            return await conversation(PeerPages(session))

    with hold_session(account, VISIT_DEADLINE, VISIT_TIMEOUT):
        try:
            return wire.run_loop(whole())
        except WireError as error:
            remember_error(require_publisher(cluster), error)
            raise


def entry_of(cluster: Cluster, *addresses: str) -> PeerEntry | None:
    """The cluster's own entry under one of the addresses, as its pages show it."""
    return visit_cluster(cluster, lambda pages: pages.find(*addresses))
