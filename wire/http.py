"""HTTP/1.1 to one node: llhttp for the protocol, our own sockets for the limits."""

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from wire.connect import Stream, connect_node
from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.limits import ConnectionAllowance
from wire.node import NodeAddress
from wire.os_errors import map_os_errors
from wire.tls import Handshake

MAX_BODY = 16 * 1024 * 1024
_CHUNK = 65536
_MAX_HEAD = 32768

Headers = list[tuple[str, str]]


class Reply:
    """A status and headers, and a body that is read once, in pieces, within a cap."""

    def __init__(
        self, connection: "Connection", answer: "_Answer", clock: Deadline
    ) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._connection = connection
        self._answer = answer
        self._clock = clock

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    async def chunks(self, allowance: ConnectionAllowance) -> AsyncIterator[bytes]:
        """Give the decoded body; a compressed bomb ends at the allowance."""
        decoder = _decoder(self.header("content-encoding"), self._connection.node.name)
        complete = False
        try:
            async for data in self._connection.body(self._answer, self._clock):
                decoded = 0
                for piece in decoder.feed(data):
                    allowance.take_bytes(len(piece))
                    decoded += len(piece)
                    yield piece
                # A compressed body may go on and on without giving anything.
                allowance.take_bytes(max(len(data) - decoded, 0))
            decoder.close()
            complete = True
        finally:
            if not complete:
                self.discard()

    def discard(self) -> None:
        """Give up the body, and the connection with it."""
        self._connection.close()

    async def read(self, cap: int = MAX_BODY) -> bytes:
        allowance = ConnectionAllowance(self._connection.node.name, cap)
        return b"".join([chunk async for chunk in self.chunks(allowance)])


class Connection:
    """One TLS connection to a trusted node."""

    def __init__(self, node: NodeAddress, stream: Stream) -> None:
        self.node = node
        self._stream = stream
        self._answer = _Answer()
        self._closed = False

    @classmethod
    async def open(cls, node: NodeAddress, port: int, clock: Deadline) -> "Connection":
        return cls(node, await connect_node(node, port, clock))

    async def send(
        self, method: str, target: str, headers: Headers, body: bytes, clock: Deadline
    ) -> Reply:
        """Send a request and wait for the head of its final answer."""
        head = request_head(method, target, headers)
        self._answer = answer = _Answer()
        await self._hear(answer, clock, head + body)
        return Reply(self, answer, clock)

    async def body(self, answer: "_Answer", clock: Deadline) -> AsyncIterator[bytes]:
        while True:
            pieces, answer.pieces = answer.pieces, []
            if pieces:
                # A body in chunks of a byte is not worth a step for each.
                yield b"".join(pieces)
            if answer.complete:
                answer.is_read = True
                return
            await self._hear(answer, clock)

    async def _hear(
        self, answer: "_Answer", clock: Deadline, request: bytes = b""
    ) -> None:
        """Read until the node has told more, or give up the connection."""
        reader, writer = self._stream.reader, self._stream.writer
        before = answer.progress
        try:
            with map_os_errors(self.node.name):
                async with clock.limit():
                    if request:
                        writer.write(request)
                        await writer.drain()
                    while answer.progress == before:
                        answer.feed(await reader.read(_CHUNK))
        except WireError:
            self.close()
            raise

    @property
    def spent(self) -> bool:
        return self._closed or (self._answer.complete and not self._answer.lasting)

    def recycle(self) -> bool:
        """Tell whether another request may be sent: the last answer was taken whole."""
        return self._answer.is_read and not self._stream.reader.at_eof()

    @property
    def handshake(self) -> Handshake:
        return self._stream.handshake

    def close(self) -> None:
        self._closed = True
        self._stream.close()


class _Answer:
    """Collects what llhttp reads of one answer.

    `lasting` says that the connection may serve another request after it, `taken` that
    whoever asked has read it to its end.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.pieces: list[bytes] = []
        self.complete = False
        self.lasting = False
        self.is_read = False
        self._idle = 0
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)

    @property
    def progress(self) -> tuple[int, int, bool]:
        return self.status, len(self.pieces), self.complete

    def feed(self, data: bytes) -> None:
        """Read on; headers, trailers and chunk marks without end are refused."""
        if not data:
            self._end()
            return
        before = self.progress
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if not self.complete:
                raise HttpParserError("not an answer") from None
            self.lasting = False
        self._idle = 0 if self.progress != before else self._idle + len(data)
        if self._idle > _MAX_HEAD:
            raise HttpParserError("no end of the headers")

    def _end(self) -> None:
        """Note that the node closed: the end of a body without a length, else a cut."""
        names = {name for name, _ in self.headers}
        if not self.status or names & {"content-length", "transfer-encoding"}:
            raise EOFError
        self.complete = True

    def on_message_begin(self) -> None:
        # Bytes behind the answer, which nobody asked for.
        self.lasting = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:
            pair = (name.decode("latin-1").lower(), value.decode("latin-1"))
            self.headers.append(pair)

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()
        elif not self.status:
            self.status = status

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        if self.status and not self.complete:
            self.complete = True
            self.lasting = self._parser.should_keep_alive()


def request_head(method: str, target: str, headers: Headers) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join(lines)
    if head.count("\n") >= len(lines) or head.count("\r") >= len(lines):
        raise WireError(Code.VALUE, "A request header cannot contain a line break.")
    return (head + "\r\n\r\n").encode("latin-1", "replace")


class _Identity:
    """A body as it came."""

    def feed(self, data: bytes) -> Iterable[bytes]:
        return (data,)

    def close(self) -> None:
        return


class _Inflater:
    """Undoes a compression that was not asked for, in small pieces."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate.eof:
                raise self._damaged("does not end where it says")
            try:
                piece = self._inflate.decompress(data, _CHUNK)
            except zlib.error:
                raise self._damaged("is damaged") from None
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            yield piece

    def close(self) -> None:
        """Make sure that the body was complete, which also gave all that it holds."""
        if not self._inflate.eof:
            raise self._damaged("is incomplete")

    def _damaged(self, how: str) -> WireError:
        return WireError(Code.PROTOCOL, f"The compressed answer of {self._node} {how}.")


def _decoder(encoding: str, node: str) -> _Identity | _Inflater:
    if encoding.lower() in ("", "identity"):
        return _Identity()
    if encoding.lower() in ("gzip", "x-gzip", "deflate"):
        return _Inflater(node)
    raise WireError(Code.PROTOCOL, f"{node} answered in an unknown content encoding.")
