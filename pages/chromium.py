"""Steps that need a script, in the system's Chromium.

Chromium shows the page as the node sent it, gets what was entered, and presses the
button. It reaches nothing itself: every request goes over the connection of the visit,
whose certificate is pinned. Nothing is recorded: no trace, no picture, no log.
"""

import asyncio
import os
import shutil
import time
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from pages.browser import Body, Browser
from pages.controls import Button, controls_of, selected_options, value_of_option
from pages.document import Element, Page, Part, parse_page, text_of
from pages.errors import PageCode, PagesError
from wire import Code, Deadline, WireError
from wire.errors import clean_text

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_ARGUMENTS = [
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    # What is not routed over the visit's connection ends nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--js-flags=--max-old-space-size=256",
]
# A page is at rest when it has asked for nothing for so long.
_QUIET = 0.8
_TICK = 0.05
_FAREWELL = 5.0
_LOADED = ("document", "script", "stylesheet", "xhr", "fetch")

_ENTER = """
(values) => {
  for (const one of values) {
    const same = [...document.querySelectorAll(one.tag)].filter(
      (e) => e.id === one.id && e.name === one.name && e.type === one.type);
    const e = same[one.place];
    if (!e || e.disabled) continue;
    if (one.checked !== null) {
      if (e.checked === one.checked) continue;
      e.checked = one.checked;
    } else {
      if (e.value === one.value) continue;
      e.value = one.value;
      e.dispatchEvent(new Event('input', { bubbles: true }));
    }
    e.dispatchEvent(new Event('change', { bubbles: true }));
  }
}
"""
_ASKING = ("document", "xhr", "fetch")
_PRESS = """
(button) => {
  const text = (e) => e.textContent.trim().replace(/\\s+/g, ' ');
  const same = [...document.querySelectorAll(button.tag)].filter(
    (e) => (e.id || '') === button.id && (e.getAttribute('name') || '') === button.name
      && text(e) === button.text && (e.getAttribute('value') || '') === button.value
      && (e.getAttribute('alt') || '') === button.alt);
  const e = same[button.place];
  if (!e) return false;
  setTimeout(() => e.click(), 0);
  return true;
}
"""
_SNAPSHOT = """
() => {
  const mark = 'data-out-of-sight';
  for (const e of document.querySelectorAll('input, select, textarea')) {
    if (e.tagName === 'SELECT') {
      for (const o of e.options) o.toggleAttribute('selected', o.selected);
    } else if (e.tagName === 'TEXTAREA') e.defaultValue = e.value;
    else if (e.type === 'checkbox' || e.type === 'radio')
      e.toggleAttribute('checked', e.checked);
    else if (e.type !== 'file') e.setAttribute('value', e.value);
  }
  const out = [...document.querySelectorAll('body *')].filter((e) => {
    const s = getComputedStyle(e);
    return s.display === 'none' || s.visibility === 'hidden'; });
  out.forEach((e) => e.setAttribute(mark, ''));
  const copy = document.documentElement.cloneNode(true);
  out.forEach((e) => e.removeAttribute(mark));
  copy.querySelectorAll('[' + mark + ']').forEach((e) => {
    e.removeAttribute(mark); e.setAttribute('hidden', ''); });
  return '<!doctype html>' + copy.outerHTML;
}
"""


def chromium_path() -> str:
    """Give where Chromium is; empty where it or Playwright is not installed."""
    if find_spec("playwright") is None:
        return ""
    return next((path for name in _NAMES if (path := shutil.which(name))), "")


