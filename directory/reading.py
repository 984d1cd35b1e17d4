"""Reading the users of a cluster over AXL, whatever columns its release has."""

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
    # Users who are added while the pages are read shift them, and repeat rows.
    seen: set[str | None] = set()
    add = reading.builder.add
    async for row in rows:
        pkid = row.get("pkid")
        if pkid in seen:
            reading.repeated += 1
            continue
        if pkid:
            seen.add(pkid)
        add(_user(row, places, telephone))
        if not len(seen) % 1000:
            told(len(seen))


def _user(row: Row, places: Mapping[str, str], telephone: str) -> User:
    place = row.get("primarynodeid")
    enabled = row.get("enablecups")
    return User(
        userid=row.get("userid") or "",
        directory_uri=row.get("directoryuri") or "",
        mail_id=row.get("mailid") or "",
        number=row.get(telephone) or "",
        node=(places.get(place) or f"{NO_PLACE} {place}") if place else "",
        enabled=None if enabled is None else enabled.lower() in ("t", "true", "1"),
    )
