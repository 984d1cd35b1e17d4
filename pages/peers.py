"""The inter-clustering pages: list, open, save and delete entries, read their status.

Every change is read before and read back after. What a page reports of a save is a
hint; what the list shows afterwards is the outcome.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pages import labels
from pages.changing import changing_button, save_button
from pages.controls import (
    Button,
    by_word,
    confirm_button,
    controls_of,
    need_button,
    options,
)
from pages.document import Page
from pages.errors import PageCode, PagesError
from pages.icons import IconKey, count_in
from pages.labels import LabelledField
from pages.messages import reported_error
from pages.peer_lists import (
    ListedPeer,
    clear_conditions,
    has_condition,
    has_password,
    has_rows_or_none,
    is_another_page,
    is_answer,
    is_list,
    is_peer,
    listed_in,
    next_page,
    pages_of,
    protocol_of,
    read_entry,
    total_of,
)
from pages.recognise import expect_page
from pages.status import StatusEntry, VendorTest, entries_of, tests_of
from pages.visit import Visit
from pages.words import contains_message, spelling
from wire import PeerEntry, PeerValues, plain_host

MOST_ENTRIES = 5000
_MOST_PAGES = 120
_FIND_SECONDS = 30.0
TROUBLESHOOTER_SECONDS = 150.0
_URL_SIZE = re.compile(r"rowsPerPage=(\d{1,5})", re.I)


@dataclass(frozen=True)
class PagesStatus:
    """What the pages show of an entry: its status panel and the user count."""

    seen_at: datetime
    entries: tuple[StatusEntry, ...] = ()
    associated_users: int | None = None


@dataclass(frozen=True)
class ReadEntry:
    """An entry with its status, read on one page."""

    entry: PeerEntry
    status: PagesStatus


class PeerPages:
    """Works on the entries of one cluster in one visit."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.key = IconKey()
        self._list: str = ""

    async def entries(self) -> list[ListedPeer]:
        """Read the whole list: Find without conditions, all of its pages."""
        page = await self._open_list()
        page = await self._find_all(page)
        found: dict[str, ListedPeer] = {}
        total = total_of(page)
        if not listed_in(page) and has_condition(page):
            # What an earlier search leaves out is not gone.
            raise self._error(PageCode.LIST, "a condition stays")
        for number in range(1, _MOST_PAGES):
            before = len(found)
            for one in listed_in(page):
                found.setdefault(one.link or one.address, one)
            onward = next_page(page, number)
            if onward is None or len(found) in (total, before):
                break
            page = await self._expect_list(await self.visit.press(onward))
        if total is None and pages_of(page) > number:
            raise self._error(PageCode.LIST, f"page {number} of {pages_of(page)}")
        if len(found) > MOST_ENTRIES or (total is not None and len(found) != total):
            detail = f"{len(found)} of {total if total is not None else 'many'} rows"
            raise self._error(PageCode.LIST, detail)
        return list(found.values())

    async def find(self, *addresses: str) -> PeerEntry | None:
        """Open the entry with one of the addresses; None when the list has none."""
        listed = await self._lookup(addresses)
        if listed is None:
            return None
        return read_entry(await self._open_entry(listed), listed.address)

    async def open_entry(self, address: str) -> Page:
        """Open the page of an entry.

        Raises:
            PagesError: NOT_SAVED, the list has no such entry.
        """
        listed = await self._lookup([address])
        if listed is None:
            raise self._error(PageCode.NOT_SAVED, "the entry has disappeared")
        return await self._open_entry(listed)

    async def show(self, listed: ListedPeer) -> ReadEntry:
        """Open an entry of the list and read it with its status."""
        page = await self._open_entry(listed)
        self.key.learn(page)
        return ReadEntry(read_entry(page, listed.address), self.status(page, listed))

    async def tests(self, seconds: float = TROUBLESHOOTER_SECONDS) -> list[VendorTest]:
        """Open the System Troubleshooter, which runs its tests, and read its rows."""
        page = await self.visit.go("diagnostics", "troubleshooter", seconds)
        self.key.learn(page)
        found = tests_of(page, self.key)
        if not found:
            expect_page(page, lambda one: bool(self.key.meanings), "the troubleshooter")
        return found

    def status(self, page: Page, listed: ListedPeer) -> PagesStatus:
        entries = tuple(entries_of(page, self.key))
        count = labels.value_beside(page, "associated_users")
        users = count_in(count) if count is not None else None
        users = listed.associated_users if users is None else users
        return PagesStatus(datetime.now(UTC), entries, users)

    async def save(
        self, address: str, values: PeerValues, *, existing: str | None
    ) -> None:
        """Add or change one entry, and press Save once.

        Args:
            existing: the address under which the list shows the entry; None to add.

        Raises:
            WireError: with `outcome_unknown` once the form was sent, whatever the
                answer was: only a read decides.
        """
        if values.password:
            self.visit.hide(values.password.reveal())
        page = await self._form_for(address, existing)
        await self._send(page, self._fill(page, address, values))

    async def _send(self, page: Page, fields: list[LabelledField]) -> None:
        self._check_form(page, fields)
        button = save_button(page, fields[0])
        answer = await self.visit.press(button, write=True)
        if problem := reported_error(answer, is_answer, before=page):
            problem.outcome_unknown = True
            self.visit.redact(problem)
            raise problem

    async def delete(self, address: str) -> None:
        """Delete one entry; the question whether it is meant is answered with yes."""
        listed = await self._lookup([address])
        if listed is None:
            return
        button = self._tick(listed)
        if button is None:
            page = await self._open_entry(listed)
            button = changing_button(page, "delete")
        answer = await self.visit.press(button, write=True, asks=True)
        answer = await self._confirmed(answer)
        if problem := reported_error(answer, is_answer):
            problem.outcome_unknown = True
            raise problem

    async def _confirmed(self, page: Page) -> Page:
        """Answer a page that asks once more; a list or a form of entries does not."""
        if box := confirm_button(page):
            return await self.visit.press(box, write=True, asks=True)
        if listed_in(page) or not contains_message(page.text[:20_000], "question"):
            return page
        if labels.find_field(page, "username"):
            return page
        found = [
            one
            for one in by_word(page, "confirm")
            if one.usable and one.form is not None
        ]
        if len(found) != 1:
            return page
        return await self.visit.press(found[0], write=True, asks=True)

    async def _open_list(self) -> Page:
        if not self._list:
            page = await self.visit.go("presence", "inter_clustering")
        else:
            page = await self.visit.open(self._list)
        page = expect_page(page, is_list, "the list of peers")
        self._list = page.target
        return page

    async def _find_all(self, page: Page) -> Page:
        """Search without a condition: an earlier search may still limit the list."""
        found = [one for one in by_word(page, "find") if one.form is not None]
        if not found:
            return await self._largest(page)
        button = need_button(page, "find")
        if button.form is not None:
            clear_conditions(button.part, button.form)
        page = await self.visit.press(button, seconds=_FIND_SECONDS)
        return await self._largest(await self._expect_list(page))

    async def _largest(self, page: Page) -> Page:
        """Have as many rows on a page as it offers, where addresses say how."""
        if next_page(page, 1) is None:
            return page
        offered: dict[int, str] = {}
        for part, select in page.elements("select"):
            for option in options(select):
                size = _URL_SIZE.search(str(option.get("value") or ""))
                if size:
                    offered[int(size[1])] = part.url(str(option.get("value")))
        if not offered:
            return page
        link = offered[max(offered)]
        return await self._expect_list(await self.visit.open(link))

    async def _expect_list(self, page: Page) -> Page:
        if is_another_page(page, has_rows_or_none) and by_word(page, "find"):
            raise self._error(PageCode.LABEL, spelling("labels", "address"))
        return expect_page(page, has_rows_or_none, "the list of peers")

    def _expect_peer(self, page: Page, what: str) -> Page:
        if is_another_page(page, is_peer):
            for name in ("address", "username", "protocol"):
                if labels.value_beside(page, name) is None and has_password(page):
                    raise self._error(PageCode.LABEL, spelling("labels", name))
        return expect_page(page, is_peer, what)

    async def _lookup(self, addresses: Sequence[str]) -> ListedPeer | None:
        wanted = {plain_host(address) for address in addresses if address}
        found = [x for x in await self.entries() if plain_host(x.address) in wanted]
        if len(found) > 1:
            raise self._error(PageCode.AMBIGUOUS, found[0].address)
        return found[0] if found else None

    async def _open_entry(self, listed: ListedPeer) -> Page:
        page = await self._press_entry(listed)
        page = self._expect_peer(page, "the peer page")
        address = plain_host(labels.value_beside(page, "address") or "")
        if address != plain_host(listed.address):
            raise self._error(PageCode.OTHER_NODE, "another entry")
        return page

    async def _press_entry(self, listed: ListedPeer) -> Page:
        if listed.link:
            return await self.visit.open(listed.link)
        page, row = self.visit.page, listed.row
        if page is None or row is None or row.part not in page.parts:
            # A button of a page that was left would send a token of the past.
            listed = await self._lookup([listed.address]) or listed
        if listed.button is None or not listed.button.usable:
            raise self._error(PageCode.SCRIPT, "the link of an entry")
        return await self.visit.press(listed.button)

    async def _form_for(self, address: str, existing: str | None) -> Page:
        listed = await self._lookup([existing or address])
        if existing is not None:
            if listed is None:
                raise self._error(PageCode.NOT_SAVED, "the entry has disappeared")
            return await self._open_entry(listed)
        if listed is not None:
            raise self._error(PageCode.DUPLICATE, address)
        page = self.visit.page
        if page is None or not by_word(page, "add"):
            page = await self._open_list()
        page = await self.visit.press(changing_button(page, "add"))
        page = self._expect_peer(page, "the page of a new peer")
        if (labels.value_beside(page, "address") or "").strip():
            raise self._error(PageCode.OTHER_NODE, "a page that is not empty")
        return page

    def _fill(
        self, page: Page, address: str, values: PeerValues
    ) -> list[LabelledField]:
        """Enter what differs; a password only when it shall be set."""
        filled = [
            self._enter(page, "address", address),
            self._enter(page, "username", values.username),
            self._enter(page, "protocol", values.protocol),
        ]
        mask = labels.find_field(page, "mask")
        if mask is not None:
            filled.append(self._enter(page, "mask", values.external_phone_number_mask))
        elif values.external_phone_number_mask:
            raise self._error(PageCode.LABEL, spelling("labels", "mask"))
        password, again = (
            labels.need_field(page, "password"),
            labels.find_field(page, "confirm_password"),
        )
        secrets = [password, *([again] if again else [])]
        if values.password is not None:
            for one in secrets:
                self._fill_one(one, values.password.reveal())
        return [*filled, *secrets]

    def _enter(self, page: Page, name: str, value: str) -> LabelledField:
        field = labels.need_field(page, name)
        same = (
            protocol_of(field.value) == value
            if name == "protocol"
            else (field.value.strip() == value)
        )
        if not same:
            self._fill_one(field, value)
        return field

    def _fill_one(self, field: LabelledField, value: str) -> None:
        if not field.writable:
            raise self._error(PageCode.READ_ONLY, spelling("labels", field.name))
        if not field.fill(value):
            detail = f"{spelling('labels', field.name)} does not take the value"
            raise self._error(PageCode.REFUSED, detail)

    def _check_form(self, page: Page, fields: list[LabelledField]) -> None:
        for label in labels.starred_labels(page, fields):
            raise self._error(PageCode.REQUIRED, label)
        if page.alerts:
            raise self._error(PageCode.QUESTION, page.alerts[0])

    def _tick(self, listed: ListedPeer) -> Button | None:
        """Tick the row of an entry and give the button that deletes what is ticked."""
        page, row = self.visit.page, listed.row
        if page is None or row is None or row.part not in page.parts:
            return None
        boxes = [
            one
            for one in row.element.iter("input")
            if str(one.get("type") or "").lower() == "checkbox"
        ]
        found = [one for one in by_word(page, "delete_selected") if one.usable]
        found = [one for one in found if one.form is not None]
        if len(boxes) != 1 or not found:
            return None
        form = found[0].form
        if form is None or boxes[0] not in controls_of(row.part, form):
            return None
        for box in controls_of(row.part, form):
            if str(box.get("type") or "").lower() == "checkbox":
                box.attrib.pop("checked", "")
        boxes[0].set("checked", "checked")
        return found[0]

    def _error(self, code: PageCode, detail: str = "") -> PagesError:
        return PagesError(code, node=self.visit.node.name, detail=detail)
