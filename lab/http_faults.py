"""Faults of the web server itself: what any of its services may do to a client."""

import asyncio
import gzip
import re
import socket
import struct

from lxml import etree

from .faults import Setting, fault
from .http import LabRequest, Response, ServerConnection, deliver_response, html_page

BOTH = "axl control_center pages presence certificates"
RECORDS = ("row", "item", "multiRef", "axlError", "error")


@fault(BOTH, "html-200", "answer")
def html_200(request: LabRequest, setting: Setting) -> Response:
    """A login page with status 200 instead of SOAP."""
    return html_page(200, "Cisco Unified Presence Login", "Please sign in")


@fault(BOTH, "html-401", "answer")
def html_401(request: LabRequest, setting: Setting) -> Response:
    """An HTML page with status 401."""
    return refusal_page(401, "This request requires HTTP authentication ().")


@fault(BOTH, "html-403", "answer")
def html_403(request: LabRequest, setting: Setting) -> Response:
    """An HTML page with status 403."""
    return refusal_page(403, "Access to the requested resource has been denied")


@fault(BOTH, "html-404", "answer")
def html_404(request: LabRequest, setting: Setting) -> Response:
    """An HTML page with status 404."""
    return refusal_page(404, "The requested resource is not available.")


@fault(BOTH, "html-503", "answer")
def html_503(request: LabRequest, setting: Setting) -> Response:
    """An HTML page with status 503."""
    return refusal_page(503, "This service is not currently available")


@fault(BOTH, "status", "answer")
def status(request: LabRequest, setting: Setting) -> Response:
    """An HTML page with the status in the parameter (418), whatever that means."""
    return refusal_page(int(setting.number(418)), "No further words.")


@fault(BOTH, "empty", "answer")
def empty(request: LabRequest, setting: Setting) -> Response:
    """Status 200 with nothing in it."""
    return Response(200, b"", "text/xml;charset=utf-8")


@fault(BOTH, "redirect", "answer")
def redirect(request: LabRequest, setting: Setting) -> Response:
    """Status 307 to another host (the parameter is the target)."""
    target = setting.parameter or "//elsewhere.lab.example/axl/"
    response = html_page(307, "Temporary Redirect")
    response.headers.append(("Location", f"https:{target}"))
    return response


def refusal_page(status: int, text: str) -> Response:
    """Return the platform's error page; a 401 asks for Basic credentials."""
    response = html_page(status, "Cisco System - Error report", f"HTTP Status {status}")
    response.body += f"<p>{text}</p>".encode()
    if status == 401:
        realm = 'Basic realm="Cisco Unified Communications Manager"'
        response.headers.append(("WWW-Authenticate", realm))
    return response


@fault(BOTH, "wrong-namespace", "rewrite")
def wrong_namespace(response: Response, setting: Setting) -> None:
    """The reply's own elements are in a namespace that nobody asked for."""
    response.body = re.sub(
        rb"http://(www|schemas)\.cisco\.com/[\w./]*",
        b"http://example.com/other/1.0",
        response.body,
    )


@fault(BOTH, "latin1", "rewrite")
def latin1(response: Response, setting: Setting) -> None:
    """Latin-1 bytes in the first texts, though the declaration says UTF-8."""
    response.body = _spoil(response.body, b"\xe9\xfc")


@fault(BOTH, "control-characters", "rewrite")
def control_characters(response: Response, setting: Setting) -> None:
    """Control characters, which XML forbids, in the first texts."""
    response.body = _spoil(response.body, b"\x08\x01")


def _spoil(body: bytes, insert: bytes) -> bytes:
    return re.sub(rb"([^<>\s])</", rb"\1" + insert + b"</", body, count=3)


@fault(BOTH, "reversed", "rewrite")
def backwards(response: Response, setting: Setting) -> None:
    """The columns of a row and the fields of an item come in the reverse order."""
    if not response.content_type.startswith("text/xml"):
        return
    root = etree.fromstring(response.body)
    for record in root.iterfind(".//*"):
        if etree.QName(record).localname in RECORDS:
            record[:] = reversed(record)
    response.body = etree.tostring(root, encoding="utf-8", xml_declaration=True)


