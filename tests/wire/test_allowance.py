"""What one question may cost: bytes, rows and time, however the node goes on."""

import gzip
import types
import zlib

import pytest

from tests.wire.server import Server, fault, http, rows
from tests.wire.test_axl import COUNT, QUICK, talk
from wire import (
    AxlClient,
    Backoff,
    Code,
    PeerTable,
    PeerTableClient,
    Secret,
    WireError,
    count_of,
    platforms,
    run_loop,
    sql,
)
from wire.row_parser import _MAX_ROW, RowReader

COUNT_BODY = COUNT.partition(b"\r\n\r\n")[2]
FULL = 1800
TABLE = PeerTable.from_dict(platforms.profile_of("cup8").peer_table)
PAGE = rows(*["<address>10.0.0.1</address>"] * FULL)


def endless(page: bytes = PAGE, count: int = FULL) -> Server:
    """Say once that the answer is too large, then give one full page after another."""
    suggestion = f"Suggestive Row Fetch: less than {count * 10 // 9 + 1} rows"
    return Server(fault(f"Query request too large. {suggestion}", -1), page)


def code_of(server, work, **client):
    async def main():
        async with server, AxlClient(server.node(), backoff=QUICK, **client) as axl:
            return await work(axl)

    with pytest.raises(WireError) as caught:
        run_loop(main())
    return caught.value.code


async def read_peers(axl):
    return await PeerTableClient(axl, TABLE).read(deadline=20)


async def read_users(axl):
    return len([row async for row in axl.rows(sql.build_query("users"), deadline=20)])


def test_peer_table_without_end_ends_at_its_most_rows():
    server = endless()
    assert code_of(server, read_peers) is Code.TOO_LARGE
    assert len(server.requests) <= 2 + sql.Query("x", "x").most // FULL


@pytest.mark.parametrize(("work", "times"), [(read_peers, 1), (read_users, 16)])
def test_pages_share_the_bytes_of_their_question(work, times):
    server, cap = endless(), len(PAGE) * 2
    assert code_of(server, work, max_body=cap) is Code.TOO_LARGE
    assert 2 * times <= len(server.requests) <= 2 + 2 * times


def test_small_pages_count_as_any_other():
    page = rows(*["<address>10.0.0.1</address>"] * 10)
    server = endless(page, 10)
    assert code_of(server, read_peers, max_body=len(page) * 5) is Code.TOO_LARGE
    assert 5 <= len(server.requests) <= 8


@pytest.mark.parametrize(
    "query",
    [
        sql.count_query("x", "peers", {"a": 1}),
        sql.build_query("sync_agent_cfg"),
        sql.build_query("process_nodes"),
    ],
)
def test_each_question_has_its_most_rows(query):
    async def ask(axl):
        return [row async for row in axl.rows(query)]

    assert len(talk(Server(rows(*["<a>1</a>"] * query.most)), ask)) == query.most
    server = Server(rows(*["<a>1</a>"] * (query.most + 1)))
    assert code_of(server, ask) is Code.TOO_LARGE


def test_every_template_has_a_sensible_most():
    profiles = [platforms.profile_of(name) for name in platforms.GENERATIONS]
    for template in [x for profile in profiles for x in profile.sql.values()]:
        assert 1 <= template.most <= (500_000 if template.large else 200_000)


def test_reader_that_pauses_again_and_again_ends_with_its_deadline(monkeypatch):
    clock = types.SimpleNamespace(now=0.0)
    fake = types.SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr("wire.deadline.time", fake)
    server = endless()

    async def slowly(axl):
        async for _ in axl.batches(sql.build_query("users"), deadline=10):
            clock.now += 1

    assert code_of(server, slowly) is Code.TIMEOUT
    assert clock.now <= 16


