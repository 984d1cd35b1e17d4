"""Lists of the directory as rows of a table."""

from collections.abc import Iterable, Iterator

from directory.columns import User
from directory.comparison import Entry
from directory.duplicates import KINDS, Duplicate
from directory.leftovers import Leftovers
from directory.moves import Move

ENTRY = ("User ID", "Directory URI", "Mail ID", "Shown on", "Lives on", "Settling")
DUPLICATE = ("Kind", "Value", "User ID", "Cluster", "Node", "Directory URI", "Mail ID")
LEFTOVER = ("User ID", "Directory URI", "Mail ID", "Shown by", "User of", "Node")
MOVE = ("User ID", "Directory URI", "Old node", "Now on", "Still shown there by")


def entries(found: Iterable[Entry]) -> Iterator[tuple[str, ...]]:
    for entry in found:
        yield (
            entry.user.userid,
            entry.user.directory_uri,
            entry.user.mail_id,
            str(entry.says or ""),
            str(entry.lives or ""),
            "yes" if entry.settling else "no",
        )


def duplicates(found: Iterable[Duplicate]) -> Iterator[tuple[str, ...]]:
    for one in found:
        for holder in one.holders:
            user = holder.user
            yield (
                KINDS[one.kind],
                one.value,
                user.userid,
                holder.side.cluster.name,
                user.node,
                user.directory_uri,
                user.mail_id,
            )


def leftovers(
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


def moves(found: Iterable[Move]) -> Iterator[tuple[str, ...]]:
    for move in found:
        user = move.user
        behind = ", ".join(move.behind)
        yield user.userid, user.directory_uri, user.node, move.target, behind
