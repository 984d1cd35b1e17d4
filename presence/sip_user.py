"""A SIP user agent for presence: SUBSCRIBE and NOTIFY (RFC 6665, 3856), PUBLISH (3903).

One agent is one Call-ID: the dialog of a subscription, or the refreshes of a
publication.
"""

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from presence.documents import State
from presence.errors import PresenceCode, PresenceError
from presence.pidf import read_pidf, write_pidf
from presence.sip_connection import SipConnection
from presence.sip_digest import authorization_header, read_challenge
from presence.sip_message import SipMessage, answer_to, uri_of, write_message
from wire import Deadline, NodeAddress
from wire.os_errors import map_os_errors

# Soft state: what a crash leaves ends by itself after so many seconds.
EXPIRES = 120
_LONGEST_EXPIRES = 3600
_CHALLENGES = {
    401: ("www-authenticate", "Authorization"),
    407: ("proxy-authenticate", "Proxy-Authorization"),
}
_CODES = {
    403: PresenceCode.FORBIDDEN,
    603: PresenceCode.FORBIDDEN,
    404: PresenceCode.NOT_FOUND,
    604: PresenceCode.NOT_FOUND,
    405: PresenceCode.EVENT,
    489: PresenceCode.EVENT,
    501: PresenceCode.EVENT,
}
_USER = re.compile(r"[\w.!~*'()&=+$,;?/%@-]{1,300}", re.A)


@dataclass(frozen=True)
class PresenceNotice:
    """What a NOTIFY says: the state of the subscription, and that of the user."""

    subscription: str
    reason: str
    state: State | None


