"""Bringing a message to a mail address or a webhook."""

import hashlib
import hmac
import smtplib
import ssl
import time
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.encoding import iri_to_uri

import wire
from notifications.bodies import absolute_link, body_of
from notifications.models import Message, Subscriber, subject_of
from notifications.snmp import send_traps, snmp_trap
from notifications.syslog import send_lines, syslog_line
from wire import Code, Deadline, NodeAddress, Policy, WireError
from wire.connect import connect_host
from wire.http import Connection

DEADLINE = 15.0
# Schemes that may lead to public addresses.
ENCRYPTED = ("https", "syslog+tls")
# What is sent for each event of a message.
EACH_EVENT = (Subscriber.Format.SYSLOG, Subscriber.Format.SNMP)
# Events that one mail lists.
MOST_EVENTS = 100


class Undelivered(Exception):
    """The message did not arrive; `str` says why, to a person."""


@dataclass(frozen=True)
class WebhookPolicy(Policy):
    """Public addresses, and whatever lies in `networks`."""

    public: bool = True

    def allows(self, address: str) -> bool:
        if self.networks and super().allows(address):
            return True
        ip = ip_address(address)
        # An IPv6 address that carries an IPv4 one may end anywhere.
        embedded = ip.version == 6 and any(
            getattr(ip, name) for name in ("ipv4_mapped", "sixtofour", "teredo")
        )
        nat64 = ip in ip_network("64:ff9b::/96")
        public = ip.is_global and not ip.is_multicast and not embedded and not nat64
        return self.public and public


def deliver_message(message: Message) -> None:
    """Send it now.

    Raises:
        Undelivered: it did not arrive, as far as can be known.
    """
    subscriber = message.subscriber
    if subscriber.format in EACH_EVENT:
        send_each_event(message)
        return
    if subscriber.channel == Subscriber.Channel.WEBHOOK:
        post_message(subscriber, str(message.pk), body_of(message))
        return
    if events := message.events_within(message.subscriber.limit):
        send_mail(message, events)


def send_each_event(message: Message) -> None:
    subscriber, events = message.subscriber, message.events
    url, clock = subscriber.url, Deadline(DEADLINE)
    allowed = webhook_policy(urlsplit(url).scheme)
    if subscriber.format == Subscriber.Format.SNMP:
        community = subscriber.unseal("secret").reveal()
        traps = [snmp_trap(event, community) for event in events]
        sending = send_traps(url, traps, allowed, clock)
    else:
        lines = [syslog_line(event) for event in events]
        sending = send_lines(url, lines, allowed, clock)
    try:
        wire.run_loop(sending)
    except WireError as error:
        raise Undelivered(error.message) from None


def send_mail(message: Message, events: list[dict[str, Any]]) -> None:
    if not settings.EMAIL_URL:
        raise Undelivered("No mail server is set (CUPADMIN_EMAIL_URL).")
    listed = events[:MOST_EVENTS]
    lines = [f"{event['text']}\n{absolute_link(event['url'])}\n" for event in listed]
    if more := len(events) - len(listed):
        lines.append(
            f"And {more} more: {absolute_link(reverse('notifications:mine'))}\n"
        )
    sender = settings.DEFAULT_FROM_EMAIL
    host = parseaddr(sender)[1].rpartition("@")[2]
    mail = EmailMessage(
        f"[cupadmin] {' '.join(subject_of(events).split())}",
        "\n".join(lines),
        sender,
        [message.subscriber.email],
        # The same at each attempt: mail systems then show it once.
        headers={"Message-ID": f"<{message.pk}@{host}>"},
    )
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(f"The mail server did not take it: {error}"[:500]) from error


def body_signature(secret: str, timestamp: str, body: bytes) -> str:
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def post_message(subscriber: Subscriber, delivery: str, body: bytes) -> None:
    timestamp = str(int(time.time()))
    secret = subscriber.unseal("secret").reveal()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("User-Agent", "cupadmin"),
        ("Connection", "close"),
        ("X-Cupadmin-Delivery", delivery),
        ("X-Cupadmin-Timestamp", timestamp),
        ("X-Cupadmin-Signature", body_signature(secret, timestamp, body)),
    ]
    try:
        status = wire.run_loop(_post_body(subscriber.url, headers, body))
    except WireError as error:
        raise Undelivered(error.message) from None
    if not 200 <= status < 300:
        # A redirect is not followed: it could lead where the policy forbids.
        raise Undelivered(f"The webhook answered with status {status}.")


def webhook_policy(scheme: str) -> Policy:
    """Without TLS only the networks that the settings name are allowed."""
    networks = tuple(ip_network(text) for text in settings.WEBHOOK_NETWORKS)
    return WebhookPolicy(
        networks=networks,
        dns_servers=tuple(settings.DNS_SERVERS),
        public=scheme in ENCRYPTED,
    )


async def _post_body(url: str, headers: list[tuple[str, str]], body: bytes) -> int:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise WireError(Code.ADDRESS, "The port of the webhook is not valid.") from None
    context = ssl.create_default_context() if parts.scheme == "https" else None
    clock = Deadline(DEADLINE)
    allowed = webhook_policy(parts.scheme)
    stream = await connect_host(host, port, allowed, clock, host, context, host)
    try:
        node = NodeAddress(name=host, address=host, policy=allowed)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        target = iri_to_uri(target)
        host_header = f"[{host}]" if ":" in host else host
        named = [("Host", f"{host_header}:{port}"), *headers]
        answer = await Connection(node, stream).send("POST", target, named, body, clock)
        return answer.status
    finally:
        stream.close()
