"""Events as syslog messages (RFC 5424) over UDP, TCP or TLS."""

import asyncio
import os
import re
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from notifications.bodies import absolute_link
from wire import Deadline, Policy
from wire.connect import allowed_addresses, connect_host
from wire.os_errors import map_os_errors

SCHEMES = ("syslog+udp", "syslog+tcp", "syslog+tls")
PORTS = {"syslog+udp": 514, "syslog+tcp": 514, "syslog+tls": 6514}
# local0; error for what failed, notice for what is well again.
FACILITY = 16
SEVERITIES = {"passed": 5, "test": 6}
WARNING, ERROR = 4, 3
WARNINGS = ("certificate",)
# Receivers take 2048 octets at least (RFC 5424, 6.1).
LONGEST_LINE = 2048
BOM = b"\xef\xbb\xbf"
UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


def header_text(text: str, length: int) -> str:
    """A field of the header: printable ASCII without a space."""
    return UNPRINTABLE.sub("-", text)[:length] or "-"


def severity_of(event: dict[str, Any]) -> int:
    default = WARNING if event["topic"] in WARNINGS else ERROR
    return SEVERITIES.get(event["state"], default)


def syslog_line(event: dict[str, Any]) -> bytes:
    """One event as one message, without its framing."""
    head = " ".join(
        (
            f"<{FACILITY * 8 + severity_of(event)}>1",
            event["at"],
            header_text(socket.gethostname(), 255),
            "cupadmin",
            str(os.getpid()),
            header_text(event["topic"], 32),
            "-",
        )
    )
    line = head.encode() + b" " + BOM + event_text(event).encode(errors="replace")
    return line[:LONGEST_LINE].decode(errors="ignore").encode()


def event_text(event: dict[str, Any]) -> str:
    """What is said of an event, printable and on one line."""
    said = " ".join(str(event["text"]).split())
    link = absolute_link(event["url"])
    text = f"{said} state={event['state']} key={event['key']} url={link}"
    return "".join(c if c.isprintable() else " " for c in text)


async def send_lines(
    url: str, lines: list[bytes], policy: Policy, clock: Deadline
) -> None:
    """Send them; over UDP nobody says whether they arrived.

    Raises:
        WireError: the receiver is not reached, or not allowed.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme == "syslog+udp":
        await send_datagrams(host, port, lines, policy, clock)
        return
    tls = parts.scheme == "syslog+tls"
    context = ssl.create_default_context() if tls else None
    stream = await connect_host(host, port, policy, clock, host, context, host)
    try:
        # Counted octets, which RFC 5425 wants, and RFC 6587 for TCP.
        framed = b"".join(b"%d %s" % (len(line), line) for line in lines)
        with map_os_errors(host):
            async with clock.limit():
                stream.writer.write(framed)
                await stream.writer.drain()
                await finish_writing(stream.writer)
    finally:
        stream.close()


async def finish_writing(writer: asyncio.StreamWriter) -> None:
    """Let all of it reach the receiver before the connection is dropped."""
    if writer.can_write_eof():
        writer.write_eof()
    else:  # TLS ends with its own message
        writer.close()
        await writer.wait_closed()


async def send_datagrams(
    host: str, port: int, lines: list[bytes], policy: Policy, clock: Deadline
) -> None:
    address = (await allowed_addresses(host, port, policy, clock))[0]
    loop = asyncio.get_running_loop()
    with map_os_errors(host):
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(address, port)
        )
        try:
            for line in lines:
                transport.sendto(line)
        finally:
            transport.close()