class SipUser:
    """A user at the proxy of its home cluster."""

    def __init__(
        self,
        connection: SipConnection,
        node: NodeAddress,
        uri: str,
        clock: Deadline,
    ) -> None:
        self.node, self.clock = node, clock
        self.notices: list[PresenceNotice] = []
        self.route: list[str] = []
        self._connection = connection
        self._uri = f"sip:{check_address(uri)}"
        self._call, self._tag = secrets.token_hex(12), secrets.token_hex(8)
        self._number = 0
        self._remote_tag = self._target = self._etag = ""
        self._routes: list[str] = []

    async def subscribe(self, contact: str, expires: int = EXPIRES) -> int:
        """Subscribe to a user, or end the subscription with 0; give the status."""
        to = f"sip:{check_address(contact)}"
        headers = [
            ("Contact", self._contact()),
            ("Event", "presence"),
            ("Accept", "application/pidf+xml"),
            ("Expires", str(expires)),
        ]
        reply = await self._request("SUBSCRIBE", to, headers)
        if not self._target:
            self._begin_dialog(reply)
        return reply.status

    async def publish(self, state: State, expires: int = EXPIRES) -> None:
        """Publish a state of the user."""
        headers = [
            ("Event", "presence"),
            ("Expires", str(expires)),
            ("Content-Type", "application/pidf+xml"),
        ]
        if self._etag:
            headers.append(("SIP-If-Match", self._etag))
        body = write_pidf(self._uri.replace("sip:", "pres:", 1), state)
        reply = await self._request("PUBLISH", self._uri, headers, body)
        self._etag = reply.first("sip-etag")

    async def unpublish(self) -> None:
        """Take back what was published."""
        if self._etag:
            headers = [
                ("Event", "presence"),
                ("Expires", "0"),
                ("SIP-If-Match", self._etag),
            ]
            await self._request("PUBLISH", self._uri, headers)

    async def next_notice(self, clock: Deadline) -> PresenceNotice | None:
        """Wait for a NOTIFY; None when none came in time."""
        try:
            async with clock.limit():
                while not self.notices:
                    await self._take(await self._connection.receive())
        except TimeoutError:
            return None
        except OSError:
            with map_os_errors(self.node.name):
                raise
        return self.notices.pop(0)

    async def _request(
        self,
        method: str,
        to: str,
        headers: Sequence[tuple[str, str]],
        body: bytes = b"",
    ) -> SipMessage:
        """Send a request; answer one challenge, and another that says stale."""
        extra: list[tuple[str, str]] = []
        answered: set[str] = set()
        while True:
            reply = await self._exchange(method, to, [*headers, *extra], body)
            if reply.status == 423 and (longer := _least(reply, headers)):
                headers = longer
            elif reply.status in _CHALLENGES:
                extra = [self._credentials(reply, method, to, answered)]
            else:
                return self._accepted(reply)

    def _credentials(
        self, reply: SipMessage, method: str, to: str, answered: set[str]
    ) -> tuple[str, str]:
        """Answer a challenge; a second one must say that the first became stale."""
        name, header = _CHALLENGES[reply.status]
        challenge = next(filter(None, map(read_challenge, reply.all(name))), None)
        again = challenge and answered
        if (
            challenge is None
            or challenge.nonce in answered
            or (again and not challenge.stale)
            or len(answered) > 2
        ):
            raise PresenceError(PresenceCode.DIGEST, node=self.node.name)
        answered.add(challenge.nonce)
        in_dialog = method == "SUBSCRIBE" and self._target
        uri = self._target if in_dialog else to
        user, password = self.node.username, self.node.password
        return header, authorization_header(challenge, method, uri, user, password)

    def _accepted(self, reply: SipMessage) -> SipMessage:
        if 200 <= reply.status < 300:
            return reply
        code = _CODES.get(reply.status, PresenceCode.SIP_STATUS)
        detail = f"{reply.status} {reply.reason}".strip()
        raise PresenceError(code, node=self.node.name, detail=detail)

    async def _exchange(
        self,
        method: str,
        to: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
    ) -> SipMessage:
        """Send one request and wait for its final answer."""
        self._number += 1
        request = self._write(method, to, headers, body)
        key = (str(self._number), method)
        with map_os_errors(self.node.name):
            async with self.clock.limit():
                await self._connection.send(request)
                pauses = [*self._connection.pauses()]
                while True:
                    reply = await self._wait(key, pauses.pop(0) if pauses else None)
                    if reply:
                        return reply
                    await self._connection.send(request)

    async def _wait(
        self, key: tuple[str, str], pause: float | None
    ) -> SipMessage | None:
        """Give the final answer; None when it is time to send the request again."""
        timeout = asyncio.timeout(pause)
        try:
            async with timeout:
                while True:
                    message = await self._connection.receive()
                    if self._answers(message, key):
                        if message.status >= 200:
                            return message
                    else:
                        await self._take(message)
        except TimeoutError:
            if not timeout.expired():
                raise
            return None

    def _answers(self, message: SipMessage, key: tuple[str, str]) -> bool:
        own = message.first("call-id") == self._call
        return bool(message.status) and own and message.sequence == key

    async def _take(self, message: SipMessage) -> None:
        """Answer a NOTIFY of this dialog; refuse other requests."""
        if message.status or message.method == "ACK":
            return
        if message.method != "NOTIFY" or message.first("call-id") != self._call:
            await self._connection.send(
                answer_to(message, "481 Subscription does not exist")
            )
            return
        await self._connection.send(answer_to(message, "200 OK"))
        if not self._remote_tag:
            self._remote_tag = message.tag("from")
        self.notices.append(self._notice(message))

    def _notice(self, message: SipMessage) -> PresenceNotice:
        value = message.first("subscription-state").casefold()
        subscription, _, rest = value.partition(";")
        reason = next(
            (
                part.partition("=")[2].strip()
                for part in rest.split(";")
                if part.strip().startswith("reason")
            ),
            "",
        )
        pidf = "pidf+xml" in message.first("content-type").casefold()
        has_state = pidf and message.body.strip()
        state = read_pidf(message.body, self.node.name) if has_state else None
        return PresenceNotice(subscription.strip(), reason, state)

    def _begin_dialog(self, reply: SipMessage) -> None:
        """Keep where the dialog goes, and the path that the answer shows."""
        self._remote_tag = self._remote_tag or reply.tag("to")
        records = reply.listed("record-route")
        self._target = uri_of(reply.first("contact"))
        self._routes = records[::-1]
        self.route = [uri_of(one) for one in (reply.first("contact"), *records)]

    def _write(
        self,
        method: str,
        to: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
    ) -> bytes:
        in_dialog = method == "SUBSCRIBE" and bool(self._target)
        tag = f";tag={self._remote_tag}" if in_dialog and self._remote_tag else ""
        transport, branch = self._connection.transport, secrets.token_hex(8)
        lines = [
            (
                "Via",
                f"SIP/2.0/{transport} {self._here()};branch=z9hG4bK{branch};rport",
            ),
            ("Max-Forwards", "70"),
            *[("Route", one) for one in self._routes if in_dialog],
            ("From", f"<{self._uri}>;tag={self._tag}"),
            ("To", f"<{to}>{tag}"),
            ("Call-ID", self._call),
            ("CSeq", f"{self._number} {method}"),
            ("User-Agent", "cupadmin"),
            *headers,
        ]
        return write_message(
            f"{method} {self._target if in_dialog else to} SIP/2.0", lines, body
        )

    def _contact(self) -> str:
        user = self._uri.removeprefix("sip:").partition("@")[0]
        transport = self._connection.transport.lower()
        return f"<sip:{user}@{self._here()};transport={transport}>"

    def _here(self) -> str:
        host, port = self._connection.local
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _least(
    reply: SipMessage, headers: Sequence[tuple[str, str]]
) -> list[tuple[str, str]] | None:
    """Take the interval that a server wants at least, once and within reason."""
    least = reply.first("min-expires")
    requested = dict(headers).get("Expires", "")
    if not re.fullmatch(r"[0-9]{1,5}", least) or int(least) > _LONGEST_EXPIRES:
        return None
    if not requested.isdigit() or int(least) <= int(requested):
        return None
    return [(name, least if name == "Expires" else value) for name, value in headers]


def check_address(uri: str) -> str:
    """Give the address of a user, if it can stand in a SIP URI."""
    if not _USER.fullmatch(uri):
        raise PresenceError(PresenceCode.CONTACT, detail="not a SIP address")
    return uri
