"""The cluster's own entry for a peer: reading it, and holding it against the peer."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from clusters import page_visits
from clusters.conversation import ask_node
from clusters.discovery import require_publisher
from clusters.ownership import Ownership
from clusters.peer_tables import readable_table_of, writable_table_of
from peers.drift import EXACT, drift_of
from peers.models import Peer
from peers.values import visible_values
from wire import (
    AxlClient,
    PeerEntry,
    PeerTable,
    PeerTableClient,
    PeerValues,
    plain_host,
)

T = TypeVar("T")
Conversation = Callable[[PeerTableClient], Awaitable[T]]


def ask_table(peer: Peer, conversation: Conversation[T]) -> T:
    """Read the peer table of the home cluster, on its publisher."""
    return _ask_table(peer, readable_table_of(peer.cluster), conversation)


def change_table(peer: Peer, conversation: Conversation[T]) -> T:
    """Write the peer table, which somebody has confirmed."""
    return _ask_table(peer, writable_table_of(peer.cluster), conversation)


def _ask_table(peer: Peer, table: PeerTable, conversation: Conversation[T]) -> T:
    async def question(axl: AxlClient) -> T:
        return await conversation(PeerTableClient(axl, table))

    return ask_node(require_publisher(peer.cluster), question)


def entry_of(peer: Peer) -> PeerEntry | None:
    """Return the cluster's own entry for the peer, as it is now."""
    if peer.cluster.by_pages:
        return page_visits.entry_of(peer.cluster, peer.address, peer.applied_address)
    addresses = {plain_host(peer.address), plain_host(peer.applied_address)} - {""}
    entries = ask_table(peer, PeerTableClient.read)
    found = (entry for entry in entries if plain_host(entry.address) in addresses)
    return next(found, None)


def wire_values(peer: Peer) -> PeerValues:
    return PeerValues(
        username=peer.username,
        protocol=peer.protocol,
        external_phone_number_mask=peer.external_phone_number_mask,
        # Without one the entry keeps its own: an adopted peer may have none.
        password=peer.unseal("password") if peer.password else None,
    )


def matches_peer(
    entry: PeerEntry | None, peer: Peer, machines: Ownership[Any] = EXACT
) -> bool:
    """Whether the cluster shows the peer as desired, the password left aside.

    Args:
        machines: whose nodes addresses are, where another spelling will do.
    """
    if entry is None:
        return False
    return not drift_of(visible_values(peer), entry, machines)


def entry_text(entry: PeerEntry) -> str:
    """The entry in a sentence, without the password."""
    return ", ".join(
        f"{Peer._meta.get_field(name).verbose_name} {value or 'empty'}"  # type: ignore[union-attr]
        for name, value in visible_values(entry).items()
    )


def entry_image(entry: PeerEntry | None) -> dict[str, str] | None:
    """The entry as a step may remember it: everything but the password."""
    return None if entry is None else visible_values(entry)
