"""A TLS server with ready answers: many nodes, or one with a great many rows.

`python -m bench.server nodes COUNT DELAY_MS`
`python -m bench.server services COUNT DELAY_MS [DELAY_MS_OF_THE_FIRST]`
`python -m bench.server rows COUNT`

Each flight of a client is answered one delay later; the first flight two, since a
loopback connection itself opens without a round trip.
"""

import asyncio
import datetime
import hashlib
import json
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench import replies

NETWORK = "127.99"
PORT = 8443
# What a node answers to a request.
Answer = Callable[[bytes], bytes]


def self_signed() -> tuple[bytes, str]:
    """Give key and certificate as PEM, and the fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    pem = private + certificate.public_bytes(serialization.Encoding.PEM)
    return pem, hashlib.sha256(der).hexdigest()


def context_of(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(pem)
        context.load_cert_chain(file.name)
    return context


def address(number: int) -> str:
    return f"{NETWORK}.{number // 250}.{number % 250 + 1}"


class Distant(asyncio.Protocol):
    """A TLS node at the end of a long line."""

    def __init__(self, context: ssl.SSLContext, answer: Answer, delay: float) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._answer, self._delay = answer, delay
        self._flight = self._delay * 2
        self._open = False
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._flight, self._take, data)
        self._flight = self._delay

    def _take(self, data: bytes) -> None:
        self._incoming.write(data)
        try:
            if not self._open:
                self._tls.do_handshake()
                self._open = True
            while data := self._tls.read(65536):
                self._request += data
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._transport.abort()
            return
        if self._request.endswith(b"Envelope>"):
            self._tls.write(self._answer(self._request))
            self._request = b""
        if self._outgoing.pending:
            self._transport.write(self._outgoing.read())


def http(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml;charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


SERVICES = [f"Cisco Service {number}" for number in range(25)]
COUNTED, LISTED = http(replies.COUNT), http(replies.service_list(SERVICES))


def count(request: bytes) -> bytes:
    return COUNTED


def services(request: bytes) -> bytes:
    """Tell 25 services that run, each time for longer."""
    if b"getStaticServiceListExtended" in request:
        return LISTED
    return running_for(int(time.monotonic()))


@lru_cache(maxsize=4)
def running_for(seconds: int) -> bytes:
    return http(replies.statuses(SERVICES, seconds))


async def serve_nodes(answer: Answer, delays: Sequence[float]) -> None:
    """One node for each delay, in seconds."""
    pem, fingerprint = self_signed()
    context = context_of(pem)
    loop = asyncio.get_running_loop()
    for number, delay in enumerate(delays):
        await loop.create_server(
            partial(Distant, context, answer, delay), address(number), PORT, backlog=64
        )
    print(json.dumps({"fingerprint": fingerprint}), flush=True)
    await asyncio.Event().wait()


async def serve_rows(count: int) -> None:
    pem, fingerprint = self_signed()
    rows = "".join(replies.user_row(number) for number in range(count))
    answer = http(replies.query_reply(rows))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"Envelope>"):
                writer.write(answer)
                await writer.drain()
        except (EOFError, OSError):
            writer.close()

    await asyncio.start_server(serve, address(0), PORT, ssl=context_of(pem))
    reported = {"fingerprint": fingerprint, "bytes": len(answer)}
    print(json.dumps(reported), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    kind, number, *delays = sys.argv[1:]
    if kind == "rows":
        uvloop.run(serve_rows(int(number)))
        return
    each, *first = [float(delay) / 1000 for delay in delays]
    answer = {"nodes": count, "services": services}[kind]
    uvloop.run(serve_nodes(answer, [*first, *[each] * (int(number) - len(first))]))


if __name__ == "__main__":
    main()
