"""The Presence Web Service of one node, over its REST paths.

The application user signs in with a password; end users are signed in by name only,
with the key that it was given. Everything goes over the connection whose certificate
was confirmed, and nothing is sent twice but a request whose idle connection the node
had closed.
"""

import re
from contextlib import suppress
from urllib.parse import quote

from lxml import etree

from presence import documents
from presence.documents import State
from presence.errors import PresenceCode, PresenceError
from presence.pidf import read_pidf
from wire import Code, Deadline, NodeAddress, WireError
from wire.http import Connection, Headers, Reply

PORT = 8083
ROOT = "/presence-service"
# The least that the service takes; what it holds for the console ends by itself then.
EXPIRY = "3600"
_ID = re.compile(r"[\w.:~-]{1,200}", re.A)
_CODES = {
    **dict.fromkeys((100, 101), PresenceCode.SESSION),
    **dict.fromkeys((111, 112, 114), PresenceCode.SIGN_IN),
    113: PresenceCode.USER,
    **dict.fromkeys((110, 120, 121, 122), PresenceCode.STATE),
    124: PresenceCode.CONTACT,
    **dict.fromkeys((138, 139), PresenceCode.FULL),
    **dict.fromkeys((140, 141), PresenceCode.ACCOUNT),
}
# What a short answer may be that leaves it to the long one.
SAYS_NOTHING = (PresenceCode.UNRECOGNISED, Code.HTTP)


class PresenceService:
    """A conversation with the service of one node.

    Args:
        node: with the application user's name and password; `trust` is that of the
            certificate which this port presents.
    """

    def __init__(self, node: NodeAddress, port: int, clock: Deadline) -> None:
        self.node = node
        self._port = port
        self._clock = clock
        self._key = ""
        self._connection: Connection | None = None

    def extend(self, clock: Deadline) -> None:
        """Go on under another deadline, to clean up after the first has passed."""
        self._clock = clock

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    async def sign_in(self) -> None:
        """Sign in the application user."""
        session = etree.Element("session")
        try:
            etree.SubElement(session, "password").text = self.node.password.reveal()
        except ValueError:
            raise WireError(Code.VALUE) from None
        target = f"{ROOT}/users/{quote_segment(self.node.username)}/sessions"
        body = await self.call("POST", target, "", session)
        self._key = documents.key_in(
            documents.parse_document(body, self.node.name), self.node.name
        )

    async def user(self, userid: str) -> "UserSession":
        """Sign in an end user by name."""
        target = f"{ROOT}/users/{quote_segment(userid)}/sessions"
        body = await self.call("POST", target, self._key)
        root = documents.parse_document(body, self.node.name)
        key = documents.key_in(root, self.node.name)
        return UserSession(self, userid, key)

    async def endpoint(self, url: str) -> str:
        """Register where the node announces changes; the console polls all the same."""
        endpoint = etree.Element("endpoint")
        etree.SubElement(endpoint, "url").text = url
        expiry = ("Presence-Expiry", EXPIRY)
        return await self.create(f"{ROOT}/endpoints", self._key, endpoint, expiry)

    async def delete_endpoint(self, endpoint: str) -> None:
        await self.call(
            "DELETE", f"{ROOT}/endpoints/{quote_segment(endpoint)}", self._key
        )

    async def create(
        self, target: str, key: str, document: etree._Element, *more: tuple[str, str]
    ) -> str:
        """Post a document; give the id of what it made."""
        reply = await self._send("POST", target, key, document, more)
        location = reply.header("location")
        await self._accepted(reply, key)
        identity = location.rstrip("/").rpartition("/")[2]
        if not _ID.fullmatch(identity):
            raise documents.unrecognised_error(self.node.name, "no Location")
        return identity

    async def call(
        self,
        method: str,
        target: str,
        key: str,
        document: etree._Element | None = None,
        *more: tuple[str, str],
    ) -> bytes:
        """Send a request and give the body of a success."""
        reply = await self._send(method, target, key, document, more)
        return await self._accepted(reply, key)

    async def _send(
        self,
        method: str,
        target: str,
        key: str,
        document: etree._Element | None,
        more: tuple[tuple[str, str], ...],
    ) -> Reply:
        body = b"" if document is None else etree.tostring(document, encoding="UTF-8")
        headers = [*self._headers(key, body), *more]
        old = self._connection
        if old and not old.spent and old.recycle():
            try:
                return await old.send(method, target, headers, body, self._clock)
            except WireError as error:
                if error.code is not Code.CLOSED:
                    raise
        self.close()
        self._connection = await Connection.open(self.node, self._port, self._clock)
        return await self._connection.send(method, target, headers, body, self._clock)

    def _headers(self, key: str, body: bytes) -> Headers:
        address = self.node.address
        host = f"[{address}]" if ":" in address else address
        headers = [
            ("Host", f"{host}:{self._port}"),
            ("User-Agent", "cupadmin"),
            ("Accept", "text/xml, application/xml, application/pidf+xml"),
            ("Accept-Encoding", "identity"),
            ("Content-Type", "text/xml"),
            ("Content-Length", str(len(body))),
        ]
        return [*headers, ("Presence-Session-Key", key)] if key else headers

    async def _accepted(self, reply: Reply, key: str) -> bytes:
        """Give the body of a success; a redirection is never followed."""
        body = await reply.read(documents.MOST_BYTES)
        if 200 <= reply.status < 300:
            return body
        raise self._error(reply.status, body, signed_in=bool(key))

    def _error(self, status: int, body: bytes, *, signed_in: bool) -> WireError:
        node, number = self.node.name, None
        with suppress(PresenceError):
            number = documents.number_in(documents.parse_document(body, node))
        if number is not None:
            code = _CODES.get(number, PresenceCode.REFUSED)
            return PresenceError(code, node=node, detail=f"error {number}")
        detail = f"HTTP {status}"
        if status == 401:
            code = PresenceCode.SESSION if signed_in else PresenceCode.SIGN_IN
            return PresenceError(code, node=node, detail=detail)
        if status == 403:
            return PresenceError(PresenceCode.ACCOUNT, node=node, detail=detail)
        redirected = 300 <= status < 400
        return WireError(
            Code.REDIRECT if redirected else Code.HTTP, node=node, detail=detail
        )


