"""Reading the users of a cluster over AXL, whatever columns its release has."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from directory.column_builder import Builder
from directory.home_nodes import HomeNodes
from wire import AxlClient, Code, NodeAddress, WireError, sql
from wire.platforms import Profile

# Seconds that the node may take for all of its users.
DEADLINE = 200.0
TELEPHONE = "telephonenumber"
NEEDED = ("pkid", "userid", "primarynodeid")
COLUMNS = (*NEEDED, "directoryuri", "mailid", "enablecups")
BLOCK = 4096
YES = ("t", "true", "1")

Row = dict[str, str | None]
OnRows = Callable[[int], None]


@dataclass
class DirectoryReading:
    """What a cluster reported of its users."""

    builder: Builder = field(default_factory=Builder)
    own_nodes: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    repeated: int = 0


async def read_users(
    address: NodeAddress, profile: Profile, on_rows: OnRows
) -> DirectoryReading:
    """Read all users; `on_rows` is called with their number as they come.

    Raises:
        WireError: nothing that was read until then is of use.
    """
    reading = DirectoryReading()
    async with AxlClient(address) as axl:
        reading.own_nodes = await _own_nodes(axl, profile)
        places = await _enterprise_nodes(axl, profile)
        telephone = profile.telephone_column or TELEPHONE
        columns = (*COLUMNS, telephone)
        known = await _columns(axl, profile, columns)

        async def read(available: Sequence[str]) -> None:
            reading.absent = [name for name in columns if name not in available]
            query = sql.select_query("users", "enduser", available, order_by="pkid")
            query = replace(query, large=True, most=profile.sql["users"].most)
            batches = axl.batches(query, deadline=DEADLINE)
            blocks = Blocks(reading, places, telephone)
            async with aclosing(batches):
                await _add_all(blocks, batches, on_rows)

        try:
            await read(known or COLUMNS)
        except WireError as error:
            if known or error.code != Code.FAULT or len(reading.builder):
                raise
            # The release lacks one of those that not every release has.
            await read(NEEDED)
    return reading


async def _own_nodes(axl: AxlClient, profile: Profile) -> list[str]:
    query = sql.build_query("process_nodes", profile)
    try:
        rows = [row async for row in axl.rows(query)]
    except WireError as error:
        if error.code != Code.FAULT:
            raise
        rows = [row async for row in axl.rows(sql.build_query("process_nodes"))]
    return sorted({row.get("name") or "" for row in rows} - {""})


async def _enterprise_nodes(axl: AxlClient, profile: Profile) -> HomeNodes:
    query = sql.build_query("enterprise_nodes", profile)
    rows = [row async for row in axl.rows(query)]
    names = {row.get("id") or "": row.get("name") or "" for row in rows}
    return HomeNodes({id: name for id, name in names.items() if name} | {"": ""})


async def _columns(
    axl: AxlClient, profile: Profile, columns: tuple[str, ...]
) -> list[str]:
    """The wanted columns that `enduser` has; none if the cluster does not say."""
    query = sql.build_query("columns_of", profile, table="enduser")
    try:
        rows = [row async for row in axl.rows(query)]
    except WireError as error:
        if error.code not in (Code.FAULT, Code.NOT_OFFERED):
            raise
        rows = []
    names = {(row.get("colname") or "").strip().lower() for row in rows}
    missing = [name for name in NEEDED if name not in names]
    if names and missing:
        raise WireError(
            Code.CATALOGUE,
            f"The users of {axl.node.name} have no column {missing[0]}.",
            remedy="This release of the product is not known to the console.",
        )
    return [name for name in columns if name in names]


class Blocks:
    """Puts rows into columns, a block of them at a time."""

    def __init__(
        self, reading: DirectoryReading, places: HomeNodes, telephone: str
    ) -> None:
        self._reading = reading
        self._places = places
        self._enabled = Enabled()
        self._columns = ("userid", "directoryuri", "mailid", telephone)
        self._seen: set[str] = set()

    def add(self, rows: list[Row]) -> int:
        """Add a block; give how many users there are now."""
        fresh = self._fresh(rows)
        self._reading.repeated += len(rows) - len(fresh)
        builder = self._reading.builder
        if fresh:
            values = [_column(fresh, name) for name in self._columns]
            nodes = map(self._places.__getitem__, _column(fresh, "primarynodeid"))
            enabled = map(self._enabled.__getitem__, _column(fresh, "enablecups"))
            builder.add_columns(values, list(nodes), enabled)
        return len(builder)

    def _fresh(self, rows: list[Row]) -> list[Row]:
        """Users who are added while pages are read make rows come twice."""
        ids = _column(rows, "pkid")
        news = set(ids)
        if len(news) == len(ids) and "" not in news and self._seen.isdisjoint(news):
            self._seen |= news
            return rows
        return [row for row, id in zip(rows, ids, strict=True) if self._first(id)]

    def _first(self, id: str) -> bool:
        if id in self._seen:
            return False
        if id:
            self._seen.add(id)
        return True


class Enabled(dict[str, bool | None]):
    """What the texts of `enablecups` mean; none, where it does not say."""

    def __missing__(self, text: str) -> bool | None:
        return self.setdefault(text, text.lower() in YES if text else None)


def _column(rows: list[Row], name: str) -> list[str]:
    return [row.get(name) or "" for row in rows]


async def _add_all(
    blocks: Blocks, batches: AsyncIterator[list[Row]], on_rows: OnRows
) -> None:
    """Put the rows into columns in a thread, while the node sends the next ones."""
    loop = asyncio.get_running_loop()
    block: list[Row] = []
    working: asyncio.Future[int] | None = None
    async for batch in batches:
        block += batch
        if len(block) >= BLOCK:
            if working:
                on_rows(await working)
            working, block = loop.run_in_executor(None, blocks.add, block), []
    if working:
        await working
    on_rows(blocks.add(block))
