"""An XMPP user, by slixmpp over a connection that is already proven.

slixmpp reads and writes stanzas here, and nothing else: it opens no connection, follows
no redirection, approves nobody, and its log, which quotes what it sends, is silent.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout

from presence.documents import State
from presence.errors import PresenceCode, PresenceError
from presence.starttls import secured
from wire import Deadline, NodeAddress, WireError
from wire.connect import Stream
from wire.os_errors import wire_error

MOST_BYTES = 512 * 1024
_MOST_HEARD = 200
# What XMPP forbids (RFC 6120, 11.1), and how UTF-16 would hide it.
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY", b"\0")
_LONGEST_FORBIDDEN = max(map(len, _FORBIDDEN))
_STATES = {
    "available": State.AVAILABLE,
    "chat": State.AVAILABLE,
    "away": State.AWAY,
    "xa": State.AWAY,
    "dnd": State.DND,
    "unavailable": State.UNAVAILABLE,
}
_SHOWS = {State.AWAY: "away", State.DND: "dnd"}
_KINDS = ("subscribe", "subscribed", "unsubscribe", "unsubscribed", "error")

logging.getLogger("slixmpp").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Heard:
    """A stanza that came in: what it is, from whom, and what it says."""

    kind: str
    sender: str
    state: State | None = None
    condition: str = ""
    text: str = ""


class XmppUser:
    """A user who is signed in.

    Args:
        approves: the one user whose subscription is approved and whose message is
            sent back.
    """

    def __init__(
        self, client: "_Client", node: NodeAddress, approves: str = ""
    ) -> None:
        self.node, self.approves, self.was_asked = node, approves.casefold(), False
        self._client = client
        client.take = self._take
        self._heard: asyncio.Queue[Heard] = asyncio.Queue(_MOST_HEARD)

    def subscribe(self, contact: str) -> None:
        self._presence(contact, "subscribe")

    def unsubscribe(self, contact: str) -> None:
        self._presence(contact, "unsubscribe")

    def show(self, state: State) -> None:
        """Show a state to all who are subscribed."""
        self._client.send_presence(pshow=_SHOWS.get(state))

    def message(self, contact: str, text: str) -> None:
        self._client.send_message(mto=contact, mbody=text, mtype="chat")

    async def knows(self, contact: str, clock: Deadline) -> bool:
        """Say whether the contact is in the user's list."""
        request = self._client.make_iq_get("jabber:iq:roster")
        reply = await self._ask(request, clock)
        return any(
            jid.bare.casefold() == contact.casefold()
            for jid in reply["roster"]["items"]
        )

    async def forget(self, contact: str, clock: Deadline) -> None:
        """Remove a contact, and with it the subscriptions in both directions."""
        request = self._client.Iq()
        request["type"] = "set"
        request["roster"]["items"] = {contact: {"subscription": "remove"}}
        await self._ask(request, clock)

    async def hear(self, clock: Deadline) -> Heard | None:
        """Wait for a stanza about presence or a message; None when time is up."""
        try:
            async with clock.limit():
                heard: Heard = await self._until(self._heard.get())
        except TimeoutError:
            return None
        return heard

    async def _ask(self, request: Any, clock: Deadline) -> Any:
        try:
            async with clock.limit():
                return await self._until(request.send())
        except IqError as error:
            condition = str(error.iq["error"]["condition"])
            raise refusal(self.node.name, condition) from None
        except (IqTimeout, TimeoutError):
            raise wire_error(TimeoutError(), self.node.name) from None

    async def _until(self, awaited: Any) -> Any:
        return await _await_first(awaited, self._client)

    def _presence(self, contact: str, kind: str) -> None:
        self._client.send_presence(pto=contact, ptype=kind)

    def _take(self, heard: Heard) -> None:
        """Answer the one who may ask; keep what else came."""
        if heard.sender.casefold() == self.approves:
            if heard.kind == "subscribe":
                self.was_asked = True
                self._presence(heard.sender, "subscribed")
            elif heard.kind == "message":
                self.message(heard.sender, heard.text)
        if not self._heard.full():
            self._heard.put_nowait(heard)


