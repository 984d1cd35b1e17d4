"""One visit to the pages of a node: sign in once, work on one page at a time, sign out.

Who makes a visit holds the lease of its account and node: a second window would make
the tokens of the first one void.
"""

import contextlib
import re
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pages import menu
from pages.browser import PAGE_DEADLINE, Browser
from pages.chromium import Chromium, chromium_path
from pages.controls import (
    Button,
    by_word,
    controls_of,
    data_of,
    link_of,
    names_of,
    submit_buttons,
)
from pages.document import Element, Page, Part
from pages.errors import PageCode, PagesError
from pages.labels import accessible_names, is_field
from pages.messages import messages
from pages.recognise import (
    expect_page,
    is_other_language,
    orphan_password,
    sends_to_provider,
    sign_in_form,
    signed_in,
    unexpected_page,
)
from pages.words import contains_message, plain, words
from wire import Deadline, NodeAddress, WireError

VISIT_DEADLINE = 180.0
_SIGN_OUT = 10.0
_MOST_BANNERS = 2
_SIGN_OUT_LINK = re.compile(r"\b(log-?o(ut|ff)|sign-?out)\b", re.I)


class Visit:
    """Pages of the administration, signed in to.

    Args:
        node: the publisher, with the account of the pages.
        path: where the administration is on the node.
        others: names and addresses of other nodes, whose pages are not wanted.
    """

    def __init__(
        self,
        node: NodeAddress,
        port: int,
        path: str,
        *,
        deadline: float = VISIT_DEADLINE,
        others: Sequence[str] = (),
    ) -> None:
        self.node = node
        self.clock = Deadline(deadline)
        self.browser = Browser(node, port, self.clock, others)
        self.browser.runs_scripts = bool(chromium_path())
        self._chromium = Chromium(self.browser)
        # Whether the button that was pressed last has asked the node for anything.
        self.sent = False
        self.page: Page | None = None
        self._home: Page | None = None
        self._path = path
        self._secrets = [node.password.reveal()]

    async def __aenter__(self) -> Self:
        if not (self.node.username and self.node.password):
            raise PagesError(PageCode.ACCOUNT, node=self.node.name)
        try:
            await self._sign_in()
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                await self._chromium.close()
            finally:
                await self._sign_out()
        finally:
            if isinstance(error, WireError):
                self.redact(error)

    def hide(self, secret: str) -> None:
        """Keep a further password out of all errors of this visit."""
        self._secrets.append(secret)

    def redact(self, error: WireError) -> None:
        """Take passwords out of what a page says: it may repeat what was sent."""
        for secret in self._secrets:
            error.forget(secret)

    async def open(self, link: str, seconds: float = PAGE_DEADLINE) -> Page:
        return self._seen(await self.browser.get(link, seconds))

    def _seen(self, page: Page) -> Page:
        """Keep the frames of menu and header beside what the content frame shows."""
        if self._home and len(self._home.parts) > 1 and not sign_in_form(page):
            known = {part.target for part in page.parts}
            own = [*self._home.parts[1:]]
            page.parts += [x for x in own if x.target not in known and _frames(x)]
        self.page = page
        return page

    async def press(
        self,
        button: Button,
        *,
        write: bool = False,
        asks: bool = False,
        seconds: float = PAGE_DEADLINE,
    ) -> Page:
        """Press a button or follow a link.

        Args:
            write: it changes something on the cluster.
            asks: a question is expected and answered with yes.
        """
        if button.asks and not asks:
            detail = next(iter(names_of(button.element)), "")
            raise PagesError(PageCode.QUESTION, node=self.node.name, detail=detail)
        if button.scripted or self._is_live(button):
            page = await self._by_script(button, write, asks, seconds)
            self.sent = self._chromium.sent
            return self._seen(page)
        self.sent = True
        if button.form is None:
            return await self.open(button.part.url(button.link), seconds)
        return self._seen(await self._send(button, button.form, write, seconds))

    def _is_live(self, button: Button) -> bool:
        """Whether a form is in the window of Chromium, with what scripts put there."""
        page = self._chromium.page
        return (
            page is not None and button.form is not None and button.part in page.parts
        )

    async def _by_script(
        self, button: Button, write: bool, asks: bool, seconds: float
    ) -> Page:
        if self.page is None or not button.usable:
            detail = next(iter(names_of(button.element)), "")
            raise PagesError(PageCode.SCRIPT, node=self.node.name, detail=detail)
        clock = self.clock.at_most(seconds)
        return await self._chromium.press(
            self.page, button, write=write, asks=asks, clock=clock
        )

    async def _send(
        self, button: Button, form: Element, write: bool, seconds: float
    ) -> Page:
        part = button.part
        data = data_of(part, form, button.element, button.sets)
        destination = (
            button.action or button.element.get("formaction") or form.get("action")
        )
        target = part.url(str(destination or part.target))
        method = button.element.get("formmethod") or form.get("method") or "get"
        if method.lower() == "post":
            destination = button.element.get("formenctype") or form.get("enctype") or ""
            return await self.browser.post(
                target,
                data,
                charset=part.charset,
                multipart="multipart" in str(destination).lower(),
                write=write,
                seconds=seconds,
            )
        return await self.browser.get_form(target, data, part.charset, seconds)

    async def _sign_in(self) -> None:
        page = await self._entrance()
        if self.browser.authorised:
            self._check_signed_in(page)
            self.page = self._home = expect_page(page, signed_in, "the home page")
            return
        if orphan_password(page):
            raise PagesError(PageCode.SCRIPT, node=self.node.name, detail="sign-in")
        found = sign_in_form(page)
        if found is None:
            # A session of nobody is no session: the page must ask for a password.
            raise unexpected_page(page, "the sign-in page")
        page = await self._send_credentials(page, *found)
        page = await self._past_banners(page)
        self._check_signed_in(page)
        if not signed_in(page):
            page = await self._past_banners(await self.open(self._path))
            self._check_signed_in(page)
        self.page = self._home = expect_page(page, signed_in, "the home page")

    async def _entrance(self) -> Page:
        """Give the page that asks for the password, or the first one of all."""
        try:
            page = await self._past_banners(await self._front())
            if not sends_to_provider(page):
                return page
            raise PagesError(PageCode.SINGLE_SIGN_ON, node=self.node.name)
        except PagesError as error:
            if error.code is not PageCode.SINGLE_SIGN_ON:
                raise
            return await self._past_banners(await self._recovery(error))

    async def _recovery(self, single_sign_on: PagesError) -> Page:
        """Go around the identity provider, where the node's own first page offers it.

        The link is followed on the node alone; nothing was entered until here.
        """
        try:
            link = menu.recovery_link(await self.open("/"))
        except WireError:
            link = None
        if link is None:
            raise single_sign_on
        return await self.press(link)

    async def _front(self) -> Page:
        """Give the first page; where HTTP itself asks for the password, answer once."""
        page = await self.open(self._path)
        if self.browser.challenged:
            self.browser.authorise(self.node.username, self.node.password.reveal())
            page = await self.open(self._path)
            if self.browser.challenged:
                raise PagesError(PageCode.SIGN_IN, node=self.node.name)
        return page

    def _check_signed_in(self, page: Page) -> None:
        """Raise where the node did not accept the sign-in; it is not tried again."""
        text = page.text[:20_000]
        form = sign_in_form(page)
        if form and _signed_in_beside(page, form[0]):
            raise PagesError(PageCode.SESSION_ENDED, node=self.node.name)
        if form is None:
            limit = contains_message(text, "session_limit") and not signed_in(page)
            if limit or page.status >= 400:
                raise unexpected_page(page, "the home page")
            return
        messages_read = " ".join(messages(page))
        for message, code, where in (
            ("session_limit", PageCode.SESSION_LIMIT, text),
            ("locked", PageCode.LOCKED, text),
            ("denied", PageCode.DENIED, messages_read),
        ):
            if contains_message(where, message):
                raise PagesError(code, node=self.node.name)
        detail = next(iter(messages(page)), "")
        raise PagesError(PageCode.SIGN_IN, node=self.node.name, detail=detail)

    async def _send_credentials(self, page: Page, part: Part, form: Element) -> Page:
        fields = [one for one in controls_of(part, form) if _is_input(one)]
        secret = next(one for one in fields if _kind(one) == "password")
        self._user_field(fields).set("value", self.node.username)
        secret.set("value", self.node.password.reveal())
        for box in fields:
            if _kind(box) == "checkbox" and _acknowledges(part, box):
                box.set("checked", "checked")
        # The sign-in page may be in another language than the pages behind it.
        found = by_word(page, "sign_in", within=form) or submit_buttons(part, form)
        usable = [one for one in found if one.usable]
        if not usable:
            code = PageCode.SCRIPT if found else PageCode.LABEL
            code = PageCode.LANGUAGE if is_other_language(page) else code
            raise PagesError(code, node=self.node.name, detail="Login")
        return await self.press(usable[0])

    def _user_field(self, fields: Sequence[Element]) -> Element:
        texts = [one for one in fields if _kind(one) in ("", "text", "email")]
        named = [one for one in texts if one.get("name") == "j_username"]
        if len(named or texts) != 1:
            code = PageCode.AMBIGUOUS if texts else PageCode.LABEL
            raise PagesError(code, node=self.node.name, detail="the user name")
        return (named or texts)[0]

    async def _past_banners(self, page: Page) -> Page:
        """Acknowledge the message that an administrator put before the pages."""
        for _ in range(_MOST_BANNERS):
            if sign_in_form(page) or signed_in(page) or page.status >= 400:
                return page
            found = [one for one in by_word(page, "acknowledge") if one.usable]
            if not found:
                return page
            if is_other_language(page) or len(found) > 2:
                raise PagesError(PageCode.BANNER, node=self.node.name)
            for _, box in page.elements("input"):
                if _kind(box) == "checkbox" and is_field(box):
                    box.set("checked", "checked")
            page = await self.press(found[0])
        if sign_in_form(page) or signed_in(page):
            return page
        raise PagesError(PageCode.BANNER, node=self.node.name)

    async def go(self, top: str, name: str, seconds: float = PAGE_DEADLINE) -> Page:
        """Walk the menu: the entry itself, else by its heading."""
        page = self.page or await self.open(self._path)
        if not signed_in(page):
            raise unexpected_page(page, "a page with a menu")
        found = menu.menu_entry(page, top, name)
        if found is None and (heading := menu.top_link(page, top)):
            page = await self.press(heading)
            expect_page(page, signed_in, "a page with a menu")
            found = menu.menu_entry(page, top, name)
        if found is None:
            raise menu.missing_entry(page, top, name)
        return await self.press(found, seconds=seconds)

    async def _sign_out(self) -> None:
        """End the session, be it in the middle of anything; it may be over already."""
        clock, page = self.clock, self.page
        if page is not None and clock.remaining() < _SIGN_OUT:
            self.browser.extend(Deadline(_SIGN_OUT))
        try:
            with contextlib.suppress(WireError):
                if link := self._sign_out_link(page):
                    await self.browser.get(link, _SIGN_OUT)
                elif button := self._sign_out_button(page):
                    await self.press(button, seconds=_SIGN_OUT)
        finally:
            self.browser.close()

    def _sign_out_link(self, page: Page | None) -> str:
        for known in (page, self._home):
            for part, element in known.elements("a") if known else ():
                link = link_of(element, part)
                named = names_of(element) & set(words("buttons", "sign_out"))
                if link and (named or _SIGN_OUT_LINK.search(link)):
                    return part.url(link)
        return ""

    def _sign_out_button(self, page: Page | None) -> Button | None:
        found = by_word(page, "sign_out") if page else []
        return next((one for one in found if one.usable), None)


def _frames(part: Part) -> bool:
    """Whether a frame holds the menu or the header, and no content."""
    alone = Page("", 200, [part])
    return signed_in(alone) and not any(True for _ in alone.elements("form"))


def _signed_in_beside(page: Page, form: Part) -> bool:
    """Whether other frames than the one that asks for a password are signed in."""
    others = [part for part in page.parts if part is not form]
    return signed_in(Page(page.node, page.status, others))


def _is_input(control: Element) -> bool:
    return control.tag == "input" and is_field(control)


def _kind(control: Element) -> str:
    return str(control.get("type") or "").lower()


def _acknowledges(part: Part, box: Element) -> bool:
    names = [plain(text) for text in accessible_names(part, box)]
    names += [plain(box.tail or "")]
    every = ("accept", "agree", "acknowledge")
    return any(word in text for text in names for word in every)
