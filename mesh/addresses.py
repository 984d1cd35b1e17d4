"""What DNS gives for nodes that nobody manages.

Some clusters name a peer by its IP address and its users by the name of their node;
only DNS says that both are one cluster.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

import wire
from clusters.inventory import node_ownership
from clusters.node_evidence import addresses_of
from mesh.models import ObservedPeerTable, UsersSeen
from wire import address_of

# At most so many names, so seldom, and for so many seconds in all.
MOST_NAMES, EVERY, SECONDS = 100, timedelta(minutes=10), 4.0


def resolve_addresses(clusters: Iterable[UUID | str]) -> None:
    """Look up the names of unmanaged nodes, where an entry has only an address."""
    owners, now = node_ownership(), timezone.now()
    rows = UsersSeen.objects.filter(pk__in=list(clusters))
    for row in rows.exclude(looked_up_at__gt=now - EVERY):
        table = ObservedPeerTable.objects.filter(pk=row.pk).first()
        entries = [one.address for one in table.all] if table else []
        known = {ip for ips in row.addresses.values() for ip in ips}
        strange = (one for one in entries if not owners.of(one))
        left = {ip for one in strange if (ip := address_of(one))} - known
        if left:
            names = {*row.users, *(name for name, _ in row.nodes)}
            store_names(
                row, sorted(n for n in names if n and not owners.of(n))[:MOST_NAMES]
            )


def store_names(row: UsersSeen, names: list[str]) -> None:
    found = wire.run_loop(addresses_by_name(names))
    row.addresses = {name: sorted(ips) for name, ips in found.items() if ips}
    row.looked_up_at = timezone.now()
    row.save(update_fields=["addresses", "looked_up_at"])


async def addresses_by_name(names: list[str]) -> dict[str, frozenset[str]]:
    """Look all of them up at once; what is late is left out."""
    found: dict[str, frozenset[str]] = {}

    async def one(name: str) -> None:
        found[name] = await addresses_of(name)

    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*map(one, names))
    return found
