"""Lists of the directory as rows of a table."""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

from directory.columns import User
from directory.comparison import UserDifference
from directory.duplicates import KINDS, Duplicate
from directory.models import Comparison
from directory.moves import Move
from directory.orphans import Leftovers

ENTRY = ("User ID", "Directory URI", "Mail ID", "Shown on", "Lives on", "Settling")
DUPLICATE = ("Kind", "Value", "User ID", "Cluster", "Node", "Directory URI", "Mail ID")
LEFTOVER = ("User ID", "Directory URI", "Mail ID", "Shown by", "User of", "Node")
MOVE = ("User ID", "Directory URI", "Old node", "Now on", "Still shown there by")

# A peer that was never compared has no time, and then no numbers either.
COMPARISON: dict[str, Callable[[Comparison], Any]] = {
    "Outcome": attrgetter("outcome"),
    "Home cluster": attrgetter("peer.cluster.name"),
    "Remote cluster": lambda row: (
        row.peer.remote_cluster and row.peer.remote_cluster.name
    ),
    **{
        heading: lambda row, name=name: getattr(row, name) if row.at else None  # type: ignore[misc]
        for heading, name in (
            ("Shown", "home_count"),
            ("Has", "remote_count"),
            ("Missing", "missing"),
            ("No longer there", "extra"),
            ("Elsewhere", "elsewhere"),
            ("Settling", "settling"),
        )
    },
    "Compared": attrgetter("at"),
}
LEFTOVERS: dict[str, Callable[[Leftovers], Any]] = {
    "Shown by": attrgetter("cluster.name"),
    "Users of": attrgetter("remote_name"),
    "Users": attrgetter("count"),
    "Read": attrgetter("listing.snapshot.taken_at"),
}


def entry_lines(found: Iterable[UserDifference]) -> Iterator[tuple[str, ...]]:
    for entry in found:
        yield (
            entry.user.userid,
            entry.user.directory_uri,
            entry.user.mail_id,
            str(entry.says or ""),
            str(entry.lives or ""),
            "yes" if entry.settling else "no",
        )


def duplicate_lines(found: Iterable[Duplicate]) -> Iterator[tuple[str, ...]]:
    for one in found:
        for holder in one.holders:
            user = holder.user
            yield (
                KINDS[one.kind],
                one.value,
                user.userid,
                holder.listing.cluster.name,
                user.node,
                user.directory_uri,
                user.mail_id,
            )


def leftover_lines(
    found: Iterable[tuple[Leftovers, User]],
) -> Iterator[tuple[str, ...]]:
    for one, user in found:
        yield (
            user.userid,
            user.directory_uri,
            user.mail_id,
            one.cluster.name,
            one.remote_name,
            user.node,
        )


def move_lines(found: Iterable[Move]) -> Iterator[tuple[str, ...]]:
    for move in found:
        user = move.user
        behind = ", ".join(move.behind)
        yield user.userid, user.directory_uri, user.node, move.target, behind
