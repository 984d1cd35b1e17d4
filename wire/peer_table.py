"""The peer entries of a cluster, in a table whose name and columns are data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from wire import sql
from wire.axl import DEADLINE, AxlClient
from wire.errors import Code, WireError
from wire.secret import Secret
from wire.sql import Query
from wire.xml import count_of

_REQUIRED = ("address", "username", "password", "protocol")
_OPTIONAL = ("external_phone_number_mask",)
PROTOCOLS = ("TCP", "UDP", "TLS")


@dataclass(frozen=True)
class PeerTable:
    """Which table holds the peers, and which column holds what.

    Args:
        columns: address, username, password, protocol and, where it exists,
            external_phone_number_mask, each with its column name.
        protocol_values: TCP, UDP and TLS, each with what the column holds for it; of a
            table that was recognised perhaps not all of them, which is enough to read.
    """

    table: str
    columns: Mapping[str, str]
    protocol_values: Mapping[str, str]
    verified: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "PeerTable":
        """Read a mapping; ValueError with a sentence for a person if it is wrong."""
        columns = _texts(data.get("columns"), "columns")
        protocols = _texts(data.get("protocol_values"), "protocol_values")
        table = data.get("table")
        if not isinstance(table, str):
            raise ValueError("The mapping needs the name of the table.")
        for name in _REQUIRED:
            if name not in columns:
                raise ValueError(f"The mapping needs a column for {name}.")
        if unknown := set(columns) - set(_REQUIRED + _OPTIONAL):
            raise ValueError(f"The mapping names an unknown field: {min(unknown)}.")
        if set(protocols) - set(PROTOCOLS):
            raise ValueError("The protocol values must be for TCP, UDP and TLS.")
        if len(set(columns.values())) != len(columns):
            raise ValueError("The mapping uses a column twice.")
        for name in (table, *columns.values()):
            _check_identifier(name)
        for value in protocols.values():
            _check_value(value)
        return cls(
            table,
            MappingProxyType(columns),
            MappingProxyType(protocols),
            data.get("verified") is True,
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "columns": dict(self.columns),
            "protocol_values": dict(self.protocol_values),
            "verified": self.verified,
        }

    def protocol_of(self, raw: str) -> str:
        """Give TCP, UDP or TLS; another value as it is, if it can be none of them."""
        known = {value: name for name, value in self.protocol_values.items()}
        complete = len(known) == len(PROTOCOLS)
        return known.get(raw, raw if complete else "")


def _texts(data: Any, name: str) -> dict[str, str]:
    if not isinstance(data, Mapping):
        raise ValueError(f"The mapping needs {name}.")
    for key, value in data.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ValueError(f"The mapping's {name} must be texts.")
    return dict(data)


def _check_identifier(name: str) -> None:
    try:
        sql.sql_identifier(name)
    except WireError:
        raise ValueError(f"{name!r} is not a table or column name.") from None


def _check_value(value: str) -> None:
    try:
        sql.sql_literal(value)
    except WireError as error:
        raise ValueError(f"A protocol value cannot be used: {error.message}") from None


@dataclass(frozen=True)
class PeerEntry:
    """A peer as the cluster's own table holds it; its password stays there."""

    address: str
    username: str
    protocol: str
    external_phone_number_mask: str = ""
    protocol_raw: str = ""
    has_password: bool = False


@dataclass(frozen=True)
class PeerValues:
    """What to write to a peer; no password leaves the stored one as it is."""

    username: str
    protocol: str
    external_phone_number_mask: str = ""
    password: Secret | None = field(default=None, repr=False)


