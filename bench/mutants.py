"""Structure-aware mutations of valid replies, through every operation of the wire.

`python -m bench.mutants [COUNT] [SEED]`: no exception but WireError may escape, no
call may pass its deadline by more than half a second, and no row may be lost: a reply
that is understood gives as many rows as another parser finds in it.
"""

import asyncio
import gzip
import ipaddress
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from unittest.mock import patch
from xml.parsers import expat

from bench import replies
from wire import (
    AxlClient,
    Backoff,
    Code,
    ControlCenterClient,
    Handshake,
    NodeAddress,
    Policy,
    Secret,
    Trust,
    Unlimited,
    WireError,
    run_loop,
    sql,
)
from wire.http import Connection
from wire.sip import read_answer

DEADLINE = 0.05
GRACE = 0.5
NODE = NodeAddress(
    "cup1.example.com",
    "127.0.0.1",
    username="axl",
    password=Secret("open sesame"),
    trust=Trust(fingerprint="ab" * 32),
    policy=Policy(networks=(ipaddress.ip_network("127.0.0.0/8"),)),
    axl_version="8.5",
)
INSERT = sql.insert_query("peer_insert", "peers", {"password": Secret("open sesame")})
PATIENCE = Backoff(first=0.001, most=0.002, tries=2)
_SECTIONS = re.compile(rb"(<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>)", re.S)
NASTY = [
    *(b"", b"-1", b"abc", b"9" * 400, b"\xff\xfe\x00", b"\x00", b"&#1;", b"&bomb;"),
    *(b"<![CDATA[x]]>", b"<!-- x -->", b"<?pi x?>", b"]]>", b"&lt;", b"\xed\xa0\x80"),
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"<a>" * 300,
    *(b"&", b"&lt", b"&#55357;&#56832;", b"?a=1&b=2", b"&foo;"),
]
LOST = "rows lost"


class Canned:
    """A connection on which one reply waits, perhaps for ever incomplete."""

    def __init__(self, data: bytes, ends: bool) -> None:
        self.reader = asyncio.StreamReader()
        self.reader.feed_data(data)
        if ends:
            self.reader.feed_eof()
        self.writer = self
        self.handshake = Handshake()

    def write(self, data: bytes) -> None:
        pass

    async def drain(self) -> None:
        pass

    def close(self) -> None:
        pass


async def _users(node: NodeAddress) -> int:
    count = 0
    async with AxlClient(node, backoff=PATIENCE) as axl:
        async for row in axl.rows(sql.build_query("users"), deadline=DEADLINE):
            assert all(isinstance(name, str) for name in row)
            count += 1
    return count


async def _statuses(center: ControlCenterClient) -> int:
    return len(await center.statuses(deadline=DEADLINE))


def _axl(call: Callable[[AxlClient], Awaitable[object]]) -> Callable[..., Awaitable]:
    async def work(node: NodeAddress) -> object:
        async with AxlClient(node, backoff=PATIENCE) as axl:
            return await call(axl)

    return work


def _center(
    call: Callable[[ControlCenterClient], Awaitable[object]], generation: str
) -> Callable[..., Awaitable]:
    async def work(node: NodeAddress) -> object:
        client = ControlCenterClient(node, limiter=Unlimited(), backoff=PATIENCE)
        async with client as center:
            center.control_center = generation
            return await call(center)

    return work


async def _write(axl: AxlClient) -> int:
    axl._settled = True
    return await axl.write(INSERT, deadline=DEADLINE)