class Chromium:
    """One window for one visit; it starts with the first step that needs it."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.page: Page | None = None
        self._playwright: Any = None
        self._running: Any = None
        self._tab: Any = None
        self._given: dict[str, bytes] = {}
        self._one_at_a_time = asyncio.Lock()
        self._open = 0
        self._last = 0.0
        self._asks = False
        self._wrote = False
        # Whether pressing has asked the node for anything but scripts and styles.
        self.sent = False
        self._error: WireError | None = None
        self._clock = Deadline(0)

    async def press(
        self, page: Page, button: Button, *, write: bool, asks: bool, clock: Deadline
    ) -> Page:
        """Press a button of a page, and give what is shown when it is at rest."""
        self._clock, self._asks = clock, asks
        self._error, self._wrote = None, False
        try:
            async with asyncio.timeout(clock.remaining()):
                return await self._pressed(page, button)
        except WireError as error:
            error.outcome_unknown = error.outcome_unknown or (write and self._wrote)
            raise
        except Exception as error:
            raise self._as_ours(error, write) from None

    def _as_ours(self, error: Exception, write: bool) -> WireError:
        """Give what the window could not do as an error of the visit."""
        from playwright.async_api import Error

        if isinstance(error, TimeoutError):
            found = WireError(Code.TIMEOUT, node=self.browser.node.name)
        elif isinstance(error, Error):
            # Its own words may repeat what the page holds.
            found = self._error or self._broken("Chromium ended or does not start")
        else:
            raise error
        found.outcome_unknown = write and self._wrote
        return found

    async def _pressed(self, page: Page, button: Button) -> Page:
        if page is not self.page:
            await self._load(page)
        frame = self._frame_of(button.part)
        if button.form is not None:
            controls = controls_of(button.part, button.form)
            await frame.evaluate(_ENTER, list(_states(button.part, controls)))
        await self._rest()
        self.sent = False
        if not await frame.evaluate(_PRESS, _signature(button)):
            raise self._broken("the button")
        await self._rest()
        self.page = await self._snapshot()
        return self.page

    async def _load(self, page: Page) -> None:
        await self._start()
        self._given = {part.target: part.source for part in page.parts if part.source}
        await self._tab.goto(self._url(page.target), wait_until="load")
        await self._rest()

    async def _start(self) -> None:
        if self._tab is not None:
            return
        # Optional: see requirements-pages.in.
        from playwright.async_api import async_playwright

        self._playwright = await async_playwright().start()
        self._running = await self._playwright.chromium.launch(
            executable_path=chromium_path(),
            args=_ARGUMENTS,
            # The sandbox refuses to work for root.
            chromium_sandbox=os.geteuid() != 0,
        )
        context = await self._running.new_context(service_workers="block")
        await context.route("**/*", self._answer)
        await context.route_web_socket("**/*", _refuse_socket)
        context.on("page", self._follow)
        self._follow(await context.new_page())

    def _follow(self, tab: Any) -> None:
        """Work on in the newest window."""
        if tab is not self._tab:
            self._tab = tab
            tab.on("dialog", self._dialog)

    async def _dialog(self, dialog: Any) -> None:
        """Accept what only informs; a question is answered where one is expected."""
        if dialog.type in ("alert", "beforeunload") or (
            dialog.type == "confirm" and self._asks
        ):
            await dialog.accept()
            return
        detail = clean_text(dialog.message, 300)
        name = self.browser.node.name
        self._error = PagesError(PageCode.QUESTION, node=name, detail=detail)
        await dialog.dismiss()

    async def _answer(self, route: Any) -> None:
        request = route.request
        self._open += 1
        try:
            async with self._one_at_a_time:
                await self._answered(route, request)
        except WireError as error:
            self._error = self._error or error
            await route.abort()
        finally:
            self._open -= 1
            self._last = time.monotonic()

    async def _answered(self, route: Any, request: Any) -> None:
        target = self.browser.local(request.url)
        page = request.is_navigation_request()
        if page and request.method == "GET" and target in self._given:
            source = self._given.pop(target)
            await route.fulfill(body=source, content_type="text/html")
            return
        if request.resource_type not in _LOADED:
            await route.abort()
            return
        data, kind = request.post_data_buffer, request.headers.get("content-type", "")
        body = Body(data or b"", kind) if request.method != "GET" else None
        self._wrote = self._wrote or body is not None
        self.sent = self.sent or request.resource_type in _ASKING
        more = [
            (name, value)
            for name, value in request.headers.items()
            if name.startswith("x-") or name == "accept"
        ]
        reply = await self.browser.exchange(
            request.method, target, body, more, self._clock
        )
        if page and reply.target != target:
            # The address in the window becomes the one that the node sent on to.
            self._given[reply.target] = reply.data
            onward = f'<meta http-equiv="refresh" content="0;url={reply.target}">'
            await route.fulfill(body=onward, content_type="text/html")
            return
        await route.fulfill(
            status=reply.status, body=reply.data, content_type=reply.kind or "text/html"
        )

    async def _rest(self) -> None:
        """Wait until the page asks for nothing more; what went wrong is raised."""
        started = time.monotonic()
        while self._open or time.monotonic() - max(self._last, started) < _QUIET:
            await asyncio.sleep(_TICK)
        if self._error:
            raise self._error

    async def _snapshot(self) -> Page:
        name = self.browser.node.name
        parts = []
        for frame in self._tab.frames:
            if not frame.url.startswith("https://"):
                continue
            markup = await frame.evaluate(_SNAPSHOT)
            target = self.browser.local(frame.url)
            part = parse_page(markup.encode(), "text/html; charset=utf-8", target, name)
            part.runs_scripts = True
            parts.append(part)
        if not parts:
            raise self._broken("an empty window")
        return Page(name, 200, parts)

    def _frame_of(self, part: Part) -> Any:
        for frame in self._tab.frames:
            if frame.url == self._url(part.target):
                return frame
        return self._tab.main_frame

    def _url(self, target: str) -> str:
        return f"{self.browser.origin}{target}"

    def _broken(self, detail: str) -> PagesError:
        return PagesError(PageCode.SCRIPT, node=self.browser.node.name, detail=detail)

    async def close(self) -> None:
        """End Chromium and all of its processes, whatever state they are in."""
        if self._playwright is None:
            return
        from playwright.async_api import Error

        with suppress(TimeoutError, Error):
            async with asyncio.timeout(_FAREWELL):
                if self._running is not None:
                    await self._running.close()
        with suppress(TimeoutError, Error):
            async with asyncio.timeout(_FAREWELL):
                await self._playwright.stop()
        self._running = self._playwright = self._tab = None


async def _refuse_socket(socket: Any) -> None:
    await socket.close()


def _states(part: Part, controls: list[Element]) -> Any:
    """Give what each field of a form shall hold, and which of its name it is."""
    seen: dict[tuple[str, ...], int] = {}
    known_ids = {id(one) for one in controls}
    for one in part.elements("input", "select", "textarea"):
        kind = _type_of(one)
        key = (one.tag, str(one.get("id") or ""), str(one.get("name") or ""), kind)
        place = seen.get(key, 0)
        seen[key] = place + 1
        if id(one) not in known_ids or kind in (
            "hidden",
            "submit",
            "button",
            "image",
            "file",
        ):
            continue
        ticks = kind in ("checkbox", "radio")
        yield {
            **dict(zip(("tag", "id", "name", "type"), key, strict=True)),
            "place": place,
            "checked": one.get("checked") is not None if ticks else None,
            "value": _value_of(one),
        }


def _type_of(control: Element) -> str:
    if control.tag == "select":
        return (
            "select-multiple" if control.get("multiple") is not None else "select-one"
        )
    if control.tag == "textarea":
        return "textarea"
    return str(control.get("type") or "text").lower()


def _value_of(control: Element) -> str:
    if control.tag == "textarea":
        return control.text or ""
    if control.tag == "select":
        return next((value_of_option(one) for one in selected_options(control)), "")
    return str(control.get("value") or "")


def _signature(button: Button) -> dict[str, Any]:
    element = button.element
    same = [
        one
        for one in button.part.elements(element.tag)
        if _appearance(one) == _appearance(element)
    ]
    return {
        "place": same.index(element),
        "tag": element.tag,
        **dict(_appearance(element)),
    }


def _appearance(element: Element) -> tuple[tuple[str, str], ...]:
    names = ("id", "name", "value", "alt")
    text = ("text", " ".join(text_of(element).split()))
    return (*((name, str(element.get(name) or "")) for name in names), text)
