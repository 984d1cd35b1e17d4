"""The Presence Web Service: the port that third-party applications use.

The shapes of its short answers are of our own making, two of them; the paths, headers,
numbers and the long answer are those that are published.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lxml import etree

from .availability import STATES, STRANGER
from .http import Deliver, LabRequest, Response, ServerConnection

if TYPE_CHECKING:
    from .cluster import LabCluster
    from .node import LabNode

PORT = 8083
ROOT = "/presence-service"
USERNAME = "presenceapp"
MOST_ENDPOINTS = 50
NO_KEY, BAD_KEY, BAD_XML, BAD_PASSWORD, BAD_USER = 100, 101, 102, 111, 113
BAD_STATE, BAD_CONTACT, BAD_ENDPOINT, BAD_SUBSCRIPTION = 120, 124, 130, 133
BAD_EXPIRY, BAD_COUNT, NO_ENDPOINT, WRONG_USER = 131, 135, 138, 140
STATUSES = {NO_KEY: 401, BAD_KEY: 401, BAD_PASSWORD: 401, BAD_USER: 404}
BASIC = {
    "AVAILABLE": ("open", "available"),
    "BUSY": ("open", "busy"),
    "DND": ("open", "dnd"),
    "AWAY": ("open", "away"),
    "VACATION": ("open", "vacation"),
    "UNAVAILABLE": ("closed", ""),
}


class PresencePort:
    """The port of the service on one node; the SIP proxy serves it."""

    def __init__(self, node: "LabNode") -> None:
        self.node = node
        self.connections = node.connections

    def now(self) -> float:
        return self.node.now()

    async def answer(
        self, request: LabRequest, round_trips: int
    ) -> tuple[Response, Deliver]:
        return await self.node.answer_in("presence", self._serve, request, round_trips)

    async def _serve(self, request: LabRequest) -> Response:
        return self.node.cluster.presence.answer(self.node, request)


class PresenceConnection(ServerConnection):
    """A connection to the port, which is cut while the SIP proxy is stopped."""

    application: PresencePort

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self.application.node.sip_proxy.is_started:
            self.abort()


class PresenceRefused(Exception):
    """A request that the service answers with the number of an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass
class LabPresence:
    """What the service of one cluster remembers."""

    cluster: "LabCluster"
    applications: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    endpoints: set[str] = field(default_factory=set)
    # By id: who watches, and whom.
    subscriptions: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def password(self) -> str:
        return f"{self.cluster.name}-presence-secret"

    def answer(self, node: "LabNode", request: LabRequest) -> Response:
        """Answer a request at one of the nodes."""
        try:
            return self._route(node, request)
        except PresenceRefused as refusal:
            return problem_response(refusal.number)

    def _route(self, node: "LabNode", request: LabRequest) -> Response:
        path = request.path.partition("?")[0]
        if not path.startswith(f"{ROOT}/"):
            return Response(404, b"")
        parts = [unquote(part) for part in path[len(ROOT) + 1 :].split("/")]
        match (request.method, *parts):
            case ("POST", "users", name, "sessions"):
                return self._sign_in(node, request, name)
            case ("DELETE", "users", name, "session"):
                return self._sign_out(request, name)
            case ("POST", "endpoints"):
                return self._add_endpoint(request)
            case ("DELETE", "endpoints", identity):
                return self._remove_endpoint(request, identity)
            case ("POST", "users", name, "subscriptions"):
                return self._subscribe(request, name)
            case ("DELETE", "users", name, "subscriptions", identity):
                return self._unsubscribe(request, name, identity)
            case ("PUT", "users", name, "presence", "basic"):
                return self._set(request, name)
            case ("GET", "users", name, "presence", form, kind, what):
                return self._show(request, name, form, kind, what)
        return Response(404, b"")

    def _sign_in(self, node: "LabNode", request: LabRequest, name: str) -> Response:
        if not request.body:
            self._application(request)
            if self.cluster.availability.home_node(name) is not node:
                raise PresenceRefused(BAD_USER)
            key = secrets.token_hex(16)
            self.users[key] = name
        else:
            if self.cluster.faults.get("presence", "no-role"):
                raise PresenceRefused(WRONG_USER)
            given = _read_body(request, "session").findtext("{*}password", "")
            if name != USERNAME or given != self.password:
                raise PresenceRefused(BAD_PASSWORD)
            key = secrets.token_hex(16)
            self.applications[key] = name
        backup = self.cluster.nodes[-1].name
        return xml_response(
            f"<session><sessionKey>{key}</sessionKey>"
            f"<backupHost>{backup}</backupHost></session>"
        )

    def _sign_out(self, request: LabRequest, name: str) -> Response:
        key = self._user(request, name)
        del self.users[key]
        if name not in self.users.values():
            self.cluster.availability.end(name)
        return Response(200, b"")

    def _add_endpoint(self, request: LabRequest) -> Response:
        self._application(request)
        _check_expiry(request)
        if _read_body(request, "endpoint").findtext("{*}url", "") == "":
            raise PresenceRefused(BAD_ENDPOINT)
        full = self.cluster.faults.get("presence", "full")
        if full or len(self.endpoints) >= MOST_ENDPOINTS:
            raise PresenceRefused(NO_ENDPOINT)
        identity = str(secrets.randbelow(10**9))
        self.endpoints.add(identity)
        return created_response(f"{ROOT}/endpoints/{identity}")

    def _remove_endpoint(self, request: LabRequest, identity: str) -> Response:
        self._application(request)
        if identity not in self.endpoints:
            raise PresenceRefused(BAD_ENDPOINT)
        self.endpoints.discard(identity)
        return Response(200, b"")

    def _subscribe(self, request: LabRequest, name: str) -> Response:
        self._user(request, name)
        _check_expiry(request)
        root = _read_body(request, "subscription")
        contacts = [
            str(one.get("contactURI", "")) for one in root.iterfind(".//{*}contact")
        ]
        if not 1 <= len(contacts) <= 5000:
            raise PresenceRefused(BAD_COUNT)
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", contacts[0]):
            raise PresenceRefused(BAD_CONTACT)
        if root.findtext("{*}endPointID", "") not in self.endpoints:
            raise PresenceRefused(BAD_ENDPOINT)
        identity = str(secrets.randbelow(10**9))
        self.subscriptions[identity] = (name, contacts[0])
        return created_response(f"{ROOT}/users/{name}/subscriptions/{identity}")

    def _unsubscribe(self, request: LabRequest, name: str, identity: str) -> Response:
        self._user(request, name)
        self._watched(name, identity)
        del self.subscriptions[identity]
        return Response(200, b"")

    def _watched(self, name: str, identity: str) -> str:
        watcher, contact = self.subscriptions.get(identity, ("", ""))
        if watcher != name:
            raise PresenceRefused(BAD_SUBSCRIPTION)
        return contact

    def _set(self, request: LabRequest, name: str) -> Response:
        self._user(request, name)
        _check_expiry(request)
        state = (_read_body(request, "presence").text or "").strip()
        if state not in STATES:
            raise PresenceRefused(BAD_STATE)
        self.cluster.availability.set(name, state)
        return Response(200, b"")

    def _show(
        self, request: LabRequest, name: str, form: str, kind: str, what: str
    ) -> Response:
        self._user(request, name)
        if kind not in ("subscriptions", "contacts") or form not in ("basic", "rich"):
            return Response(404, b"")
        if kind == "contacts" and self.cluster.faults.get("presence", "no-snapshot"):
            return Response(404, b"")
        contact = self._watched(name, what) if kind == "subscriptions" else what
        silent = self.cluster.faults.get("presence", "silent")
        state = None if silent else self.cluster.availability.seen(contact)
        return (
            pidf_of(contact, state) if form == "rich" else self._basic(contact, state)
        )

    def _basic(self, contact: str, state: str | None) -> Response:
        if self.cluster.faults.get("presence", "rich-only"):
            return Response(404, b"")
        basic = _escape(contact)
        if self.cluster.generation == "imp":
            inner = f"<presenceState>{state}</presenceState>" if state else ""
            return xml_response(
                f'<ns:presenceList xmlns:ns="urn:cisco:cup:presence"><ns:contact '
                f'contactURI="{basic}">{inner}</ns:contact></ns:presenceList>'
            )
        mark = f' presenceType="BASIC" status="{state}"' if state else ""
        return xml_response(f"<contacts><contact uri='{basic}'{mark}/></contacts>")

    def _application(self, request: LabRequest) -> None:
        self._key(request, self.applications)

    def _user(self, request: LabRequest, name: str) -> str:
        key = self._key(request, self.users)
        if self.users[key] != name:
            raise PresenceRefused(BAD_KEY)
        return key

    def _key(self, request: LabRequest, known: dict[str, str]) -> str:
        key = request.headers.get("presence-session-key", "")
        if not key or key not in known:
            raise PresenceRefused(BAD_KEY if key else NO_KEY)
        return key


def _check_expiry(request: LabRequest) -> None:
    seconds = request.headers.get("presence-expiry", "3600")
    if not seconds.isdigit() or not 3600 <= int(seconds) <= 86400:
        raise PresenceRefused(BAD_EXPIRY)


def _read_body(request: LabRequest, name: str) -> etree._Element:
    try:
        root = etree.fromstring(request.body)
    except etree.XMLSyntaxError:
        raise PresenceRefused(BAD_XML) from None
    if etree.QName(root).localname != name:
        raise PresenceRefused(BAD_XML)
    return root


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;")


def xml_response(text: str, status: int = 200) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
    return Response(status, body, "text/xml;charset=UTF-8")


def created_response(location: str) -> Response:
    response = Response(201, b"", "text/xml;charset=UTF-8")
    response.headers.append(("Location", location))
    return response


def problem_response(number: int) -> Response:
    text = f"<error><code>{number}</code><description>Error</description></error>"
    return xml_response(text, STATUSES.get(number, 400))


def pidf_of(contact: str, state: str | None) -> Response:
    """Return a PIDF; a stranger has none."""
    if state is None or state == STRANGER:
        return Response(200, b"", "application/pidf+xml")
    basic, activity = BASIC[state]
    person = f"<r:activities><r:{activity}/></r:activities>" if activity else ""
    text = (
        '<presence xmlns="urn:ietf:params:xml:ns:pidf" '
        'xmlns:d="urn:ietf:params:xml:ns:pidf:data-model" '
        'xmlns:r="urn:cisco:params:xml:ns:pidf:rpid" '
        f"entity='{_escape(contact)}'><d:person id='p'>{person}</d:person>"
        f"<tuple id='cisco-pws'><status><basic>{basic}</basic></status></tuple>"
        "</presence>"
    )
    response = xml_response(text)
    response.content_type = "application/pidf+xml"
    return response