class PeerTableClient:
    """Reads and writes the peers of a cluster through AXL on its publisher."""

    def __init__(self, axl: AxlClient, table: PeerTable) -> None:
        self.axl = axl
        self.table = table

    async def verify(self, *, deadline: float = DEADLINE) -> None:
        """Hold the mapping against the cluster's catalogue.

        Raises:
            WireError: CATALOGUE, naming what is missing and what looks alike.
        """
        found = await self._names(
            sql.build_query("columns_of", table=self.table.table.lower()), deadline
        )
        if not found:
            alike = await self._names(
                sql.build_query("tables_like", pattern="peer"), deadline
            )
            hint = f"Similar tables: {', '.join(alike[:10])}." if alike else ""
            raise self._differs(f"there is no table {self.table.table}. {hint}")
        missing = [x for x in self.table.columns.values() if x.lower() not in found]
        if missing:
            names = ", ".join(missing)
            raise self._differs(f"the table {self.table.table} has no column {names}.")

    async def read(self, *, deadline: float = DEADLINE) -> list[PeerEntry]:
        rows = self.axl.rows(self._select(), deadline=deadline)
        return [self._entry(row) async for row in rows]

    async def password_matches(
        self, address: str, password: Secret, *, deadline: float = DEADLINE
    ) -> bool:
        """Let the cluster compare, so that its password never leaves it."""
        where = self._key(address) | {self.table.columns["password"]: password}
        query = sql.count_query("peer_password", self.table.table, where)
        rows = self.axl.rows(query, deadline=deadline)
        counts = [next(iter(row.values()), None) async for row in rows]
        return count_of(counts[0] if counts else None, self.axl.node.name) > 0

    async def insert(
        self, address: str, values: PeerValues, *, deadline: float = DEADLINE
    ) -> int:
        pairs = self._key(address) | self._values(values)
        query = sql.insert_query("peer_insert", self.table.table, pairs)
        return await self.axl.write(query, deadline=deadline)

    async def update(
        self,
        address: str,
        values: PeerValues,
        *,
        renamed: str = "",
        deadline: float = DEADLINE,
    ) -> int:
        """Change the entry of an address, and the address itself if `renamed`."""
        pairs, key = self._values(values), self._key(address)
        if renamed:
            pairs |= self._key(renamed)
        query = sql.update_query("peer_update", self.table.table, pairs, key)
        return await self.axl.write(query, deadline=deadline)

    async def delete(self, address: str, *, deadline: float = DEADLINE) -> int:
        query = sql.delete_query("peer_delete", self.table.table, self._key(address))
        return await self.axl.write(query, deadline=deadline)

    def _select(self) -> Query:
        columns = self.table.columns
        password = sql.sql_identifier(columns["password"])
        return sql.select_query(
            "peers_read",
            self.table.table,
            [column for name, column in columns.items() if name != "password"],
            f"case when {password} is null then 'f' else 't' end as haspassword",
            order_by=columns["address"],
        )

    def _key(self, address: str) -> dict[str, str | Secret]:
        return {self.table.columns["address"]: address}

    def _entry(self, row: Mapping[str, str | None]) -> PeerEntry:
        def value(name: str) -> str:
            return (row.get(self.table.columns.get(name, "").lower()) or "").strip()

        raw = value("protocol")
        return PeerEntry(
            address=value("address"),
            username=value("username"),
            protocol=self.table.protocol_of(raw),
            external_phone_number_mask=value("external_phone_number_mask"),
            protocol_raw=raw,
            has_password=(row.get("haspassword") or "").strip() == "t",
        )

    def _values(self, values: PeerValues) -> dict[str, str | Secret]:
        protocol = self.table.protocol_values.get(values.protocol)
        if protocol is None:
            message = f"The mapping has no value for the protocol {values.protocol}."
            raise WireError(Code.VALUE, message)
        columns, mask = self.table.columns, values.external_phone_number_mask
        pairs: dict[str, str | Secret] = {
            columns["username"]: values.username,
            columns["protocol"]: protocol,
        }
        if "external_phone_number_mask" in columns:
            pairs[columns["external_phone_number_mask"]] = mask
        elif mask:
            message = "This cluster has no external phone number mask for peers."
            raise WireError(Code.VALUE, message)
        if values.password is not None:
            pairs[columns["password"]] = values.password
        return pairs

    async def _names(self, query: Query, deadline: float) -> list[str]:
        rows = self.axl.rows(query, deadline=deadline)
        found = [next(iter(row.values()), None) or "" async for row in rows]
        return sorted({name.strip().lower() for name in found})

    def _differs(self, what: str) -> WireError:
        node = self.axl.node.name
        return WireError(Code.CATALOGUE, f"The peer table differs on {node}: {what}")
