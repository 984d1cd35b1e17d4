"""A small HTTP/1.1 server, our own so that it can stall, drip and cut where told."""

import asyncio
import email.utils
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Protocol, cast

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
CHUNK_FROM = 8 * 1024


class BadRequest(Exception):
    """What arrived is not a request that this server understands."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class LabRequest:
    """One request, read whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    source: str = ""
    operation: Any = None

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


@dataclass
class Response:
    """One response before it is put on the wire."""

    status: int
    body: bytes = b""
    content_type: str = "text/html;charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    close: bool = False

    def head(self, clock: float) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {reason_phrase(self.status)}",
            f"Date: {_date(int(clock))}",
            f"Content-Type: {self.content_type}",
            *(f"{name}: {value}" for name, value in self.headers),
            "Transfer-Encoding: chunked"
            if self.is_chunked
            else f"Content-Length: {len(self.body)}",
            "Connection: close" if self.close else "Connection: keep-alive",
        ]
        return "\r\n".join([*lines, "Server: ", "", ""]).encode("latin-1")

    @property
    def is_chunked(self) -> bool:
        return len(self.body) > CHUNK_FROM

    def payload(self) -> bytes:
        if not self.is_chunked:
            return self.body
        parts = []
        for start in range(0, len(self.body), 64 * 1024):
            piece = self.body[start : start + 64 * 1024]
            parts += [b"%x\r\n" % len(piece), piece, b"\r\n"]
        return b"".join([*parts, b"0\r\n\r\n"])


@lru_cache(64)
def _date(clock: int) -> str:
    return email.utils.formatdate(clock, usegmt=True)


def reason_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def html_page(status: int, title: str, text: str = "") -> Response:
    """Return an HTML page as the platform's web server words them."""
    body = (
        "<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN'><html><head>"
        f"<title>{title}</title></head><body><h1>{title}</h1><hr><p>{text}</p><hr>"
        "</body></html>"
    )
    return Response(status, body.encode())


Deliver = Callable[["ServerConnection", Response], Awaitable[None]]


class Application(Protocol):
    """What a connection asks for answers."""

    connections: set[asyncio.Transport]

    def now(self) -> float: ...
    async def answer(
        self, request: LabRequest, round_trips: int
    ) -> tuple[Response, Deliver]: ...


class ServerConnection(asyncio.Protocol):
    """One client's connection: a request after the other, each answered in turn."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None
        self.task: asyncio.Task[None] | None = None
        # The first answer also pays for the connection and for TLS, which loopback
        # gives without a round trip.
        self.round_trips = 3

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.application.connections.add(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport:
            self.application.connections.discard(self.transport)
        if self.task:
            self.task.cancel()

    def write(self, data: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        if self.transport:
            self.transport.close()

    def abort(self) -> None:
        if self.transport:
            self.transport.abort()

    def _advance(self) -> None:
        if self.transport is None or self.task:
            return
        try:
            request = read_request(self.buffer)
        except BadRequest as error:
            response = html_page(error.status, reason_phrase(error.status))
            self.write(response.head(time.time()) + response.body)
            self.close()
            return
        if request:
            request.source = str((self.transport.get_extra_info("peername") or "?")[0])
            self.task = asyncio.get_running_loop().create_task(self._serve(request))

    async def _serve(self, request: LabRequest) -> None:
        response, deliver = await self.application.answer(request, self.round_trips)
        self.round_trips = 1
        response.close = response.close or not request.keeps_alive
        await deliver(self, response)
        self.task = None
        if response.close:
            self.close()
        else:
            self._advance()


async def deliver_response(connection: ServerConnection, response: Response) -> None:
    """Send a response as it should be sent."""
    head = response.head(connection.application.now())
    connection.write(head + response.payload())


def read_request(buffer: bytearray) -> LabRequest | None:
    """Take one whole request off a buffer; None while it is not whole."""
    if buffer and not buffer[:1].isalpha():
        raise BadRequest(400)
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MAX_HEAD:
            raise BadRequest(431)
        return None
    request = _read_head(bytes(buffer[:end]))
    if "expect" in request.headers:
        raise BadRequest(417)
    body, size = _read_body(request, buffer, end + 4)
    if body is None:
        return None
    request.body = body
    del buffer[:size]
    return request


def _read_head(head: bytes) -> LabRequest:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(400)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise BadRequest(400)
        headers[name.lower()] = value.strip()
    if words[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return LabRequest(words[0], words[1], headers, b"")


def _read_body(
    request: LabRequest, buffer: bytearray, start: int
) -> tuple[bytes | None, int]:
    if request.headers.get("transfer-encoding", "").lower() == "chunked":
        return _read_chunks(buffer, start)
    length = request.headers.get("content-length", "0")
    if not length.isdigit():
        raise BadRequest(400)
    if int(length) > MAX_BODY:
        raise BadRequest(413)
    end = start + int(length)
    return (bytes(buffer[start:end]), end) if len(buffer) >= end else (None, 0)


def _read_chunks(buffer: bytearray, start: int) -> tuple[bytes | None, int]:
    parts: list[bytes] = []
    while (line := buffer.find(b"\r\n", start)) >= 0:
        try:
            size = int(bytes(buffer[start:line]).split(b";")[0], 16)
        except ValueError:
            raise BadRequest(400) from None
        end = line + 2 + size
        if len(buffer) < end + 2 or end > MAX_BODY:
            break
        parts.append(bytes(buffer[line + 2 : end]))
        start = end + 2
        if not size:
            return b"".join(parts), start
    return None, 0
