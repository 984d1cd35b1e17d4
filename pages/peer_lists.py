"""Recognising the list of peers and the page of one, and reading what they show."""

import re
from dataclasses import dataclass, field

from pages import labels, tables
from pages.controls import (
    Button,
    button_of,
    buttons,
    by_word,
    choose_option,
    controls_of,
    handler_of,
    names_of,
    options,
)
from pages.document import Element, Page, Part, short_of
from pages.errors import PageCode, PagesError
from pages.icons import count_in
from pages.labels import is_field
from pages.recognise import Known, is_other_language, sign_in_form, signed_in
from pages.words import contains_message, plain, words
from wire import PeerEntry
from wire.peer_table import PROTOCOLS

_COUNT = re.compile(r"\b\d{1,6}\s*(?:-|\u2013|to)\s*\d{1,6}\s+of\s+(\d{1,6})\b", re.I)
_PAGES = re.compile(r"\bpage\s+\d{1,4}\s+(?:of|/)\s+(\d{1,4})\b", re.I)
_FOUND = re.compile(
    r"\bfound\s+(\d{1,6})\b|\b(\d{1,6})\s+(?:[a-z]+\s+)?(?:records?|peers?|entries)\s+found",
    re.I,
)


@dataclass(frozen=True)
class ListedPeer:
    """An entry as the list shows it; `row` is valid until the next page is opened."""

    address: str
    link: str
    associated_users: int | None = None
    row: tables.TableRow | None = field(default=None, repr=False, compare=False)
    button: Button | None = field(default=None, repr=False, compare=False)


def is_another_page(page: Page, known: Known) -> bool:
    """Whether it is a page of the administration, but not the expected one."""
    unknown = page.status < 400 and signed_in(page) and not known(page)
    return unknown and not sign_in_form(page) and not is_other_language(page)


def has_password(page: Page) -> bool:
    return any(one.get("type") == "password" for _, one in page.elements("input"))


def is_list(page: Page) -> bool:
    if not signed_in(page):
        return False
    found = bool(peer_tables(page)) or bool(by_word(page, "find"))
    return found or (has_rows_or_none(page) and bool(by_word(page, "add")))


def has_rows_or_none(page: Page) -> bool:
    """Whether a list can be believed: it has rows, or says that it has none."""
    if not signed_in(page):
        return False
    found = peer_tables(page)
    return (
        bool(found)
        or contains_message(page.text[:20_000], "empty")
        or total_of(page) == 0
    )


def is_peer(page: Page) -> bool:
    return (
        signed_in(page)
        and (has_password(page) or not peer_tables(page))
        and labels.value_beside(page, "username") is not None
        and labels.value_beside(page, "address") is not None
        and labels.value_beside(page, "protocol") is not None
    )


def is_answer(page: Page) -> bool:
    return is_peer(page) or has_rows_or_none(page)


def peer_tables(page: Page) -> list[tables.Table]:
    columns = ("address", "associated_users", "username", "protocol")
    found = tables.tables(page, "labels", columns, needed=["address"])
    named = [
        one
        for one in found
        if plain(str(one.element.get("summary") or "")) == "findlisttableresult"
    ]
    return named or [one for one in found if not _is_form(one)]


def _is_form(table: tables.Table) -> bool:
    """Whether the heads are the labels of a form, or of the values of one entry."""
    cells = [row.cells["address"] for row in table.rows if "address" in row.cells]
    if any(is_field(one) for cell in cells for one in cell.iter("input")):
        return True
    if table.columns > 1 or next(table.head.iter("th"), None) is not None:
        return any(one.tag == "select" for one in table.head.iter("select"))
    return not any(_opener(row) for row in table.rows)


def listed_in(page: Page) -> list[ListedPeer]:
    return [
        one
        for table in peer_tables(page)
        for row in table.rows
        if (one := _entry_of(row)) is not None
    ]