_probe = _axl(lambda axl: axl.probe(deadline=DEADLINE))
OPERATIONS: list[tuple[str, Callable[..., Awaitable], bytes, int]] = [
    ("probe", _probe, replies.COUNT, 200),
    ("rows", _users, replies.USERS, 200),
    ("version", _axl(lambda x: x.version(deadline=DEADLINE)), replies.VERSION, 200),
    (
        "authenticates",
        _axl(lambda x: x.authenticates("a", "b", deadline=DEADLINE)),
        replies.AUTHENTICATED,
        200,
    ),
    ("write", _axl(_write), replies.UPDATED, 200),
    ("write refused", _axl(_write), replies.DUPLICATE, 500),
    ("too large", _users, replies.TOO_LARGE, 500),
    ("negotiate", _probe, replies.UNAVAILABLE, 599),
    ("statuses", _center(_statuses, "new"), replies.STATUSES, 200),
    ("legacy", _center(_statuses, "legacy"), replies.LEGACY_STATUSES, 200),
    (
        "static list",
        _center(lambda x: x.static_list(deadline=DEADLINE), "new"),
        replies.STATIC_LIST,
        200,
    ),
    (
        "products",
        _center(lambda x: x.products(deadline=DEADLINE), "new"),
        replies.PRODUCTS,
        200,
    ),
    (
        "control",
        _center(
            lambda x: x.control("stop", ["Cisco SIP Proxy"], deadline=DEADLINE), "new"
        ),
        replies.CONTROLLED,
        200,
    ),
]


def _spans(body: bytes, chance: random.Random) -> tuple[int, int]:
    """Choose a tag, a text, or an element together with what it holds."""
    marks = [at for at, byte in enumerate(body) if byte in b"<>"] or [0]
    start, end = sorted(chance.choices(marks, k=2))
    return (start, end) if chance.random() < 0.5 else (start + 1, end)


def mutate_body(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        body = _mutate_once(body, chance)[:100_000]
    return body


def _mutate_once(body: bytes, chance: random.Random) -> bytes:
    start, end = _spans(body, chance)
    piece = body[start:end]
    at = chance.randrange(len(body) + 1)
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: body[:start] + body[end:],
        lambda: body[:end] + piece + body[end:],
        lambda: body[:start] + chance.choice(NASTY) + body[end:],
        lambda: body[:at] + chance.choice(NASTY) + body[at:],
        lambda: body[:at] + piece + body[at:],
        lambda: body[:at],
        lambda: body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :],
        lambda: body.replace(b"soap", b"s", 1),
        lambda: body.replace(b"Return>", b">", 1),
        lambda: body.replace(b"http://", b"urn:", 1),
        lambda: body.replace(b"><", b"> \n<"),
    )
    return chance.choice(ways)()


def message(body: bytes, status: int, chance: random.Random) -> bytes:
    """Frame a body in one of the ways of HTTP/1.1, seldom rightly compressed."""
    if chance.random() < 0.02:
        status = chance.choice((100, 200, 204, 302, 401, 403, 404, 500, 503, 599))
    head = f"HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\n"
    framing = chance.random()
    if framing < 0.1:
        body = gzip.compress(body, 1)
        head += "Content-Encoding: gzip\r\n"
    if framing < 0.8:
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    if framing < 0.9:
        return f"{head}Connection: close\r\n\r\n".encode() + body
    size = f"{len(body):x}\r\n".encode()
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + size + body + b"\r\n0\r\n\r\n"
    return head.encode() + chunks


class Mutant(NamedTuple):
    """What the node sends, and the body in it where that is certain."""

    data: bytes
    body: bytes | None = None


def mutant(body: bytes, status: int, chance: random.Random) -> Mutant:
    kind = chance.random()
    if kind < 0.85:
        body = mutate_body(body, chance)
        return Mutant(message(body, status, chance), body)
    whole = message(body, status, chance)
    if kind < 0.95:
        head, blank, rest = whole.partition(b"\r\n\r\n")
        return Mutant(mutate_body(head, chance) + blank + rest)
    return Mutant(mutate_body(whole, chance))


# What a row is called in the replies whose rows are counted.
ROWS = {"rows": "row", "statuses": "item"}
_REFERENCES = re.compile(rb"&(?:#[0-9]+|#x[0-9A-Fa-f]+|\w+)?;?")


