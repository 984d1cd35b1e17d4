"""Where a cluster keeps its peers: which table is read, and which may be written.

No public source names the table. It is what an administrator confirmed, what the
console recognised, or else what the platform profile supposes.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.audit import Actor
from clusters.conversation import ask_node
from clusters.discovery import require_publisher
from clusters.editing import save_cluster
from clusters.models import Cluster
from clusters.signals import entries_read
from wire import AxlClient, Code, PeerEntry, PeerTable, PeerTableClient, WireError

VERIFY_DEADLINE = 10.0


def readable_table_of(cluster: Cluster) -> PeerTable:
    """The table to read entries from."""
    mapping = cluster.peer_table or cluster.recognised_table
    return PeerTable.from_dict(mapping or cluster.profile.peer_table)


def writable_table_of(cluster: Cluster) -> PeerTable:
    """The table to write entries to.

    Raises:
        WireError: CATALOGUE, while nobody has confirmed what was recognised.
    """
    if cluster.recognised_table and not cluster.peer_table:
        table = cluster.recognised_table["table"]
        raise WireError(
            Code.CATALOGUE,
            f"The peer table {table} of {cluster} was recognised but not confirmed.",
            remedy="Confirm it on the peer table page of the cluster.",
        )
    return readable_table_of(cluster)


@dataclass(frozen=True)
class VerifiedMapping:
    """A mapping that the catalogue bears out, and the entries that it gives.

    Args:
        entries: None where the table could not be read; the next sweep tries again.
    """

    mapping: dict[str, Any]
    entries: list[PeerEntry] | None
    at: datetime


def verify_mapping(cluster: Cluster, mapping: dict[str, Any]) -> VerifiedMapping:
    """Hold a mapping against the catalogue now; the person who confirms it waits.

    Raises:
        WireError: CATALOGUE where they differ, or the publisher does not answer.
    """
    table, at = PeerTable.from_dict(mapping), timezone.now()

    async def question(axl: AxlClient) -> list[PeerEntry] | None:
        client = PeerTableClient(axl, table)
        await client.verify(deadline=VERIFY_DEADLINE)
        try:
            return await client.read(deadline=VERIFY_DEADLINE)
        except WireError:
            return None

    entries = ask_node(require_publisher(cluster), question)
    return VerifiedMapping(table.to_dict(), entries, at)


def confirm_mapping(cluster: Cluster, verified: VerifiedMapping, actor: Actor) -> None:
    """Read and write this table from now on, and keep what was read of it."""
    cluster.peer_table = verified.mapping
    save_cluster(cluster, actor, fields=["peer_table"], action="confirm peer table")
    if verified.entries is not None:
        keep_entries(cluster, verified.entries, verified.at)


def read_entries(cluster: Cluster) -> list[PeerEntry]:
    """Read the entries now, from a job, and let other apps keep them.

    Raises:
        WireError: the table cannot be read.
    """
    table, at = readable_table_of(cluster), timezone.now()

    async def question(axl: AxlClient) -> list[PeerEntry]:
        return await PeerTableClient(axl, table).read()

    entries = ask_node(require_publisher(cluster), question)
    keep_entries(cluster, entries, at)
    return entries


def keep_entries(cluster: Cluster, entries: list[PeerEntry], at: datetime) -> None:
    """Let other apps keep what was just read."""
    entries_read.send(sender=Cluster, cluster=cluster, entries=entries, at=at)


def chosen_mapping(cluster: Cluster) -> dict[str, Any] | None:
    """The table that is read, if one is known better than the profile supposes."""
    if mapping := cluster.peer_table or cluster.recognised_table:
        return dict(mapping)
    return dict(cluster.profile.peer_table) if cluster.profile_table_at else None


def searched_at(cluster: Cluster) -> datetime | None:
    at = cluster.table_search.get("seen_at")
    return datetime.fromisoformat(at) if at else None


def offered_mappings(cluster: Cluster) -> list[dict[str, Any]]:
    """Tables known of other clusters of the same release, as candidates."""
    release = ".".join(cluster.version.split(".")[:2])
    if not release:
        return []
    others = Cluster.objects.filter(version__startswith=release).exclude(pk=cluster.pk)
    known = ((other, other.peer_table or other.recognised_table) for other in others)
    return [
        {
            **mapping,
            "rows": None,
            "evidence": [f"{other}, of the same release, keeps its peers there."],
        }
        for other, mapping in known
        if mapping
    ]
