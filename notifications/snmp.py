"""Events as SNMPv2c traps: syslog messages as SNMP notifications (RFC 5676)."""

import os
import secrets
import socket
import time
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pyasn1.codec.ber import encoder
from pyasn1_modules import rfc1901, rfc1905

from notifications.syslog import (
    FACILITY,
    event_text,
    header_text,
    send_datagrams,
    severity_of,
)
from wire import Deadline, Policy

SCHEMES = ("snmp",)
PORT = 162
VERSION_2C = 1
SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
SNMP_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
# syslogMsgNotification, and the columns of syslogMsgEntry that it carries.
NOTIFICATION = "1.3.6.1.2.1.192.0.1"
ENTRY = "1.3.6.1.2.1.192.1.2.1"
# A trap fits one frame of Ethernet: what is cut into pieces is often dropped.
LONGEST_TEXT = 900
# Where a value of each kind goes in ObjectSyntax.
NUMBER = ("simple", "integer-value")
TEXT = ("simple", "string-value")
OID = ("simple", "objectID-value")
UNSIGNED = ("application-wide", "gauge32-value")
TICKS = ("application-wide", "timeticks-value")
MOST_TICKS = 2**32

Kind = tuple[str, str]


def snmp_trap(event: dict[str, Any], community: str) -> bytes:
    """One event as one message, ready to be sent."""
    index = secrets.randbelow(2**31 - 1) + 1
    bindings = [
        (SYS_UP_TIME, TICKS, int(time.monotonic() * 100) % MOST_TICKS),
        (SNMP_TRAP_OID, OID, NOTIFICATION),
        *(
            (f"{ENTRY}.{column}.{index}", kind, value)
            for column, kind, value in syslog_columns(event)
        ),
    ]
    message = rfc1901.Message()
    message["version"] = VERSION_2C
    message["community"] = community.encode()
    message["data"] = trap_pdu(index, bindings)
    return bytes(encoder.encode(message))


def syslog_columns(event: dict[str, Any]) -> list[tuple[int, Kind, Any]]:
    """The message as columns: their numbers, their kinds of value, their values."""
    text = event_text(event).encode(errors="replace")[:LONGEST_TEXT]
    return [
        (2, NUMBER, FACILITY),
        (3, NUMBER, severity_of(event)),
        (4, UNSIGNED, 1),
        (5, TEXT, syslog_timestamp(event["at"])),
        (6, TEXT, header_text(socket.gethostname(), 64).encode()),
        (7, TEXT, b"cupadmin"),
        (8, TEXT, str(os.getpid()).encode()),
        (9, TEXT, header_text(event["topic"], 32).encode()),
        (10, UNSIGNED, 0),
        (11, TEXT, text.decode(errors="ignore").encode()),
    ]


def syslog_timestamp(text: str) -> bytes:
    """A time in ISO 8601 as the 13 octets of SyslogTimeStamp."""
    at = datetime.fromisoformat(text)
    offset = at.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    return (
        at.year.to_bytes(2)
        + bytes((at.month, at.day, at.hour, at.minute, at.second))
        + at.microsecond.to_bytes(3)
        + (b"-" if minutes < 0 else b"+")
        + bytes((hours, rest))
    )


def trap_pdu(request_id: int, bindings: list[tuple[str, Kind, Any]]) -> Any:
    pdus = rfc1905.PDUs()
    pdu = pdus.setComponentByName("snmpV2-trap").getComponentByName("snmpV2-trap")
    pdu["request-id"] = request_id
    pdu["error-status"] = pdu["error-index"] = 0
    for place, (name, kind, value) in enumerate(bindings):
        bound = pdu["variable-bindings"].getComponentByPosition(place)
        bound["name"] = name
        branch, leaf = kind
        bound[""]["value"][branch][leaf] = value
    return pdus


async def send_traps(
    url: str, traps: list[bytes], policy: Policy, clock: Deadline
) -> None:
    """Send them over UDP; nobody says whether they arrived.

    Raises:
        WireError: the receiver is not found, or not allowed.
    """
    parts = urlsplit(url)
    port = parts.port or PORT
    await send_datagrams(parts.hostname or "", port, traps, policy, clock)
