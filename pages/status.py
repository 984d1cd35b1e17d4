"""The status panel of an entry, and the rows of the vendor's own troubleshooter."""

from collections.abc import Iterator
from dataclasses import dataclass

from pages import tables
from pages.document import Element, Page, Part, short_of
from pages.icons import HEADINGS, IconKey, IconOutcome, box_of, icons_in
from pages.words import plain, words

_MOST_ENTRIES = 60


@dataclass(frozen=True)
class StatusEntry:
    """A line of the status panel: its label, what its icon means, and its text."""

    label: str
    outcome: IconOutcome
    text: str


@dataclass(frozen=True)
class VendorTest:
    """A row of the System Troubleshooter page, in the vendor's words."""

    section: str
    description: str
    outcome: IconOutcome
    problem: str
    solution: str


def status_box(page: Page) -> tuple[Part, Element] | None:
    headings = set(words("headings", "peer_status"))
    for part, heading in page.elements(*HEADINGS):
        if plain(short_of(heading, 60)) in headings:
            box = box_of(heading)
            if box is not None:
                return part, box
    return None


def entries_of(page: Page, key: IconKey) -> Iterator[StatusEntry]:
    """Give the lines of the status panel; without an icon a line only informs."""
    found = status_box(page)
    if found is None:
        return
    part, box = found
    count = 0
    for cells in _lines(box):
        # The icon may stand before the label, beside the text or behind it.
        worded = [cell for cell in cells if short_of(cell, 500).strip(" *:\u00a0")]
        label = short_of(worded[0]).strip(" *:\u00a0") if worded else ""
        if not label or len(cells) < 2 or count >= _MOST_ENTRIES:
            continue
        outcomes = {key.outcome(part, cell) for cell in cells} - {None}
        outcome = IconOutcome.INFORMATION
        if outcomes:
            only = outcomes.pop()
            outcome = only if only and not outcomes else IconOutcome.UNKNOWN
        text = " ".join(filter(None, (short_of(cell, 500) for cell in worded[1:])))
        count += 1
        yield StatusEntry(label[:200], outcome, text[:500])


def _lines(box: Element) -> Iterator[list[Element]]:
    for row in box.iter("tr"):
        if next(row.iterdescendants("tr"), None) is None:
            cells = tables.cells_of(row)
            if len(cells) < 2 or any(one.tag == "td" for one in cells):
                yield cells
    for term in box.iter("dt"):
        after = term.getnext()
        if after is not None and after.tag == "dd":
            yield [term, after]
    if next(box.iter("tr", "dt"), None) is None:
        for line in box.iter("li", "div", "p"):
            if next(line.iterdescendants("li", "div", "p"), None) is None and len(line):
                yield list(line)


def tests_of(page: Page, key: IconKey) -> list[VendorTest]:
    """Read the troubleshooter's rows, section by section.

    A row whose icon the page's key does not explain is unknown.
    """
    columns = ("description", "outcome", "problem", "solution")
    found = []
    for table in tables.tables(
        page, "columns", columns, needed=["description", "outcome"]
    ):
        section = _section_before(table.element)
        for row in table.rows:
            description = row.text("description")
            if bar := _bar(row):
                section = bar
            elif description and plain(description) not in words(
                "columns", "description"
            ):
                found.append(_test_of_row(section, row, key))
    return found


def _test_of_row(section: str, row: tables.TableRow, key: IconKey) -> VendorTest:
    cell = row.cells.get("outcome")
    outcome = key.outcome(row.part, cell) if cell is not None else None
    return VendorTest(
        section,
        row.text("description")[:300],
        outcome or IconOutcome.UNKNOWN,
        row.text("problem")[:500],
        row.text("solution")[:500],
    )


def _bar(row: tables.TableRow) -> str:
    """Give the name of a section that stands in a row of its own."""
    cells = tables.cells_of(row.element)
    if len(cells) != 1 or any(True for _ in icons_in(row.part, cells[0])):
        return ""
    return short_of(cells[0])


def _section_before(table: Element) -> str:
    """Give the name above a table: its first bar, else the heading before it."""
    for row in table.iter("tr"):
        cells = tables.cells_of(row)
        if len(cells) == 1 and short_of(cells[0]):
            return short_of(cells[0])
        break
    box = next(iter(table.iterancestors("fieldset")), None)
    if box is not None:
        legend = next(box.iter("legend"), None)
        if legend is not None:
            return short_of(legend)
    before = table.getprevious()
    return short_of(before) if before is not None else ""
