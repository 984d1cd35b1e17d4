"""Active Notifications: what the product itself asks for, such as a restart."""

import re
from dataclasses import dataclass

from pages import tables
from pages.controls import Button, button_of
from pages.document import Page, short_of
from pages.visit import Visit
from pages.words import plain, words

_COUNT = re.compile(r"^\W*\d{0,4}\W*|\W*\d{0,4}\W*$")


@dataclass(frozen=True)
class PageNotice:
    """A line of the product's notifications, in its own words."""

    severity: str
    message: str


async def notices(visit: Visit) -> list[PageNotice]:
    """Read the notifications; without a link to them the product has none."""
    if visit.page is None:
        return []
    shown = _read_list(visit.page)
    link = _notices_link(visit.page)
    return shown if shown or link is None else _read_list(await visit.press(link))


def _notices_link(page: Page) -> Button | None:
    known = set(words("menu", "notifications"))
    for part, element in page.elements("a", "button"):
        texts = [short_of(element, 60), str(element.get("title") or "")]
        texts += [str(one.get("alt") or "") for one in element.iter("img")]
        if known & {plain(_COUNT.sub("", text)) for text in texts}:
            button = button_of(part, element)
            if button and button.usable and not button.form:
                return button
    return None


def _read_list(page: Page) -> list[PageNotice]:
    columns = ("severity", "message")
    return [
        PageNotice(row.text("severity")[:60], row.text("message")[:500])
        for table in tables.tables(page, "columns", columns, needed=columns)
        for row in table.rows
        if row.text("message")
    ]