class UserSession:
    """An end user who is signed in at a node."""

    def __init__(self, service: PresenceService, userid: str, key: str) -> None:
        self.service = service
        self._key = key
        self._path = f"{ROOT}/users/{quote_segment(userid)}"

    async def subscribe(self, contact: str, endpoint: str) -> str:
        """Subscribe to the presence of one contact; give the id."""
        document = etree.Element("subscription")
        contacts = etree.SubElement(document, "contactsList")
        etree.SubElement(contacts, "contact", {"contactURI": contact})
        kind = etree.SubElement(document, "subscriptionType")
        kind.text = "PRESENCE_NOTIFICATION"
        etree.SubElement(document, "endPointID").text = endpoint
        target = f"{self._path}/subscriptions"
        expiry = ("Presence-Expiry", EXPIRY)
        return await self.service.create(target, self._key, document, expiry)

    async def unsubscribe(self, subscription: str) -> None:
        target = f"{self._path}/subscriptions/{quote_segment(subscription)}"
        await self.service.call("DELETE", target, self._key)

    async def poll(self, subscription: str) -> State | None:
        """Give the state that the subscription shows now, if it shows one."""
        return await self._shown(f"subscriptions/{quote_segment(subscription)}")

    async def snapshot(self, contact: str) -> State | None:
        """Give the state of a contact without a subscription."""
        return await self._shown(f"contacts/{quote_segment(contact)}")

    async def _shown(self, what: str) -> State | None:
        """Read the short form; where it says nothing that is understood, PIDF."""
        try:
            found = await self._basic(what)
        except WireError as error:
            if error.code not in SAYS_NOTHING:
                raise
            found = None
        return found or await self._rich(what)

    async def _basic(self, what: str) -> State | None:
        body = await self._read(f"basic/{what}")
        if not body.strip():
            return None
        return documents.state_in(
            documents.parse_document(body, self.service.node.name)
        )

    async def _rich(self, what: str) -> State | None:
        body = await self._read(f"rich/{what}")
        return read_pidf(body, self.service.node.name) if body.strip() else None

    async def _read(self, what: str) -> bytes:
        target = f"{self._path}/presence/{what}"
        return await self.service.call("GET", target, self._key)

    async def set(self, state: State) -> None:
        """Set the state of the user; it ends with the session, or after an hour."""
        document = etree.Element("presence")
        document.text = state.value
        await self.service.call(
            "PUT",
            f"{self._path}/presence/basic",
            self._key,
            document,
            ("Presence-Expiry", EXPIRY),
            ("Presence-Override", "true"),
        )

    async def sign_out(self) -> None:
        """End the session; once is enough."""
        if self._key:
            await self.service.call("DELETE", f"{self._path}/session", self._key)
        self._key = ""


def quote_segment(text: str) -> str:
    """Quote one segment of a path; what would climb out of it is refused."""
    if not text or text in (".", ".."):
        raise WireError(Code.VALUE)
    return quote(text, safe="", errors="replace")
