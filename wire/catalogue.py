"""Small questions to a cluster's database, counted and paced; and its catalogue."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence

from wire import sql
from wire.axl import DEADLINE, AxlClient
from wire.errors import Code, WireError
from wire.platforms import recognition_words
from wire.row_parser import Row
from wire.sql import Query

MOST_QUERIES = 200
PAUSE = 0.1
# Literals in one question; each is a name or an address.
MOST_LITERALS = 100
_NUMBER = re.compile(r"[0-9]{1,12}")


class Questions:
    """A conversation of so many questions at most, with a pause between them.

    Args:
        pause: seconds, so that the node hardly notices.
        deadline: seconds for each question.
    """

    def __init__(
        self,
        axl: AxlClient,
        *,
        most: int = MOST_QUERIES,
        pause: float = PAUSE,
        deadline: float = DEADLINE,
    ) -> None:
        self.axl = axl
        self.pause = pause
        self.deadline = deadline
        self.most = most
        self.query_count = 0

    @property
    def left(self) -> int:
        return max(self.most - self.query_count, 0)

    async def rows(self, query: Query) -> AsyncGenerator[Row, None]:
        if self.query_count:
            await asyncio.sleep(self.pause)
        self.query_count += 1
        async for row in self.axl.rows(query, deadline=self.deadline):
            yield row

    async def column(self, query: Query) -> list[str]:
        """Give the only column of the rows, in lower case."""
        return [first_of(row).lower() async for row in self.rows(query)]

    async def count(self, query: Query) -> int | None:
        """Ask for one number; None when the node refuses, or nothing is left."""
        if not self.left:
            return None
        try:
            rows = [row async for row in self.rows(query)]
        except WireError as error:
            if not is_refused(error):
                raise
            return None
        text = first_of(rows[0]) if rows else ""
        return int(text) if _NUMBER.fullmatch(text) else None

    async def holding(
        self, table: str, column: str, texts: Sequence[str]
    ) -> int | None:
        """Count the rows whose column holds one of these texts in any case."""
        total = 0
        for first in range(0, len(texts), MOST_LITERALS):
            part = texts[first : first + MOST_LITERALS]
            count = await self.count(sql.tally_query("holding", table, {column: part}))
            if count is None:
                return None
            total += count
        return total


class Catalogue:
    """The tables of a cluster and their columns, all in lower case.

    Args:
        columns: by table; those whose purpose is public are left out.
        complete: whether every table was looked at.
    """

    def __init__(self, columns: dict[str, set[str]], complete: bool = True) -> None:
        self.columns = columns
        self.complete = complete

    @classmethod
    async def read(cls, ask: Questions, likely: Callable[[str], bool]) -> "Catalogue":
        """Read it in one question, or table by table where it cannot be joined.

        Raises:
            WireError: also when the catalogue is not to be read.
        """
        for name in ("catalogue", "catalogue_of_any_type"):
            try:
                return await cls._joined(ask, sql.build_query(name))
            except WireError as error:
                if not is_refused(error):
                    raise
        return await cls._one_by_one(ask, likely)

    @classmethod
    async def _joined(cls, ask: Questions, query: Query) -> "Catalogue":
        found: dict[str, set[str]] = {}
        async for row in ask.rows(query):
            table, column = (
                lower_text(row.get("tabname")),
                lower_text(row.get("colname")),
            )
            if _usable(table) and sql.is_identifier(column):
                found.setdefault(table, set()).add(column)
        return cls(found)

    @classmethod
    async def _one_by_one(
        cls, ask: Questions, likely: Callable[[str], bool]
    ) -> "Catalogue":
        names = {
            name
            for name in await ask.column(sql.build_query("tables"))
            if _usable(name)
        }
        ordered = sorted(names, key=lambda name: (not likely(name), name))
        # The rest of the questions is kept for counting.
        share = ask.left // 2
        found = {}
        for name in ordered[:share]:
            columns = await ask.column(sql.build_query("columns_of", table=name))
            found[name] = {column for column in columns if sql.is_identifier(column)}
        return cls(found, complete=len(ordered) <= share)


def is_refused(error: WireError) -> bool:
    """Tell a node that will not answer this question from one that cannot be asked."""
    return error.code in (Code.FAULT, Code.FORBIDDEN, Code.NOT_OFFERED)


def _usable(table: str) -> bool:
    """Leave out what is no plain name, and the tables whose purpose is public."""
    known = recognition_words()["tables"]["known"]
    return sql.is_identifier(table) and not re.search(known, table)


def lower_text(text: str | None) -> str:
    return (text or "").strip().lower()


def first_of(row: Row) -> str:
    return (next(iter(row.values()), None) or "").strip()
