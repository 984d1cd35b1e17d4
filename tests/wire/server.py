"""A small TLS server for what no cluster of the lab says: bytes as the test wants."""

import asyncio
import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wire import NodeAddress, Policy, Secret, Trust

LOOPBACK = Policy(networks=(ipaddress.ip_network("127.0.0.0/8"),))
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def certificate(name: str = "node.test", days: int = 90) -> tuple[bytes, bytes]:
    """Give a self-signed certificate and its key, as PEM and DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem += made.public_bytes(serialization.Encoding.PEM)
    return pem, made.public_bytes(serialization.Encoding.DER)


PEM, DER = certificate()
FINGERPRINT = __import__("hashlib").sha256(DER).hexdigest()
CA_PEM = ssl.DER_cert_to_PEM_cert(DER)


def server_context(pem: bytes = PEM) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "node.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context


class Server:
    """Answers each request with the next of its scripted answers, then the last."""

    def __init__(self, *answers: bytes | Answer) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=server_context()
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def node(self, **changes: object) -> NodeAddress:
        values = {
            "name": "node.test",
            "address": "127.0.0.1",
            "axl_port": self.port,
            "username": "axl",
            "password": Secret("right"),
            "trust": Trust(fingerprint=FINGERPRINT),
            "policy": LOOPBACK,
            "axl_version": "8.5",
        }
        return NodeAddress(**(values | changes))

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                told = head.lower().partition(b"content-length: ")[2]
                length = int(told.split()[0]) if told else 0
                body = await reader.readexactly(length)
                self.requests.append(head + body)
                answer = (
                    self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                )
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(head + body, writer)
        except (asyncio.CancelledError, EOFError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()


def http(status: int, body: bytes, *headers: str, kind: str = "text/xml") -> bytes:
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def soap(content: str | bytes, status: int = 200, *headers: str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    body = (
        b"<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope "
        b'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        + content
        + b"</soapenv:Body></soapenv:Envelope>"
    )
    return http(status, body, *headers)


def rows(*each: str, version: str = "8.5") -> bytes:
    content = "".join(f"<row>{row}</row>" for row in each)
    return soap(
        f'<ns:executeSQLQueryResponse xmlns:ns="http://www.cisco.com/AXL/API/{version}">'
        f"<return>{content}</return></ns:executeSQLQueryResponse>"
    )


def fault(text: str, code: int | None = None) -> bytes:
    detail = (
        f"<detail><axlError><axlcode>{code}</axlcode><axlmessage>{text}</axlmessage>"
        "<request>executeSQLQuery</request></axlError></detail>"
        if code is not None
        else ""
    )
    return soap(
        "<soapenv:Fault><faultcode>soapenv:Server</faultcode>"
        f"<faultstring>{text}</faultstring>{detail}</soapenv:Fault>",
        500,
    )
