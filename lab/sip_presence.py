"""Presence over SIP: what the proxy of a node says to SUBSCRIBE and PUBLISH.

Users sign in with digest credentials. For a user of another cluster the answer shows
that the host of the request URI was rewritten: Contact is a node of that cluster.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from lxml import etree

from .availability import STRANGER

if TYPE_CHECKING:
    from .cluster import LabCluster
    from .node import LabNode

METHODS = ("SUBSCRIBE", "PUBLISH")
FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
ADDRESS = re.compile(r"sips?:([^@;>\s]+)@([^;:>\s]+)")
Send = Callable[[bytes], None]
BASIC = {"UNAVAILABLE": "closed"}
ACTIVITIES = {"AWAY": "away", "BUSY": "busy", "DND": "busy", "VACATION": "vacation"}


@dataclass
class SipRequest:
    """A request with its headers by long name."""

    method: str
    uri: str
    headers: dict[str, list[str]]
    body: bytes

    def first(self, name: str) -> str:
        return self.headers.get(name, [""])[0]


@dataclass
class Subscription:
    """A watcher of one user, and what it was shown last."""

    cluster: "LabCluster"
    node: "LabNode"
    request: SipRequest
    uri: str
    tag: str
    send: Send
    last_state: str | None = ""
    number: int = 0

    def refresh(self, ended: bool = False) -> None:
        """Notify the watcher if there is something new."""
        state = self.cluster.availability.seen(self.uri)
        if state == self.last_state and not ended:
            return
        self.last_state = state
        self.number += 1
        self.send(self._notify(state, ended))

    def _notify(self, state: str | None, ended: bool) -> bytes:
        contact = self.request.first("contact").strip("<>")
        own_address = f"{self.node.address}:{self.node.sip_port}"
        body = b"" if state in (None, STRANGER) else pidf_of(self.uri, str(state))
        life = "terminated;reason=timeout" if ended else "active;expires=60"
        lines = [
            f"NOTIFY {contact} SIP/2.0",
            f"Via: SIP/2.0/TCP {own_address};branch=z9hG4bK{secrets.token_hex(6)}",
            "Max-Forwards: 70",
            f"From: {self.request.first('to')};tag={self.tag}",
            f"To: {self.request.first('from')}",
            f"Call-ID: {self.request.first('call-id')}",
            f"CSeq: {self.number} NOTIFY",
            "Event: presence",
            f"Subscription-State: {life}",
            "Content-Type: application/pidf+xml",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Proxy:
    """What the proxies of one cluster remember."""

    cluster: "LabCluster"
    nonces: set[str] = field(default_factory=set)
    # By Call-ID, and by SIP-ETag the user who published.
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)

    def answer(
        self, node: "LabNode", request: SipRequest, send: Send
    ) -> tuple[int, list[str]]:
        """Return the status and further headers; NOTIFYs are sent apart."""
        known = self.subscriptions.get(request.first("call-id"))
        if not known and (challenge := self._challenge(request)):
            return 401, [challenge]
        if request.first("event") != "presence":
            return 489, []
        if request.method == "PUBLISH":
            return self._publish(request)
        return self._subscribe(node, request, send, known)

    def _subscribe(
        self,
        node: "LabNode",
        request: SipRequest,
        send: Send,
        known: Subscription | None,
    ) -> tuple[int, list[str]]:
        found = ADDRESS.match(request.uri)
        uri = known.uri if known else "@".join(found.groups()) if found else ""
        availability = self.cluster.availability
        state = availability.seen(uri)
        if known is None and (state is None or state == STRANGER):
            return (404 if state else 480), []
        if request.first("expires") == "0":
            if known:
                del self.subscriptions[request.first("call-id")]
                node.cluster.lab.later(lambda: known.refresh(ended=True))
            return 200, ["Expires: 0"]
        made = known or Subscription(
            self.cluster, node, request, uri, secrets.token_hex(4), send
        )
        self.subscriptions[request.first("call-id")] = made
        node.cluster.lab.later(made.refresh)
        return 200, [f"Expires: 60\r\n{path_of(node, uri.partition('@')[0])}"]

    def _publish(self, request: SipRequest) -> tuple[int, list[str]]:
        found = ADDRESS.match(request.uri)
        userid = found[1] if found else ""
        availability = self.cluster.availability
        etag = request.first("sip-if-match")
        if etag and etag not in self.published:
            return 412, []
        if not availability.home_node(userid):
            return 404, []
        self.published.pop(etag, None)
        if request.first("expires") == "0":
            availability.end(userid)
            return 200, ["Expires: 0"]
        if not (state := state_of(request.body)):
            return 400, []
        availability.set(userid, state)
        made = secrets.token_hex(6)
        self.published[made] = userid
        return 200, [f"SIP-ETag: {made}\r\nExpires: 60"]

    def _challenge(self, request: SipRequest) -> str:
        """Return the header that asks for credentials; empty when they are right."""
        given = request.first("authorization")
        fields = {name: a or b for name, a, b in FIELD.findall(given)}
        nonce = fields.get("nonce", "")
        if nonce in self.nonces and self._is_right(request, fields):
            return ""
        nonce = secrets.token_hex(12)
        self.nonces.add(nonce)
        return (
            f'WWW-Authenticate: Digest realm="{self.cluster.domain}", '
            f'nonce="{nonce}", algorithm=MD5, qop="auth"'
        )

    def _is_right(self, request: SipRequest, fields: dict[str, str]) -> bool:
        user, password = fields.get("username", ""), self.cluster.user_password
        first = md5_hex(f"{user}:{self.cluster.domain}:{password}")
        second = md5_hex(f"{request.method}:{fields.get('uri', '')}")
        names = ("nonce", "nc", "cnonce", "qop")
        middle = ":".join(fields.get(name, "") for name in names)
        expected = md5_hex(f"{first}:{middle}:{second}")
        own = f"sip:{user}@" in request.first("from")
        return own and secrets.compare_digest(expected, fields.get("response", ""))


def path_of(node: "LabNode", userid: str) -> str:
    """Return Contact, which is where the user is at home, and the proxy in between."""
    cluster = node.cluster
    home = cluster.availability.home_of_copy(userid)
    end = node if home is None else home.publisher
    lines = [f"Contact: <sip:{end.address}:{end.sip_port};transport=tcp>"]
    if home is not None:
        lines.append(f"Record-Route: <sip:{node.address}:{node.sip_port};lr>")
    return "\r\n".join(lines)


def md5_hex(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def pidf_of(uri: str, state: str) -> bytes:
    activity = ACTIVITIES.get(state)
    person = f"<r:activities><r:{activity}/></r:activities>" if activity else ""
    return (
        '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" '
        'xmlns:d="urn:ietf:params:xml:ns:pidf:data-model" '
        'xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" '
        f"entity={quoteattr(f'sip:{uri}')}><tuple id='t'><status><basic>"
        f"{BASIC.get(state, 'open')}</basic></status></tuple>"
        f"<d:person id='p'>{person}</d:person></presence>"
    ).encode()


def state_of(body: bytes) -> str:
    """Return the state that a published document means; empty when it is none."""
    try:
        root = etree.fromstring(body)
    except etree.XMLSyntaxError:
        return ""
    for name in ("away", "busy", "vacation"):
        if root.find(f".//{{*}}activities/{{*}}{name}") is not None:
            return name.upper()
    basic = root.findtext(".//{*}basic", "")
    return {"open": "AVAILABLE", "closed": "UNAVAILABLE"}.get(basic, "")
