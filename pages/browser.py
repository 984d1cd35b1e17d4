"""HTTP with one node as a browser would do it: one page at a time, never off the node.

The pinned certificate is checked on each connection before a byte is sent. Nothing is
sent twice, but a GET whose idle connection the node had closed.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urljoin, urlsplit

from pages.cookies import Cookies
from pages.document import MOST_BYTES, MOST_FRAMES, MOST_SCRIPT, Page, Part, parse_page
from pages.errors import PageCode, PagesError
from pages.scripts import calls_missing
from wire import Code, Deadline, NodeAddress, WireError
from wire.host import parse_host
from wire.http import Connection, Headers, Reply

Fields = Sequence[tuple[str, str]]

PAGE_DEADLINE = 30.0
_MOST_REDIRECTS = 8
_MOST_PAGES = 400
MOST_FILES = 12
_REFRESH = re.compile(r"\s*0\s*;\s*url\s*=\s*['\"]?([^'\"\s]{1,500})", re.I)
# The sign-in below /ssosp/local/ is the node's own: the way around the provider.
_PROVIDER = re.compile(
    r"saml(request|response)=|/ssosp/(?!local/)|/adfs|/idp\b|oauth2?", re.I
)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Body:
    """What a form sends, and what kind it is."""

    data: bytes
    kind: str

    @property
    def text(self) -> str:
        return self.data.decode("ascii")


@dataclass(frozen=True)
class Answered:
    """What the node answered to a script, and from where in the end."""

    status: int
    kind: str
    data: bytes
    target: str


class Browser:
    """Fetches pages of one node.

    Args:
        others: names and addresses of the cluster's other nodes, where no page of
            this visit may come from.
    """

    def __init__(
        self,
        node: NodeAddress,
        port: int,
        clock: Deadline,
        others: Sequence[str] = (),
    ) -> None:
        self.node = node
        self.pages = 0
        self._port = port
        self._clock = clock
        self._others = {name.casefold() for name in others}
        self._cookies = Cookies()
        self._connection: Connection | None = None
        self._referer = ""
        # Whether a browser that runs scripts is at hand.
        self.runs_scripts = False
        self._files: dict[str, str] = {}
        self._authorisation = ""
        self.challenged = False

    @property
    def authorised(self) -> bool:
        """Whether HTTP itself has asked for the password and got it."""
        return bool(self._authorisation)

    def authorise(self, username: str, password: str) -> None:
        """Answer the Basic challenge of the node."""
        credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._authorisation = f"Basic {credentials}"

    def extend(self, clock: Deadline) -> None:
        """Go on under another deadline, to sign out after the first has passed."""
        self._clock = clock

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    async def get(self, target: str, seconds: float = PAGE_DEADLINE) -> Page:
        return await self._page("GET", self.local(target), None, seconds)

    async def get_form(
        self, target: str, fields: Fields, charset: str, seconds: float
    ) -> Page:
        """Send a form that asks: its fields replace the query of the address."""
        query = _urlencoded(fields, charset).text
        return await self.get(f"{target.partition('?')[0]}?{query}", seconds)

    async def post(
        self,
        target: str,
        fields: Fields,
        *,
        charset: str = "utf-8",
        multipart: bool = False,
        write: bool = False,
        seconds: float = PAGE_DEADLINE,
    ) -> Page:
        """Send a form once.

        Args:
            write: what follows decides whether it changed something: an error after
                the form was sent says `outcome_unknown`.
        """
        local = self.local(target)
        body = (
            _multipart(fields, charset) if multipart else _urlencoded(fields, charset)
        )
        try:
            return await self._page("POST", local, body, seconds)
        except WireError as error:
            error.outcome_unknown = error.outcome_unknown or (write and self._sent)
            raise

    _sent = False

    async def _page(
        self, method: str, target: str, body: Body | None, seconds: float
    ) -> Page:
        clock = self._clock.at_most(seconds)
        for _ in range(_MOST_REDIRECTS):
            page = await self._answer(method, target, body, clock)
            if isinstance(page, Page):
                self._referer = page.target
                return page
            method, target, body = "GET", page, None
        raise WireError(Code.REDIRECT, node=self.node.name, detail="without end")

    async def _answer(
        self, method: str, target: str, body: Body | None, clock: Deadline
    ) -> Page | str:
        """Give the page, or where the node sends on to."""
        reply = await self._send(method, target, body, clock)
        self._cookies.remember(reply.all("set-cookie"), target)
        if reply.status in _REDIRECTS and reply.header("location"):
            await self._drain(reply)
            return self.local(urljoin(target, reply.header("location")))
        page = await self._read(reply, target)
        if onward := _refresh(page):
            return self.local(urljoin(target, onward))
        await self._frames(page, clock)
        for part in page.parts:
            await self._scripts(part, clock)
        return page

    async def _scripts(self, part: Part, clock: Deadline) -> None:
        """Add the scripts in files of the node, where handlers need them."""
        handlers = (
            str(one.get(name) or "").strip()
            for one in part.elements()
            for name in ("href", "onclick")
        )
        if not part.sources or not calls_missing(handlers, part.scripts):
            return
        for source in part.sources[:MOST_FILES]:
            target = part.url(source)
            if target not in self._files:
                self._files[target] = await self._file(target, clock)
            part.scripts = f"{part.scripts}\n{self._files[target]}"[:MOST_SCRIPT]

    async def _file(self, target: str, clock: Deadline) -> str:
        try:
            reply = await self._send("GET", self.local(target), None, clock)
            body = await reply.read(MOST_SCRIPT)
        except WireError:
            return ""
        return body.decode("utf-8", "replace") if reply.status == 200 else ""

    async def _read(self, reply: Reply, target: str) -> Page:
        name = self.node.name
        kind = reply.header("content-type")
        if reply.status >= 500:
            reply.discard()
            detail = f"HTTP {reply.status}"
            raise WireError(Code.UNAVAILABLE, node=name, detail=detail)
        challenge = reply.header("www-authenticate").lower()
        self.challenged = reply.status == 401 and "basic" in challenge
        if self.challenged:
            reply.discard()
            return Page(name, 401, [parse_page(b"<p>401</p>", "", target, name)])
        if kind and "html" not in kind.lower():
            reply.discard()
            detail = "an answer that is not HTML"
            raise PagesError(PageCode.UNRECOGNISED, node=name, detail=detail)
        part = parse_page(await reply.read(MOST_BYTES), kind, target, name)
        part.runs_scripts = self.runs_scripts
        return Page(name, reply.status, [part])

    async def _frames(self, page: Page, clock: Deadline) -> None:
        """Add the frames of the node itself; a page within a page is not followed."""
        todo = [page.parts[0]]
        for part in todo:
            for frame in part.elements("frame", "iframe"):
                link = (frame.get("src") or "").strip()
                if not link or link.lower().startswith(("about:", "javascript:")):
                    continue
                if len(page.parts) > MOST_FRAMES:
                    return
                try:
                    target = self.local(part.url(link))
                except WireError:
                    continue
                found = await self._frame(target, clock)
                page.parts += found
                todo += found

    async def _frame(self, target: str, clock: Deadline) -> list[Part]:
        for _ in range(_MOST_REDIRECTS):
            reply = await self._send("GET", target, None, clock)
            self._cookies.remember(reply.all("set-cookie"), target)
            if reply.status in _REDIRECTS and reply.header("location"):
                await self._drain(reply)
                target = self.local(urljoin(target, reply.header("location")))
                continue
            return (await self._read(reply, target)).parts
        return []

    async def exchange(
        self,
        method: str,
        target: str,
        body: Body | None,
        more: Headers,
        clock: Deadline,
    ) -> "Answered":
        """Send what a script of the page asks for, and give the answer as it is."""
        for _ in range(_MOST_REDIRECTS):
            reply = await self._send(method, target, body, clock, more)
            self._cookies.remember(reply.all("set-cookie"), target)
            if reply.status in _REDIRECTS and reply.header("location"):
                await self._drain(reply)
                target = self.local(urljoin(target, reply.header("location")))
                method, body = "GET", None
                continue
            if reply.status >= 500:
                reply.discard()
                detail = f"HTTP {reply.status}"
                raise WireError(Code.UNAVAILABLE, node=self.node.name, detail=detail)
            data = await reply.read(MOST_BYTES)
            return Answered(reply.status, reply.header("content-type"), data, target)
        raise WireError(Code.REDIRECT, node=self.node.name, detail="without end")

    @property
    def origin(self) -> str:
        return f"https://{self._host()}"

    async def _send(
        self,
        method: str,
        target: str,
        body: Body | None,
        clock: Deadline,
        more: Sequence[tuple[str, str]] = (),
    ) -> Reply:
        self.pages += 1
        if self.pages > _MOST_PAGES:
            raise WireError(Code.TOO_LARGE, node=self.node.name, detail="pages")
        headers = [*self._headers(target, body), *more]
        self._sent = False
        old = self._connection
        if old and method == "GET" and not old.spent and old.recycle():
            try:
                return await old.send(method, target, headers, b"", clock)
            except WireError as error:
                if error.code is not Code.CLOSED:
                    raise
        self.close()
        self._connection = await Connection.open(self.node, self._port, clock)
        self._sent = True
        return await self._connection.send(
            method, target, headers, body.data if body else b"", clock
        )

    def _headers(self, target: str, body: Body | None) -> Headers:
        headers = [
            ("Host", self._host()),
            ("User-Agent", "cupadmin"),
            ("Accept", "text/html,application/xhtml+xml"),
            ("Accept-Language", "en"),
            ("Accept-Encoding", "identity"),
        ]
        if self.authorised:
            headers.append(("Authorization", self._authorisation))
        if cookies := self._cookies.header(target):
            headers.append(("Cookie", cookies))
        if self._referer:
            headers.append(("Referer", f"https://{self._host()}{self._referer}"))
        if body is not None:
            headers.append(("Content-Type", body.kind))
            headers.append(("Content-Length", str(len(body.data))))
            headers.append(("Origin", f"https://{self._host()}"))
        return headers

    def _host(self) -> str:
        address = self.node.address
        host = f"[{address}]" if ":" in address else address
        return host if self._port == 443 else f"{host}:{self._port}"

    def local(self, url: str) -> str:
        """Give the path of a URL of this node; refuse any other.

        The scheme and the port of a link are not followed: all goes over the one
        connection whose certificate was confirmed.
        """
        try:
            parts = urlsplit(url.strip())
            host = (parts.hostname or "").casefold()
        except ValueError:
            raise WireError(Code.REDIRECT, node=self.node.name) from None
        if parts.scheme not in ("", "http", "https"):
            raise WireError(Code.REDIRECT, node=self.node.name)
        if _PROVIDER.search(url):
            raise PagesError(PageCode.SINGLE_SIGN_ON, node=self.node.name)
        if host and host not in self._own_names():
            raise self._elsewhere(host)
        path = parts.path or "/"
        target = path + (f"?{parts.query}" if parts.query else "")
        return quote(target, safe="%/:=&?~+!$,;'@()*[]")

    def _own_names(self) -> set[str]:
        return {self.node.name.casefold(), self.node.address.casefold()}

    def _elsewhere(self, host: str) -> WireError:
        name = self.node.name
        if host in self._others:
            return PagesError(PageCode.OTHER_NODE, node=name, detail=host)
        try:
            short = parse_host(host).text.partition(".")[0]
        except WireError:
            short = ""
        if short and short == name.casefold().partition(".")[0]:
            return PagesError(PageCode.HOST, node=name, detail=host)
        return PagesError(PageCode.SINGLE_SIGN_ON, node=name, detail=host)

    async def _drain(self, reply: Reply) -> None:
        """Take the body of a redirection, so that its connection can be used again."""
        try:
            await reply.read(65536)
        except WireError:
            reply.discard()


def _urlencoded(fields: Fields, charset: str) -> Body:
    encoded = urlencode(list(fields), encoding=charset, errors="xmlcharrefreplace")
    return Body(encoded.encode("ascii"), "application/x-www-form-urlencoded")


def _multipart(fields: Fields, charset: str) -> Body:
    """Encode a form that could send files; none is ever chosen."""
    mark = f"----{secrets.token_hex(16)}"
    lines = []
    for name, value in fields:
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'Content-Disposition: form-data; name="{quoted}"'
        lines.append(f"--{mark}\r\n{head}\r\n\r\n{value}\r\n")
    encoded = "".join([*lines, f"--{mark}--\r\n"])
    data = encoded.encode(charset, "xmlcharrefreplace")
    return Body(data, f"multipart/form-data; boundary={mark}")


def _refresh(page: Page) -> str:
    """Give where a page without content leads at once."""
    if any(page.elements("form", "frame")):
        return ""
    for _, meta in page.elements("meta"):
        if (meta.get("http-equiv") or "").lower() == "refresh":
            found = _REFRESH.match(meta.get("content") or "")
            if found:
                return found[1]
    return ""
