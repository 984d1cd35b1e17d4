"""A publisher with a great many users: AXL in pages, each one after a while.

The product keeps a result in its memory before it sends the first byte and refuses
one over 8 MB, so a page comes at once, after the time that its rows take at a pace.
No pace of a real cluster is published: it is a parameter here.
"""

import asyncio
import json
import re
import sys

import uvloop

from bench import replies
from bench.server import PORT, address, context_of, http, self_signed

MOST_BYTES = 8_000_000
NODES = 4
COLUMNS = (
    "pkid",
    "userid",
    "primarynodeid",
    "directoryuri",
    "mailid",
    "enablecups",
    "telephonenumber",
)
_PAGE = re.compile(r"select skip (\d+) first (\d+) ")
_SQL = re.compile(rb"<sql>(.*?)</sql>", re.S)


def node(number: int) -> str:
    return f"cup{number}.example.com"


def row(**columns: object) -> str:
    cells = "".join(f"<{name}>{value}</{name}>" for name, value in columns.items())
    return f"<row>{cells}</row>"


def user(number: int) -> str:
    values = (
        f"0227450c-2bc3-5280-a60e-{number:012d}",
        f"first.last{number}",
        number % NODES + 1,
        f"first.last{number}@example.com",
        f"first.last{number}@mail.example.com",
        "t",
        number % 90000 + 10000,
    )
    return row(**dict(zip(COLUMNS, values, strict=True)))


def catalogue(sql: str) -> str | None:
    """The rows of the small tables that a snapshot asks for, or None."""
    if "syscolumns" in sql:
        return "".join(row(colname=name) for name in COLUMNS)
    if "from enterprisenode" in sql:
        return "".join(row(id=n + 1, name=node(n)) for n in range(NODES))
    if "from processnode" in sql:
        return "".join(row(name=node(n), nodeid=n + 1) for n in range(NODES))
    return None


class Publisher:
    """Answers the queries of a snapshot, at so many users a second (0: at once)."""

    def __init__(self, users: int, pace: float) -> None:
        self.rows = [user(number) for number in range(users)]
        self.pace = pace
        self.size = sum(map(len, self.rows))

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while request := await reader.readuntil(b"Envelope>"):
                found = _SQL.search(request)
                assert found
                await self.answer(found[1].decode(), writer)
        except (EOFError, OSError):
            writer.close()

    async def answer(self, sql: str, writer: asyncio.StreamWriter) -> None:
        rows = catalogue(sql)
        page = _PAGE.match(sql)
        if rows is None and not page and self.size > MOST_BYTES:
            body = replies.axl_fault(-1, self.refusal())
            writer.write(http(body).replace(b"200 OK", b"500 Error", 1))
        else:
            if rows is None:
                skip, first = map(int, page.groups()) if page else (0, len(self.rows))
                chosen = self.rows[skip : skip + first]
                rows = "".join(chosen)
                await asyncio.sleep(len(chosen) / self.pace if self.pace else 0)
            writer.write(http(replies.query_reply(rows)))
        await writer.drain()

    def refusal(self) -> str:
        count = len(self.rows)
        return (
            f"Query request too large. Total rows matched: {count} rows. "
            f"Suggestive Row Fetch: less than {count * MOST_BYTES // self.size} rows"
        )


async def main(users: int, pace: float) -> None:
    pem, fingerprint = self_signed()
    publisher = Publisher(users, pace)
    await asyncio.start_server(
        publisher.serve, address(0), PORT, ssl=context_of(pem), limit=1 << 20
    )
    reported = {"fingerprint": fingerprint, "bytes": publisher.size}
    print(json.dumps(reported), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
