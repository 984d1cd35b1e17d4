"""A login at one node: its connections, its cookie, its credentials."""

import base64
import re
from types import TracebackType
from typing import Self

from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.http import Connection, Headers, Reply
from wire.node import NodeAddress
from wire.tls import Certificate, Handshake, read_certificate

# What a node may answer to a login that it has forgotten.
_STALE = frozenset({301, 302, 303, 307, 401, 403, 404})
_COOKIES = ("JSESSIONIDSSO", "JSESSIONID")
_COOKIE = re.compile(r"\s*([A-Za-z]+)=\"?([\w.+/=!-]{1,512})\"?\s*(?:;|\Z)")


class Closing:
    """Closes what it holds at the end of an `async with`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        raise NotImplementedError


class Session(Closing):
    """Posts SOAP to a node and reuses what a conversation leaves behind.

    AXL and Control Center of a node may share one, at the same time too.
    """

    def __init__(self, node: NodeAddress) -> None:
        self.node = node
        self.handshake: Handshake | None = None
        self._cookies: dict[str, str] = {}
        self._connections: list[Connection] = []

    def close(self) -> None:
        while self._connections:
            self._connections.pop().close()

    def certificate(self) -> Certificate | None:
        """Give the certificate of the last connection that was opened, if any was."""
        if self.handshake is None:
            return None
        return read_certificate(self.handshake, self.node.name)

    async def post(
        self,
        path: str,
        body: bytes,
        action: str,
        clock: Deadline,
        *,
        fresh: bool = False,
    ) -> Reply:
        """Post a message; log in again when the session has gone stale.

        Args:
            fresh: it is a write, use a new connection: on one that the node may be
                closing at this moment nobody could tell whether it arrived.
        """
        reply = await self._exchange(path, body, action, clock, fresh)
        if reply.status in _STALE and "JSESSIONIDSSO" in self._cookies:
            reply.discard()
            self._cookies.clear()
            reply = await self._exchange(path, body, action, clock, fresh)
        self._remember_cookies(reply)
        return reply

    async def _exchange(
        self, path: str, body: bytes, action: str, clock: Deadline, fresh: bool
    ) -> Reply:
        headers = self._headers(body, action)
        idle = None if fresh else self._idle()
        if idle:
            try:
                return await idle.send("POST", path, headers, body, clock)
            except WireError as error:
                # The node closed the idle connection: not an answer to the request.
                if error.code is not Code.CLOSED:
                    raise
        connection = await Connection.open(self.node, self.node.axl_port, clock)
        self._connections.append(connection)
        self.handshake = connection.handshake
        try:
            return await connection.send("POST", path, headers, body, clock)
        except WireError as error:
            error.outcome_unknown = fresh
            raise

    def _idle(self) -> Connection | None:
        """Take a connection that may be used again; forget those that are spent."""
        found = None
        for connection in list(self._connections):
            if connection.spent:
                self._connections.remove(connection)
                connection.close()
            elif found is None and connection.recycle():
                found = connection
        return found

    def _headers(self, body: bytes, action: str) -> Headers:
        node = self.node
        host = f"[{node.address}]" if ":" in node.address else node.address
        return [
            ("Host", f"{host}:{node.axl_port}"),
            ("User-Agent", "cupadmin"),
            ("Accept-Encoding", "identity"),
            ("Content-Type", "text/xml; charset=utf-8"),
            ("SOAPAction", f'"{action}"'),
            ("Content-Length", str(len(body))),
            self._credentials(),
        ]

    def _credentials(self) -> tuple[str, str]:
        if "JSESSIONIDSSO" in self._cookies:
            pairs = (f"{name}={value}" for name, value in self._cookies.items())
            return "Cookie", "; ".join(pairs)
        if ":" in self.node.username:
            raise WireError(Code.VALUE, "A user name cannot contain a colon.")
        pair = f"{self.node.username}:{self.node.password.reveal()}"
        token = base64.b64encode(pair.encode(errors="replace")).decode()
        return "Authorization", f"Basic {token}"

    def _remember_cookies(self, reply: Reply) -> None:
        if reply.status != 200:
            return
        for line in reply.all("set-cookie"):
            cookie = _COOKIE.match(line)
            if cookie and cookie[1] in _COOKIES:
                self._cookies[cookie[1]] = cookie[2]
