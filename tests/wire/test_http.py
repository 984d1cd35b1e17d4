"""The edges of HTTP/1.1 that old web servers, proxies and attackers live on."""

import pytest

from tests.wire.server import Server, http
from tests.wire.test_axl import COUNT, talk
from wire import AxlClient, Code, Deadline, Session, WireError, run_loop
from wire.http import request_head

BODY = COUNT.partition(b"\r\n\r\n")[2]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def twice(axl: AxlClient) -> list[int]:
    return [await axl.probe(deadline=20), await axl.probe(deadline=20)]


def refused(answer: bytes) -> Code:
    with pytest.raises(WireError) as caught:
        talk(Server(answer), lambda axl: axl.probe(deadline=20))
    return caught.value.code


def test_body_without_a_length_ends_with_the_connection():
    async def until_closed(request, writer):
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + BODY)
        await writer.drain()
        writer.write_eof() if writer.can_write_eof() else writer.close()

    server = Server(until_closed)
    assert talk(server, twice) == [1, 1]
    assert server.connections == 2


def test_interim_answers_are_skipped():
    interim = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    )
    server = Server(interim + COUNT)
    assert talk(server, twice) == [1, 1]
    assert server.connections == 1


def test_chunks_and_trailers_are_read():
    half = len(BODY) // 2
    pieces = (b"%x;x=y\r\n%b\r\n" % (len(x), x) for x in (BODY[:half], BODY[half:]))
    answer = CHUNKED + b"".join(pieces) + b"0\r\nX-Sum: 1\r\n\r\n"
    server = Server(answer)
    assert talk(server, twice) == [1, 1]
    assert server.connections == 1


def test_line_feeds_alone_are_forgiven():
    head, _, body = COUNT.partition(b"\r\n\r\n")
    assert talk(Server(head.replace(b"\r\n", b"\n") + b"\n\n" + body), twice) == [1, 1]


def test_connection_with_bytes_behind_the_answer_is_not_used_again():
    """Else the answer to one question would be taken for that to the next."""
    server = Server(COUNT + http(200, BODY.replace(b"1", b"7")))
    assert talk(server, twice) == [1, 1]
    assert server.connections == 2


def test_conversations_that_share_a_session_get_their_own_answers():
    """The first answer has arrived, and nobody has read it when the second asks."""

    async def main():
        async with Server(http(200, b"one"), http(200, b"two")) as server:
            session, clock = Session(server.node()), Deadline(20)
            first = await session.post("/", b"1", "", clock)
            second = await session.post("/", b"2", "", clock)
            answers = [await second.read(), await first.read()]
            third = await session.post("/", b"3", "", clock)
            await third.read()
            session.close()
            return answers, server.connections

    assert run_loop(main()) == ([b"two", b"one"], 2)


def test_node_that_wishes_to_close_is_not_asked_again_on_the_same_connection():
    server = Server(COUNT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    assert talk(server, twice) == [1, 1]
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        CHUNKED + b"zz\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 40_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        CHUNKED + b"0\r\n" + b"X: a\r\n" * 40_000,
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_answer_that_breaks_the_protocol_is_refused(answer):
    assert refused(answer) is Code.PROTOCOL


@pytest.mark.parametrize("value", ["a\r\nX: b", "a\nX: b", "a\rX: b"])
def test_request_header_cannot_be_broken_out_of(value):
    with pytest.raises(WireError) as caught:
        request_head("POST", "/axl/", [("SOAPAction", value)])
    assert caught.value.code is Code.VALUE