def _entry_of(row: tables.TableRow) -> ListedPeer | None:
    address = row.text("address")
    if not address or "address" not in row.cells:
        return None
    button = _opener(row)
    if button is None and (" " in address or len(tables.cells_of(row.element)) < 2):
        # A row that speaks to the reader.
        return None
    link = row.part.url(button.link) if button and button.link else ""
    users = row.text("associated_users")
    return ListedPeer(address, link, count_in(users) if users else None, row, button)


def _opener(row: tables.TableRow) -> Button | None:
    """Give what opens the entry of a row: a link on its address, else its only link."""
    address = row.text("address")
    in_cell = row.cells["address"].iter("a", "button") if "address" in row.cells else ()
    for element in in_cell:
        if button := button_of(row.part, element):
            return button
    links = [
        one for one in row.element.iter("a") if one.get("href") or one.get("onclick")
    ]
    named = [one for one in links if short_of(one).casefold() == address.casefold()]
    opening = [one for one in links if names_of(one) & set(words("buttons", "open"))]
    for found in (named, opening, links):
        if len(found) == 1:
            return button_of(row.part, found[0])
    places = [row.cells["address"]] if "address" in row.cells else []
    clickable = (handler_of(row.part, one) for one in (*places, row.element))
    return next((one for one in clickable if one), None)


def total_of(page: Page) -> int | None:
    text = page.text[:20_000]
    if found := _COUNT.search(text):
        return int(found[1])
    if found := _FOUND.search(text):
        return int(found[1] or found[2])
    return None


def next_page(page: Page, number: int) -> Button | None:
    """Give what opens the page of the list behind the page with this number."""
    found = [one for one in by_word(page, "next") if not one.disabled]
    found = found or _numbered(page, number + 1)
    if found and not found[0].usable:
        raise PagesError(PageCode.SCRIPT, node=page.node, detail="Next")
    return found[0] if found else None


def _numbered(page: Page, number: int) -> list[Button]:
    """Give the links with the number of a page; a number in a row is a value."""
    rows = {row.element for table in peer_tables(page) for row in table.rows}
    found = [
        one
        for one in buttons(page, str(number))
        if not one.disabled and not rows & set(one.element.iterancestors("tr"))
    ]
    places = {one.part.url(one.link) if one.link else "" for one in found}
    return found if len(places) == 1 else []


def pages_of(page: Page) -> int:
    """Give how many pages a list says that it has, 1 where it says nothing."""
    found = _PAGES.search(page.text[:40_000])
    return int(found[1]) if found else 1


def clear_conditions(part: Part, form: Element) -> None:
    for control in controls_of(part, form):
        kind = str(control.get("type") or "").lower()
        if control.tag == "input" and kind in ("", "text", "search"):
            control.set("value", "")
        if control.tag == "select":
            _widest(control)


def has_condition(page: Page) -> bool:
    """Whether the search still has a value; a number is that of a page."""
    find = by_word(page, "find")
    form = find[0].form if len(find) == 1 else None
    return form is not None and any(
        control.tag == "input"
        and str(control.get("type") or "").lower() in ("", "text", "search")
        and not str(control.get("value") or "0").strip().isdigit()
        for control in controls_of(find[0].part, form)
    )


def _widest(select: Element) -> None:
    """Choose the operator that no value limits; "is exactly" nothing finds nothing."""
    for option in options(select):
        if plain(short_of(option)) in ("beginswith", "contains"):
            choose_option(select, option)
            return


def protocol_of(text: str) -> str:
    found = [one for one in re.findall(r"[A-Z]+", text.upper()) if one in PROTOCOLS]
    return found[0] if len(set(found)) == 1 else ""


def read_entry(page: Page, address: str) -> PeerEntry:
    """Read the values of an entry; its password is never shown."""
    protocol = labels.value_beside(page, "protocol") or ""
    secret = labels.find_field(page, "password")
    return PeerEntry(
        address=labels.value_beside(page, "address") or address,
        username=labels.value_beside(page, "username") or "",
        protocol=protocol_of(protocol),
        external_phone_number_mask=labels.value_beside(page, "mask") or "",
        protocol_raw=protocol,
        has_password=bool(secret and secret.value),
    )