@fault(BOTH, "truncated-xml", "rewrite")
def truncated_xml(response: Response, setting: Setting) -> None:
    """A body that ends in the middle although its length is announced rightly."""
    response.body = response.body[: len(response.body) * 2 // 3]


@fault(BOTH, "entities", "rewrite")
def entities(response: Response, setting: Setting) -> None:
    """A document type whose entities grow a thousand million times."""
    levels = "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' if n else '<!ENTITY e0 "ha">'
        for n in range(10)
    )
    body = re.sub(rb"([^<>\s])</", rb"\1&e9;</", response.body, count=1)
    declaration, _, rest = body.partition(b"?>")
    doctype = f"?><!DOCTYPE bomb [{levels}]>".encode()
    response.body = declaration + doctype + rest if rest else doctype[2:] + body


@fault(BOTH, "bomb", "rewrite")
def bomb(response: Response, setting: Setting) -> None:
    """A small gzip body that unpacks to the parameter (200) in megabytes."""
    size = int(setting.number(200)) * 1024 * 1024
    response.headers.append(("Content-Encoding", "gzip"))
    response.body = gzip.compress(b" " * size, 9)


@fault(BOTH, "stall", "deliver")
async def stall(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The request is read and never answered."""
    await asyncio.Event().wait()


@fault(BOTH, "slow", "deliver")
async def slow(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The whole answer comes after the parameter (3) in seconds."""
    await asyncio.sleep(setting.number(3))
    await deliver_response(connection, response)


@fault(BOTH, "stall-body", "deliver")
async def stall_body(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """Headers and half of the body, then silence on an open connection."""
    connection.write(_first_half(connection, response))
    await asyncio.Event().wait()


@fault(BOTH, "drip", "deliver")
async def drip(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """One byte at a time, the parameter (0.2) seconds apart."""
    head = response.head(connection.application.now())
    for byte in head + response.payload():
        connection.write(bytes([byte]))
        await asyncio.sleep(setting.number(0.2))


@fault(BOTH, "cut-headers", "deliver")
async def cut_headers(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The connection ends in the middle of the headers; a write has been done."""
    head = response.head(connection.application.now())
    connection.write(head[: len(head) // 2])
    response.close = True


@fault(BOTH, "cut-body", "deliver")
async def cut_body(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The connection ends in the middle of the body; a write has been done."""
    connection.write(_first_half(connection, response))
    response.close = True


@fault(BOTH, "not-http", "deliver")
async def not_http(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The greeting of another protocol instead of HTTP."""
    connection.write(b"220 mail.lab.example ESMTP ready\r\n")
    response.close = True


@fault(BOTH, "bad-length", "deliver")
async def bad_length(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """HTTP whose Content-Length is no number."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: many\r\n\r\n"
    connection.write(head + response.body)
    response.close = True


@fault(BOTH, "endless-headers", "deliver")
async def endless_headers(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The parameter (4) in megabytes of headers that never come to an end."""
    connection.write(b"HTTP/1.1 200 OK\r\n")
    line = b"X-Padding: " + b"x" * 1000 + b"\r\n"
    connection.write(line * (int(setting.number(4)) * 1024))
    response.close = True


@fault(BOTH, "hang-up", "deliver")
async def hang_up(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The connection ends without a byte of answer; a write has been done."""
    response.close = True


@fault(BOTH, "reset", "deliver")
async def reset(
    connection: ServerConnection, response: Response, setting: Setting
) -> None:
    """The connection is reset instead of an answer; a write has been done."""
    response.close = True
    if connection.transport:
        reset_transport(connection.transport)


def reset_transport(transport: asyncio.Transport) -> None:
    """End a connection with a TCP reset."""
    if sock := transport.get_extra_info("socket"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _first_half(connection: ServerConnection, response: Response) -> bytes:
    head = response.head(connection.application.now())
    payload = response.payload()
    return head + payload[: len(payload) // 2]
