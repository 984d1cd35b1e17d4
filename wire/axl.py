"""AXL: queries and updates of a cluster's database."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from wire import soap, sql
from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.http import MAX_BODY, Reply
from wire.interfaces import Interface
from wire.limits import Backoff, ConnectionAllowance, exclusive_turn
from wire.node import NodeAddress
from wire.platforms import profile_of
from wire.row_parser import Row, Rows, read_rows
from wire.session import Closing, Session
from wire.soap_faults import TooLarge, failure_of, read_message
from wire.sql import Query
from wire.versions import UNKNOWN_VERSION, next_version, supported_versions
from wire.xml import SoapMessage, count_of

_PATH = "/axl/"
_MAX_VERSION_PAGE = 65536
_LARGE = 16
DEADLINE = 30.0


class AxlClient(Closing):
    """A conversation with the AXL service of one node.

    Reads settle the AXL version and log in again; throttles are waited out. A write
    that may have happened is never sent again.

    Args:
        session: connections and login to share; its owner closes them.
        max_body: the cap on the decoded answer to one question, over all its pages; a
            large one may bring so many times as much.
        backoff: how to wait when the node asks for fewer requests.
    """

    def __init__(
        self,
        node: NodeAddress,
        *,
        session: Session | None = None,
        max_body: int = MAX_BODY,
        backoff: Backoff | None = None,
    ) -> None:
        self.node = node
        self.axl_version = node.axl_version
        self.date_offset: float | None = None
        self._session = session or Session(node)
        self._own_session = session is None
        self._max_body = max_body
        self._backoff = backoff or Backoff()
        self._settled = False

    def close(self) -> None:
        if self._own_session:
            self._session.close()

    async def probe(self, *, deadline: float = DEADLINE) -> int:
        """Count the publisher nodes: the Sync Agent's own first question to a peer."""
        text = sql.build_query("publisher_count").text
        message = await self._ask("executeSQLQuery", Deadline(deadline), sql=text)
        row = message.child(message.child(message.content, "return"), "row")
        count = "" if row is None else next(iter(message.texts(row).values()), "")
        return count_of(count, self.node.name)

    async def version(self, *, deadline: float = DEADLINE) -> str | None:
        """Give the product's version, or None where AXL does not tell it."""
        try:
            message = await self._ask("getCCMVersion", Deadline(deadline))
        except WireError as error:
            if error.code is Code.NOT_OFFERED:
                return None
            raise
        result = message.child(message.content, "return")
        component = message.child(result, "componentVersion")
        return message.text(component, "version") or None

    async def authenticates(
        self, userid: str, password: str, *, deadline: float = DEADLINE
    ) -> bool:
        """Ask the cluster whether an end user's password is right."""
        message = await self._ask(
            "doAuthenticateUser", Deadline(deadline), userid=userid, password=password
        )
        result = message.child(message.content, "return")
        return message.text(result, "userAuthenticated").lower() in ("true", "t", "1")

    async def rows(
        self, query: Query, *, deadline: float = DEADLINE
    ) -> AsyncGenerator[Row, None]:
        """Give the rows of a query, in pages where the node wants them.

        The deadline counts the time spent on the node; the caller's own work may add
        half of it.
        """
        async with aclosing(self.batches(query, deadline=deadline)) as batches:
            async for batch in batches:
                for row in batch:
                    yield row

    async def batches(self, query: Query, *, deadline: float = DEADLINE) -> Rows:
        """Give the rows of a query many at a time, as they arrive."""
        clock = Deadline(deadline)
        most = self._max_body * (_LARGE if query.large else 1)
        allowance = ConnectionAllowance(self.node.name, most, query.most)
        async with AsyncExitStack() as stack:
            if query.large:
                await stack.enter_async_context(self._turn("large", clock))
            try:
                page = self._page(query.whole, clock, allowance)
                async with aclosing(page) as batches:
                    async for batch in batches:
                        with clock.paused():
                            yield batch
                return
            except TooLarge as error:
                if not query.order_by:
                    raise
                size = (error.suggested or 1000) * 9 // 10
            if not query.large:
                await stack.enter_async_context(self._turn("large", clock))
            pages = self._pages(query, size, clock, allowance)
            async with aclosing(pages) as batches:
                async for batch in batches:
                    with clock.paused():
                        yield batch

    async def _pages(
        self, query: Query, size: int, clock: Deadline, allowance: ConnectionAllowance
    ) -> Rows:
        """Read page after page, each smaller if the node still finds it too large."""
        skip, count = 0, 0
        while count == 0 or count >= size:
            count = 0
            try:
                page = self._page(query.page(skip, max(size, 1)), clock, allowance)
                async with aclosing(page) as batches:
                    async for batch in batches:
                        count += len(batch)
                        yield batch
            except TooLarge as error:
                if size <= 1:
                    raise
                size = max(min(size // 2, error.suggested or size), 1)
                continue
            if count == 0:
                return
            skip += count

    async def _page(
        self, text: str, clock: Deadline, allowance: ConnectionAllowance
    ) -> Rows:
        reply = await self._read_reply("executeSQLQuery", clock, sql=text)
        async with aclosing(read_rows(reply, self.node.name, allowance)) as rows:
            async for batch in rows:
                yield batch

    async def write(self, query: Query, *, deadline: float = DEADLINE) -> int:
        """Send an update and give the number of rows it changed.

        A read goes before it, which settles version and login without risk. It is sent
        again only where the node refused it for its rate or its full queue.

        Raises:
            WireError: with `outcome_unknown` when the update may have happened.
        """
        clock = Deadline(deadline)
        async with self._turn("write", clock):
            if not self._settled:
                await self.probe(deadline=max(clock.remaining(), 0))
            version = self._version
            body = soap.build_envelope(
                "axl", "executeSQLUpdate", version, sql=query.whole
            )
            attempt = 0
            while True:
                try:
                    return await self._send_write(body, clock)
                except WireError as error:
                    refused = _told_without(error, query)
                    if refused.code is not Code.THROTTLED or refused.outcome_unknown:
                        raise refused from None
                await self._backoff.wait(attempt, clock, refused)
                attempt += 1

    async def _send_write(self, body: bytes, clock: Deadline) -> int:
        reply = await self._post(body, "executeSQLUpdate", clock, fresh=True)
        try:
            message = await read_message(
                reply, self.node.name, Interface.AXL, write=True
            )
            result = message.child(message.content, "return")
            count = message.number(result, "rowsUpdated")
            if count is None:
                raise WireError(Code.NOT_SOAP, node=self.node.name, detail="no count")
            return count
        except WireError as error:
            error.outcome_unknown = error.code not in _REFUSALS
            raise

    async def _ask(self, operation: str, clock: Deadline, **values: str) -> SoapMessage:
        reply = await self._read_reply(operation, clock, **values)
        return await read_message(reply, self.node.name, Interface.AXL)

    async def _read_reply(
        self, operation: str, clock: Deadline, **values: str
    ) -> Reply:
        """Post a read until the node takes it; give a reply that is no fault."""
        tried: list[str] = []
        attempt = 0
        while True:
            reply = await self._post(
                self._envelope(operation, values), operation, clock
            )
            if reply.status == 200:
                self.axl_version, self._settled = self._version, True
                return reply
            if reply.status == 599:
                tried.append(self._version)
                page = (await reply.read(_MAX_VERSION_PAGE)).decode("latin-1")
                self._choose_next_version(tried, page)
                continue
            error = await failure_of(reply, self.node.name, Interface.AXL)
            if error.code is not Code.THROTTLED and reply.status != 503:
                raise error
            await self._backoff.wait(attempt, clock, error)
            attempt += 1

    def _envelope(self, operation: str, values: dict[str, str]) -> bytes:
        if operation == "executeSQLQuery":
            return soap.build_request("axl", operation, self._version, **values)
        return soap.build_envelope("axl", operation, self._version, **values)

    async def _post(
        self, body: bytes, operation: str, clock: Deadline, *, fresh: bool = False
    ) -> Reply:
        action = f"CUCM:DB ver={self._version} {operation}"
        reply = await self._session.post(_PATH, body, action, clock, fresh=fresh)
        self._note_date(reply)
        return reply

    @property
    def _version(self) -> str:
        return self.axl_version or self._offers[0]

    @property
    def _offers(self) -> tuple[str, ...]:
        generation = self.node.generation
        return profile_of(generation).axl_versions if generation else UNKNOWN_VERSION

    def _choose_next_version(self, tried: list[str], page: str) -> None:
        version = next_version(tried, page, self._offers)
        if version is None or len(tried) > len(UNKNOWN_VERSION):
            named = ", ".join(supported_versions(page)) or "none named"
            raise WireError(
                Code.VERSION, node=self.node.name, detail=f"node supports: {named}"
            )
        self.axl_version = version

    def _note_date(self, reply: Reply) -> None:
        try:
            date = parsedate_to_datetime(reply.header("date"))
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        if date.tzinfo:
            self.date_offset = (date - datetime.now(UTC)).total_seconds()

    def _turn(self, kind: str, clock: Deadline) -> AbstractAsyncContextManager[None]:
        return exclusive_turn(f"{kind} {self.node.address}", self.node.name, clock)


_REFUSALS = frozenset(
    {
        Code.UNAUTHORIZED,
        Code.FORBIDDEN,
        Code.AXL_OFF,
        Code.NOT_OFFERED,
        Code.THROTTLED,
        Code.TOO_LARGE,
        Code.VERSION,
        Code.REDIRECT,
        Code.SINGLE_SIGN_ON,
        Code.FAULT,
    }
)


def _told_without(error: WireError, query: Query) -> WireError:
    """Keep a password out of the error when the node quotes the statement."""
    for secret in query.secrets:
        for form in (sql.sql_literal(secret.reveal()), secret.reveal()):
            error.forget(form)
    return error