class _Client(ClientXMPP):
    """slixmpp without its own connections, queue and decisions."""

    def __init__(self, node: NodeAddress, jid: str, password: str) -> None:
        # It would read all authorities of the system, and never use them.
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        super().__init__(jid, password, sasl_mech="PLAIN", ssl_context=unused)
        self.node, self.read = node, 0
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self.started: asyncio.Future[None] = self.loop.create_future()
        self.take: Any = lambda heard: None
        self.auto_authorize, self.auto_subscribe = None, False
        self.whitespace_keepalive = False
        self._tail = b""
        self._watch()

    def _watch(self) -> None:
        code = PresenceCode
        self.add_event_handler("session_start", self._session)
        self.add_event_handler("failed_auth", lambda _: self.fail(code.XMPP_SIGN_IN))
        self.add_event_handler("no_auth", lambda _: self.fail(code.XMPP_SIGN_IN))
        self.add_event_handler("stream_error", self._stream_error)
        self.add_event_handler("disconnected", self._disconnected)
        self.add_event_handler("message", self._message)
        self.add_event_handler("message_error", self._presence)
        self.add_event_handler("presence", self._presence)

    def take_over(self, stream: Stream) -> None:
        """Speak on a connection that is open."""
        self.init_plugins()
        transport = stream.writer.transport
        transport.set_protocol(self)
        self.connection_made(transport)

    def connection_made(self, transport: Any, send_event: bool = True) -> None:
        self.transport = transport
        self.socket = transport.get_extra_info("ssl_object")
        self.event("connected")
        self.init_parser()
        self.send_raw(self.stream_header)

    def data_received(self, data: bytes) -> None:
        self.read += len(data)
        seen = self._tail + data
        self._tail = seen[-_LONGEST_FORBIDDEN:]
        if self.read > MOST_BYTES or any(one in seen for one in _FORBIDDEN):
            self.fail(PresenceCode.XMPP_UNRECOGNISED)
        elif not self.ended.done():
            try:
                super().data_received(data)
            except Exception as error:  # whatever a damaged stanza makes of the library
                self.exception(error)

    def send(self, data: Any, use_filters: bool = True) -> None:
        """Write at once: there are no filters, and no task should outlive us."""
        if self.transport is not None and not self.ended.done():
            self.send_raw(str(data))

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse what a server may ask for: another connection."""
        self.fail(PresenceCode.XMPP_UNRECOGNISED)

    reconnect = connect

    async def start_tls(self) -> bool:
        """Refuse a second TLS inside the first."""
        self.fail(PresenceCode.XMPP_UNRECOGNISED)
        return False

    def exception(self, exception: Exception) -> None:
        if isinstance(exception, IqError):
            condition = str(exception.iq["error"]["condition"])
            conflict = condition == "conflict"
            code = PresenceCode.XMPP_BIND if conflict else PresenceCode.XMPP_REFUSED
            self.fail(code, condition)
        elif isinstance(exception, OSError):
            self.end(wire_error(exception, self.node.name))
        else:
            self.fail(PresenceCode.XMPP_UNRECOGNISED)

    def fail(self, code: PresenceCode, detail: str = "") -> None:
        self.end(PresenceError(code, node=self.node.name, detail=detail))

    def end(self, error: WireError) -> None:
        """Keep the first error, and end the connection."""
        if not self.ended.done():
            self.ended.set_exception(error)
            # Nobody waits for it any more where the proof has ended.
            self.ended.exception()
        if self.transport is not None:
            self.transport.abort()

    def _session(self, _: Any) -> None:
        # slixmpp announces a session after an error too; the error follows.
        if self.boundjid.user and not self.started.done():
            self.started.set_result(None)

    def _stream_error(self, error: Any) -> None:
        self.fail(PresenceCode.XMPP_REFUSED, str(error["condition"]))

    def _disconnected(self, reason: Any) -> None:
        self.end(wire_error(ConnectionResetError(), self.node.name))

    def _message(self, stanza: Any) -> None:
        if body := str(stanza["body"] or "")[:200]:
            self.take(Heard("message", sender_of(stanza), text=body))

    def _presence(self, stanza: Any) -> None:
        kind, condition = str(stanza["type"]), ""
        if kind == "error":
            condition = str(stanza["error"]["condition"])
        state = None if kind in _KINDS else _STATES.get(kind)
        self.take(
            Heard(
                kind if kind in _KINDS else "presence",
                sender_of(stanza),
                state,
                condition,
            )
        )


def sender_of(stanza: Any) -> str:
    return str(JID(stanza["from"]).bare)


def refusal(node: str, condition: str) -> PresenceError:
    return PresenceError(PresenceCode.XMPP_REFUSED, node=node, detail=condition)


async def _await_first(awaited: Any, client: _Client) -> Any:
    """Await one thing, or the end of the connection."""
    task = asyncio.ensure_future(awaited)
    try:
        await asyncio.wait([task, client.ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
    if not task.cancelled() and task.done():
        return task.result()
    client.ended.result()
    raise wire_error(ConnectionResetError(), client.node.name)


@asynccontextmanager
async def signed_in(
    node: NodeAddress, port: int, uri: str, clock: Deadline, approves: str = ""
) -> AsyncIterator[XmppUser]:
    """Sign a user in, and out in the end."""
    domain = uri.partition("@")[2]
    stream = await secured(node, port, domain, clock)
    try:
        client = _client(node, uri)
        user = XmppUser(client, node, approves)
        client.take_over(stream)
        try:
            async with clock.limit():
                await _await_first(client.started, client)
        except TimeoutError:
            raise wire_error(TimeoutError(), node.name) from None
        # From here on the user is available to others.
        client.send_presence()
        yield user
        client.send_presence(ptype="unavailable")
        client.send(client.stream_footer)
    finally:
        stream.close()


def _client(node: NodeAddress, uri: str) -> _Client:
    try:
        return _Client(node, f"{uri}/cupadmin", node.password.reveal())
    except ValueError:
        raise PresenceError(PresenceCode.CONTACT, node=node.name) from None