def lost_rows(operation: str, body: bytes | None, found: object) -> int:
    """Count the rows of a reply that were not given, as expat sees them.

    Whatever could hinder it in a text is taken out first: it counts tags alone. All
    rows of a reply that it refuses even so were invented, and count as lost.
    """
    if body is None or operation not in ROWS or not isinstance(found, int):
        return 0
    # As letters, since expat knows no U+FFFD in a name, and XML does.
    text = body.decode("utf-8", "replace").encode()
    text = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbd-\xbf]", b"x", text)
    text = re.sub(rb"\A<\?xml[^>]*\?>", b"", text)
    text = b"".join(
        piece if number % 2 else _REFERENCES.sub(b"", piece).replace(b"]]>", b"")
        for number, piece in enumerate(_SECTIONS.split(text))
    )
    expected, count, began = ROWS[operation], 0, False

    def start(name: str, attributes: object) -> None:
        nonlocal count, began
        if name.rpartition(":")[2] == expected:
            count, began = count + (expected == "row"), True

    def characters(data: str) -> None:
        """Count an item by its first text: one that says nothing is no service."""
        nonlocal count, began
        if began and expected == "item" and data.strip():
            count, began = count + 1, False

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        return found
    return max(count - found, 0)


class Late(NamedTuple):
    """How far a call went past its deadline, what it computed, and which it was."""

    seconds: float
    computed: float
    operation: str


async def torture(count: int, seed: int) -> tuple[Counter[str], Late]:
    """Send mutants through the operations; give what they ended in, and the latest."""
    chance = random.Random(seed)  # noqa: S311
    ends: Counter[str] = Counter()
    latest = Late(0, 0, "none")
    data, closes = b"", True

    async def open_canned(node: NodeAddress, port: int, clock: object) -> Connection:
        return Connection(node, Canned(data, closes))  # type: ignore[arg-type]

    with patch.object(Connection, "open", open_canned):
        for number in range(count):
            name, call, body, status = OPERATIONS[number % len(OPERATIONS)]
            data, body_sent = mutant(body, status, chance)
            closes = chance.random() > 0.005
            began, computed = time.monotonic(), time.process_time()
            try:
                found = await call(NODE)
                ends["understood"] += 1
                ends[LOST] += lost_rows(name, body_sent, found)
            except WireError as error:
                assert "sesame" not in f"{error.__dict__}", data
                ends[error.code] += 1
            except Exception as error:
                raise AssertionError(f"{error!r} escaped for {data!r}") from error
            late = time.monotonic() - began - DEADLINE
            latest = max(latest, Late(late, time.process_time() - computed, name))
            read_answer(data.decode("utf-8", "replace"), "x")
    return ends, latest


class Sleeper(threading.Thread):
    """Sleeps and wakes; how late it wakes is what the machine adds to every call."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.latest = 0.0

    def run(self) -> None:
        while True:
            began = time.monotonic()
            time.sleep(DEADLINE)
            self.latest = max(self.latest, time.monotonic() - began - DEADLINE)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.monotonic()
    sleeper = Sleeper()
    sleeper.start()
    ends, latest = run_loop(torture(count, seed))
    print(f"{count} mutants over {len(OPERATIONS)} operations, seed {seed}")
    lost = ends.pop(LOST)
    for name, number in ends.most_common():
        print(f"  {name:<20} {number:>8}")
    print("exceptions that were not ours: 0")
    print(f"rows lost: {lost}")
    late, computed, operation = latest
    print(f"latest past its deadline: {late * 1000:.0f} ms ({operation}),")
    print(f"  of which it computed for {computed * 1000:.0f} ms;")
    print(f"  a mere sleep was late by up to {sleeper.latest * 1000:.0f} ms")
    print(f"took {time.monotonic() - began:.0f} s")
    if lost or late > GRACE or not set(ends) <= {"understood", *Code}:
        sys.exit("a promise was broken")


if __name__ == "__main__":
    main()
