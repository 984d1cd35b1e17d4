"""The structure of the pages without their contents: what helps to correct words.

Kept are titles, headings, labels, column heads, words of menus and buttons, and names
of icons. Values, addresses, names and numbers are left out.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from pages.controls import by_word
from pages.document import Element, Page, is_hidden, short_of
from pages.labels import accessible_names, is_field
from pages.peers import PeerPages
from pages.recognise import headings
from wire import WireError
from wire.errors import clean_text

MOST_PARTS = 80
_PRIVATE = re.compile(
    r"@|\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}:[0-9a-f:]{2,}|\d{4,}|[0-9a-f]{8}-"
    r"|[\w-]\.[\w-]|\d{1,2}:\d{2}",
    re.I,
)
LEFT_OUT = "(left out)"
Hide = Callable[[str], str]


async def describe_pages(pages: PeerPages) -> list[dict[str, Any]]:
    """Walk to the peer pages and describe each; a page not found says why."""
    secrets = [pages.visit.node.username, pages.visit.node.name]
    secrets += [pages.visit.node.address]
    found: list[dict[str, Any]] = []
    listed = []

    def hide(text: str) -> str:
        return _without_values(text, secrets)

    def keep(name: str, problem: WireError | None = None) -> None:
        page = pages.visit.page
        described = structure(page, hide) if page else {}
        entry: dict[str, Any] = {}
        if problem:
            entry = {"problem": problem.message, "detail": hide(problem.detail)}
        found.append({"page": name, **entry, **described})

    keep("home")
    try:
        listed = await pages.entries()
        secrets += [one.address for one in listed]
        keep("list")
    except WireError as error:
        keep("list", error)
    if listed:
        try:
            await pages.show(listed[0])
            keep("peer")
        except WireError as error:
            keep("peer", error)
    try:
        await pages.tests()
        keep("troubleshooter")
    except WireError as error:
        keep("troubleshooter", error)
    return found


def structure(page: Page, hide: Hide) -> dict[str, Any]:
    fields = list(page.elements("input", "select", "textarea"))
    return {
        "headings": _texts(headings(page), hide),
        "menu": _texts(_words(page, "a"), hide),
        "labels": _texts(_labels(page, fields), hide),
        "columns": _texts(_words(page, "th"), hide),
        "buttons": _texts(_words(page, "button", "input"), hide),
        "icons": _texts(_icons(page), hide),
        "frames": len(page.parts) - 1,
        "language": page.language[:10],
        "has_save": bool(by_word(page, "save")),
    }


def _words(page: Page, *tags: str) -> Iterable[str]:
    for _, element in page.elements(*tags):
        kind = str(element.get("type") or "").lower()
        if element.tag == "input" and kind not in ("submit", "button", "image"):
            continue
        inside = any(True for _ in element.iterancestors("tr")) and element.tag == "a"
        if inside and _in_list(element):
            continue
        if text := short_of(element, 80) or _name_of(element):
            yield text


def _name_of(element: Element) -> str:
    """Give the word of a button without a text, as a person reads it."""
    named = (str(element.get(name) or "") for name in ("value", "alt", "title"))
    return next((text for text in named if text.strip()), "")


def _in_list(element: Element) -> bool:
    """Whether a link stands in a table with heads: it is a value there."""
    table = next(iter(element.iterancestors("table")), None)
    head = element.getparent()
    if table is None or (head is not None and head.tag == "th"):
        return False
    return next(table.iter("th"), None) is not None


def _labels(page: Page, fields: Iterable[tuple[Any, Element]]) -> Iterable[str]:
    for part, field in fields:
        if not is_field(field):
            continue
        name = next(iter(accessible_names(part, field)), "")
        cell = next(iter(field.iterancestors("td", "dd")), None)
        before = cell.getprevious() if cell is not None else None
        if not name and before is not None and not _has_value(before):
            name = short_of(before, 80)
        if name:
            yield name


def _has_value(cell: Element) -> bool:
    """Whether a cell is no label: nobody sees it, or it holds a field's values."""
    field = next(cell.iterdescendants("input", "select", "textarea"), None)
    return field is not None or is_hidden(cell)


def _icons(page: Page) -> Iterable[str]:
    for _, image in page.elements("img"):
        name = urlsplit(str(image.get("src") or "")).path.rpartition("/")[2]
        if name:
            alt = image.get("alt") or image.get("title") or ""
            yield f"{name} {alt}".strip()


def _texts(texts: Iterable[str], hide: Hide) -> list[str]:
    found: dict[str, None] = {}
    for text in texts:
        found[hide(clean_text(text, 100))] = None
        if len(found) >= MOST_PARTS:
            break
    return list(found)


def _without_values(text: str, secrets: Iterable[str]) -> str:
    folded = text.casefold()
    named = any(one and one.casefold() in folded for one in secrets)
    file = re.fullmatch(r"[\w-]+\.(?:gif|png|svg|jpe?g|ico)(?: [\w ]*)?", text)
    return LEFT_OUT if named or (_PRIVATE.search(text) and not file) else text