def test_throttle_waits_count_against_the_deadline():
    async def main():
        server = Server(http(503, b"", kind="text/plain"))
        patience = Backoff(first=0.2, most=0.2, tries=1000)
        async with server, AxlClient(server.node(), backoff=patience) as axl:
            await axl.probe(deadline=2)

    # A thousand waits would take minutes. Which one ends it: a wait, or a late answer.
    with pytest.raises(WireError) as caught:
        run_loop(main())
    assert caught.value.code in (Code.THROTTLED, Code.TIMEOUT)


@pytest.mark.parametrize(
    "tail",
    [b"x", b"\x00" * 100_000, gzip.compress(b"again"), COUNT_BODY * 100],
    ids=["byte", "zeros", "gzip", "text"],
)
@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_bytes_behind_a_compressed_body_are_refused(encode, tail):
    answer = http(200, encode(COUNT_BODY) + tail, "Content-Encoding: gzip")
    assert code_of(Server(answer), AxlClient.probe) is Code.PROTOCOL


@pytest.mark.parametrize("cut", [1, 8, 9, 30])
def test_compressed_body_that_is_cut_off_is_refused(cut):
    answer = http(200, gzip.compress(COUNT_BODY)[:-cut], "Content-Encoding: gzip")
    assert code_of(Server(answer), AxlClient.probe) is Code.PROTOCOL


def test_compressed_body_that_never_gives_anything_counts():
    nothing = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * 20_000
    answer = http(200, nothing, "Content-Encoding: gzip")
    query = sql.build_query("enterprise_nodes")

    async def read(axl):
        return [row async for row in axl.rows(query)]

    assert code_of(Server(answer), read, max_body=50_000) is Code.TOO_LARGE


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_compressed_body_is_read_to_its_end(size):
    """What zlib still holds when its input is used up belongs to it as well."""
    body = rows(*["<a>x</a>"] * 9_000).partition(b"\r\n\r\n")[2]
    packed = gzip.compress(body)

    async def pieces(request, writer):
        writer.write(http(200, packed, "Content-Encoding: gzip")[: -len(packed)])
        for at in range(0, len(packed), size):
            writer.write(packed[at : at + size])
            await writer.drain()

    async def read(axl):
        query = sql.build_query("enterprise_nodes")
        return len([row async for row in axl.rows(query)])

    assert talk(Server(pieces), read) == 9_000


def test_row_that_is_a_tree_without_end_is_refused():
    reader = RowReader("cup1")
    reader.feed(PAGE.partition(b"\r\n\r\n")[2].partition(b"</return>")[0] + b"<row>")
    with pytest.raises(WireError) as caught:
        for _ in range(_MAX_ROW // 60_000 + 2):
            reader.feed(b"<a/>" * 15_000)
    assert caught.value.code is Code.TOO_LARGE


def test_rows_of_ever_new_columns_are_read():
    cells = [f"<c{n // 2}>1</c{n // 2}>" for n in range(1_000)]
    reader = RowReader("cup1")
    body = rows(*cells).partition(b"\r\n\r\n")[2]
    assert len(reader.feed(body) + reader.close()) == 1_000
    assert len(reader._shapes) == 100


@pytest.mark.parametrize("count", ["1&amp;", "1&", "1&lt", "1<b/>", "", "-1", "1 2"])
def test_damaged_count_is_no_count(count):
    answer = rows(f"<count>{count}</count>")

    async def matches(axl):
        table = PeerTableClient(axl, TABLE)
        return await table.password_matches("10.0.0.1", Secret("pw"))

    assert code_of(Server(answer), AxlClient.probe) is Code.NOT_SOAP
    assert code_of(Server(answer), matches) is Code.NOT_SOAP
    assert code_of(Server(rows()), matches) is Code.NOT_SOAP


@pytest.mark.parametrize("text", [None, "", " ", "5&", "\u0665", "1e3", "9" * 13])
def test_count_is_read_or_refused(text):
    assert count_of(" 15\n", "cup1") == 15
    with pytest.raises(WireError):
        count_of(text, "cup1")
