"""Tables by the words of their heads: lists of entries and results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pages.document import Element, Page, Part, short_of
from pages.words import plain, words

_MOST_ROWS = 20_000
_MOST_SPAN = 50
_TABLES = ("table", "div", "section", "ul", "ol", "dl")
_ROLES = ("table", "grid", "treegrid")
_CELL_ROLES = ("cell", "gridcell", "columnheader", "rowheader")


@dataclass
class TableRow:
    """A row with its cells by the name of their column."""

    part: Part
    element: Element
    cells: dict[str, Element] = field(default_factory=dict)

    def text(self, column: str) -> str:
        cell = self.cells.get(column)
        return short_of(cell, 2000) if cell is not None else ""


@dataclass
class Table:
    part: Part
    element: Element
    rows: list[TableRow]
    head: Element
    columns: int = 0


def tables(
    page: Page, group: str, columns: Sequence[str], *, needed: Sequence[str]
) -> list[Table]:
    """Give the tables whose head has the needed columns, innermost ones only.

    Args:
        group: the group of pages.toml that names the columns.
    """
    found = []
    for part, element in page.elements(*_TABLES):
        if element.tag != "table" and element.get("role") not in _ROLES:
            continue
        for head in _own_rows(element):
            names = _columns(head, group, columns)
            if all(name in names.values() for name in needed):
                rows = _rows(part, element, head, names)
                found.append(Table(part, element, rows, head, len(names)))
                break
    return found


def _own_rows(table: Element) -> Iterator[Element]:
    """Give the rows of the table itself, not of one within it."""
    if table.tag != "table":
        yield from (one for one in table.iterdescendants() if one.get("role") == "row")
        return
    for row in table.iterchildren("tr", "thead", "tbody", "tfoot"):
        if row.tag == "tr":
            yield row
        else:
            yield from row.iterchildren("tr")


def cells_of(row: Element) -> list[Element]:
    if row.tag == "tr":
        return list(row.iterchildren("td", "th"))
    return [one for one in row.iterchildren() if one.get("role") in _CELL_ROLES]


def _columns(head: Element, group: str, columns: Sequence[str]) -> dict[int, str]:
    """Give the place of each known column in a row of heads."""
    found: dict[int, str] = {}
    place = 0
    for cell in cells_of(head):
        if next(cell.iter("input", "select", "textarea"), None) is not None:
            place += _span(cell)
            continue
        word = plain(short_of(cell))
        for name in columns:
            if word and word in words(group, name) and name not in found.values():
                found[place] = name
        place += _span(cell)
    return found


def _span(cell: Element) -> int:
    span = str(cell.get("colspan") or "1")
    return min(int(span), _MOST_SPAN) if span.isdecimal() and len(span) < 4 else 1


def _rows(
    part: Part, table: Element, head: Element, names: dict[int, str]
) -> list[TableRow]:
    ids = {
        str(cell.get("id")): names[place]
        for place, cell in _placed(head)
        if cell.get("id") and place in names
    }
    rows: list[TableRow] = []
    behind = False
    for element in _own_rows(table):
        if element is head:
            behind = True
            continue
        if behind and len(rows) < _MOST_ROWS:
            cells = _cells(element, names, ids)
            if cells:
                rows.append(TableRow(part, element, cells))
    return rows


def _placed(row: Element) -> Iterator[tuple[int, Element]]:
    place = 0
    for cell in cells_of(row):
        yield place, cell
        place += _span(cell)


def _cells(
    row: Element, names: dict[int, str], ids: dict[str, str]
) -> dict[str, Element]:
    """Give the cells by the heads that they name, else by their place."""
    found = {}
    for place, cell in _placed(row):
        texts = [
            ids[one] for one in str(cell.get("headers") or "").split() if one in ids
        ]
        name = texts[0] if texts else names.get(place)
        if name and name not in found:
            found[name] = cell
    return found
