"""Reading the users of a cluster over AXL, whatever columns its release has."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from directory.columns import Builder, User
from wire import AxlClient, Code, NodeAddress, WireError, sql
from wire.platforms import Profile

# Seconds that the node may take for all of its users.
DEADLINE = 200.0
TELEPHONE = "telephonenumber"
NEEDED = ("pkid", "userid", "primarynodeid")
WANTED = (*NEEDED, "directoryuri", "mailid", "enablecups")
BLOCK = 2048
NO_PLACE = "no enterprise node"

Row = dict[str, str | None]
Told = Callable[[int], None]


@dataclass
class Reading:
    """What a cluster told of its users."""

    builder: Builder = field(default_factory=Builder)
    own_nodes: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    repeated: int = 0


async def read_users(address: NodeAddress, profile: Profile, told: Told) -> Reading:
    """Read all users; `told` is called with their number as they come.

    Raises:
        WireError: nothing that was read until then is of use.
    """
    reading = Reading()
    async with AxlClient(address) as axl:
        reading.own_nodes = await _own_nodes(axl, profile)
        places = await _enterprise_nodes(axl, profile)
        telephone = profile.telephone_column or TELEPHONE
        wanted = (*WANTED, telephone)
        there = await _columns(axl, profile, wanted)
        reading.absent = [name for name in wanted if name not in there]
        query = sql.select("users", "enduser", there, order_by="pkid")
        rows = axl.rows(replace(query, large=True), deadline=DEADLINE)
        async with aclosing(rows):
            await _add_all(reading, rows, places, telephone, told)
    return reading


async def _own_nodes(axl: AxlClient, profile: Profile) -> list[str]:
    query = sql.query("process_nodes", profile)
    try:
        rows = [row async for row in axl.rows(query)]
    except WireError as error:
        if error.code != Code.FAULT:
            raise
        rows = [row async for row in axl.rows(sql.query("process_nodes"))]
    return sorted({row.get("name") or "" for row in rows} - {""})


async def _enterprise_nodes(axl: AxlClient, profile: Profile) -> dict[str, str]:
    query = sql.query("enterprise_nodes", profile)
    rows = [row async for row in axl.rows(query)]
    return {row.get("id") or "": row.get("name") or "" for row in rows}


async def _columns(
    axl: AxlClient, profile: Profile, wanted: tuple[str, ...]
) -> list[str]:
    """The wanted columns that `enduser` has; the attested ones if it does not say."""
    query = sql.query("columns_of", profile, table="enduser")
    try:
        rows = [row async for row in axl.rows(query)]
    except WireError as error:
        if error.code not in (Code.FAULT, Code.NOT_OFFERED):
            raise
        rows = []
    names = {(row.get("colname") or "").strip().lower() for row in rows}
    if not names:
        return list(WANTED)
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise WireError(
            Code.CATALOGUE,
            f"The users of {axl.node.name} have no column {missing[0]}.",
            remedy="This release of the product is not known to the console.",
        )
    return [name for name in wanted if name in names]


async def _add_all(
    reading: Reading,
    rows: AsyncIterator[Row],
    places: Mapping[str, str],
    telephone: str,
    told: Told,
) -> None:
    """Put the rows into columns in a thread, while the node sends the next ones."""
    loop = asyncio.get_running_loop()
    seen: set[str | None] = set()

    def add(block: list[Row]) -> None:
        fresh = [row for row in block if _first(row.get("pkid"), seen)]
        reading.repeated += len(block) - len(fresh)
        reading.builder.add([_user(row, places, telephone) for row in fresh])
        told(len(reading.builder))

    block: list[Row] = []
    working: asyncio.Future[None] | None = None
    async for row in rows:
        block.append(row)
        if len(block) == BLOCK:
            if working:
                await working
            working, block = loop.run_in_executor(None, add, block), []
    if working:
        await working
    add(block)


def _first(pkid: str | None, seen: set[str | None]) -> bool:
    """Whether a row is new: users who are added while pages are read repeat rows."""
    if pkid in seen:
        return False
    if pkid:
        seen.add(pkid)
    return True


def _user(row: Row, places: Mapping[str, str], telephone: str) -> User:
    place = row.get("primarynodeid")
    enabled = row.get("enablecups")
    return User(
        row.get("userid") or "",
        row.get("directoryuri") or "",
        row.get("mailid") or "",
        row.get(telephone) or "",
        (places.get(place) or f"{NO_PLACE} {place}") if place else "",
        None if enabled is None else enabled.lower() in ("t", "true", "1"),
    )
