"""HTTP/1.1 to one node: h11 for the protocol, our own sockets for the limits."""

import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

import h11

from wire.connect import Stream, connect_node
from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.failures import told_as_wire_errors
from wire.node import NodeAddress

MAX_BODY = 16 * 1024 * 1024
_CHUNK = 65536
_MAX_HEAD = 32768

Headers = list[tuple[str, str]]


class Reply:
    """A status and headers, and a body that is read once, in pieces, within a cap."""

    def __init__(
        self, connection: "Connection", response: h11.Response, clock: Deadline
    ) -> None:
        self.status: int = response.status_code
        self.headers: Headers = [
            (name.decode("ascii").lower(), value.decode("latin-1"))
            for name, value in response.headers
        ]
        self._connection = connection
        self._clock = clock

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    async def chunks(self, cap: int = MAX_BODY) -> AsyncIterator[bytes]:
        """Give the decoded body; a compressed bomb ends at the cap."""
        node = self._connection.node.name
        decode = _decoder(self.header("content-encoding"), node)
        size = 0
        complete = False
        try:
            async for data in self._connection.body(self._clock):
                for piece in decode(data):
                    size += len(piece)
                    if size > cap:
                        limit = f"The answer of {node} exceeds {cap // 1024} KiB."
                        raise WireError(Code.TOO_LARGE, limit)
                    yield piece
            complete = True
        finally:
            if not complete:
                self.discard()

    def discard(self) -> None:
        """Give up the body, and the connection with it."""
        self._connection.close()

    async def read(self, cap: int = MAX_BODY) -> bytes:
        return b"".join([chunk async for chunk in self.chunks(cap)])


class Connection:
    """One TLS connection to a trusted node."""

    def __init__(self, node: NodeAddress, stream: Stream) -> None:
        self.node = node
        self._stream = stream
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._answered = False
        self._closed = False

    @classmethod
    async def open(cls, node: NodeAddress, port: int, clock: Deadline) -> "Connection":
        return cls(node, await connect_node(node, port, clock))

    async def send(
        self, method: str, target: str, headers: Headers, body: bytes, clock: Deadline
    ) -> Reply:
        """Send a request and wait for the head of its final answer."""
        request = h11.Request(method=method, target=target, headers=headers)
        data = (self._h11.send(request) or b"") + (
            self._h11.send(h11.Data(data=body)) or b""
        )
        data += self._h11.send(h11.EndOfMessage()) or b""
        with told_as_wire_errors(self.node.name):
            async with clock.limit():
                self._stream.writer.write(data)
                await self._stream.writer.drain()
        while True:
            event = await self._next_event(clock)
            if isinstance(event, h11.Response):
                self._answered = True
                return Reply(self, event, clock)
            if not isinstance(event, h11.InformationalResponse):
                raise WireError(Code.CLOSED, node=self.node.name)

    async def body(self, clock: Deadline) -> AsyncIterator[bytes]:
        while True:
            event = await self._next_event(clock)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise WireError(Code.CLOSED, node=self.node.name)

    async def _next_event(self, clock: Deadline) -> h11.Event | type:
        ended = False
        with told_as_wire_errors(self.node.name):
            try:
                while (event := self._h11.next_event()) is h11.NEED_DATA:
                    async with clock.limit():
                        data = await self._stream.reader.read(_CHUNK)
                    ended = not data
                    self._h11.receive_data(data)
            except h11.RemoteProtocolError:
                cut = ended and self._speaks_http()
                code = Code.CLOSED if cut else Code.PROTOCOL
                raise WireError(code, node=self.node.name) from None
        return event

    def _speaks_http(self) -> bool:
        """Tell the cut of an answer from the greeting of another protocol."""
        head, _ = self._h11.trailing_data
        return self._answered or b"HTTP/".startswith(head[:5])

    @property
    def spent(self) -> bool:
        over = (h11.CLOSED, h11.MUST_CLOSE, h11.ERROR)
        states = (self._h11.our_state, self._h11.their_state)
        return self._closed or any(state in over for state in states)

    def recycle(self) -> bool:
        """Make ready for another request, unless one is still being answered."""
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            return not self._stream.reader.at_eof()
        return False

    def close(self) -> None:
        self._closed = True
        self._stream.close()


def _decoder(encoding: str, node: str) -> Callable[[bytes], Iterable[bytes]]:
    """Undo a content encoding that was not asked for, in small pieces."""
    if encoding.lower() in ("", "identity"):
        return lambda data: (data,)
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        message = f"{node} answered in an unknown content encoding."
        raise WireError(Code.PROTOCOL, message)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def decode(data: bytes) -> Iterator[bytes]:
        while data:
            try:
                piece = inflate.decompress(data, _CHUNK)
            except zlib.error:
                message = f"The compressed answer of {node} is damaged."
                raise WireError(Code.PROTOCOL, message) from None
            data = inflate.unconsumed_tail
            yield piece

    return decode
