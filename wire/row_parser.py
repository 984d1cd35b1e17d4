"""The rows of an executeSQLQuery reply, as a stream that is never held whole."""

import re
from collections.abc import AsyncGenerator

from wire.errors import Code, WireError
from wire.http import Reply
from wire.limits import ConnectionAllowance
from wire.scrubbing import Scrubber
from wire.soap_faults import fault_error, read_fault
from wire.xml import (
    Element,
    SoapMessage,
    XmlStream,
    broken_message,
    local_name,
    text_of,
)

Row = dict[str, str | None]
Rows = AsyncGenerator[list[Row], None]

_END = "</row>"
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w{0,127}", re.ASCII)
_MAX_HELD = 256 * 1024
_MAX_MISSES = 100
_MAX_SHAPES = 100
_MAX_COLUMNS = 100
# What lxml may hold as a tree, at some 30 times its size.
_MAX_ROW = 2 * 1024 * 1024


async def read_rows(reply: Reply, node: str, allowance: ConnectionAllowance) -> Rows:
    """Give the rows piece by piece as they arrive.

    Raises:
        WireError: also in the middle, when the rest is cut off or broken.
    """
    reader = RowReader(node)
    async for chunk in reply.chunks(allowance):
        rows = reader.feed(chunk)
        allowance.take_rows(len(rows))
        if rows:
            yield rows
    rows = reader.close()
    allowance.take_rows(len(rows))
    if rows:
        yield rows


class RowReader:
    """Reads rows from pieces of a reply: all of them, or an error.

    Rows mostly look alike: flat, without attributes, references or comments. After
    lxml has read one to its end, those right behind it that repeat its shape to the
    character are taken by a regular expression, at several times the speed; anything
    that differs goes to lxml. The expression can match nothing that XML reads
    otherwise: it begins between two rows and admits no markup inside a column.

    A result that holds anything but rows, or a row that has text between its columns
    or a column twice, is what damage makes of rows: it is refused.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._scrubber = Scrubber()
        self._stream = XmlStream(node, ("{*}row", "{*}Fault"))
        self._held = ""
        self._shape: _Shape | None = None
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._misses = 0
        self._unread = 0

    def feed(self, data: bytes) -> list[Row]:
        text = self._held + self._scrubber.scrub(data)
        rows: list[Row] = []
        at = 0
        while self._misses < _MAX_MISSES:
            if self._shape:
                before, at = at, self._shape.take(text, at, rows)
                self._misses = 0 if at > before else self._misses
            end = text.find(_END, at) + len(_END)
            if end < len(_END):
                break
            self._read(text[at:end], rows)
            at = end
        self._held = text[at:]
        if len(self._held) > _MAX_HELD or self._misses >= _MAX_MISSES:
            self._read(self._held, rows)
            self._held, self._shape = "", None
        return rows

    def close(self) -> list[Row]:
        """Give the last rows, once it is certain that the message was complete."""
        rows: list[Row] = []
        self._read(self._held + self._scrubber.scrub(b"", final=True), rows)
        message = SoapMessage(self._stream.close(), self._node)
        if not message.name.endswith("Response"):
            raise self._not_soap(message.name)
        if [local_name(x) for x in message.content] != ["return"]:
            raise self._not_soap("no result")
        self._check_result(message.content[0])
        return rows

    def _read(self, text: str, rows: list[Row]) -> None:
        """Let lxml read; learn a shape if that ended just behind a row."""
        elements = list(self._stream.feed(text))
        found = [x for x in elements if self._is_row(x)]
        rows += map(self._row, found)
        self._shape = None
        self._unread = 0 if found else self._unread + len(text)
        if self._unread > _MAX_ROW:
            limit = f"A row of {self._node} exceeds {_MAX_ROW // 1024} KiB."
            raise WireError(Code.TOO_LARGE, limit)
        if found:
            if _ends_behind(elements, text):
                self._shape = self._shape_of(found[0])
            self._misses += 1
            self._forget(found[-1])

    def _is_row(self, element: Element) -> bool:
        """Tell a row of the result from a column or a fault."""
        parent = element.getparent()
        if parent is None:
            return False
        if local_name(element) == "row":
            # A column may be called so; one that has columns itself was a row.
            column = local_name(parent) == "row" and not len(element)
            if not column and local_name(parent) != "return":
                raise broken_message(self._node, "a row in another place")
            return not column
        if local_name(parent) == "Body":
            raise _fault(parent, self._node)
        return False

    def _row(self, element: Element) -> Row:
        cells = {_name(cell.tag): text_of(cell) for cell in element}
        if len(cells) != len(element):
            raise broken_message(self._node, "a column twice in a row")
        if any(map(_holds_text, (element.text, *(cell.tail for cell in element)))):
            raise broken_message(self._node, "text between columns")
        return cells

    def _shape_of(self, row: Element) -> "_Shape | None":
        """Give the shape of a row; each is made once, and not for every oddity."""
        tags = tuple(str(cell.tag) for cell in row)
        if tags not in self._shapes and len(self._shapes) < _MAX_SHAPES:
            flat = all(_PLAIN_NAME.fullmatch(tag) for tag in tags)
            if flat and row.tag == "row" and 0 < len(tags) <= _MAX_COLUMNS:
                self._shapes[tags] = _Shape(tags)
        return self._shapes.get(tags)

    def _forget(self, row: Element) -> None:
        """Free what was read, except the last, which the parser may still stand on."""
        parent = row.getparent()
        if parent is not None:
            self._check_result(parent)
            del parent[:-1]

    def _check_result(self, result: Element) -> None:
        if any(local_name(element) != "row" for element in result):
            raise broken_message(self._node, "something other than a row")

    def _not_soap(self, detail: str) -> WireError:
        return WireError(Code.NOT_SOAP, node=self._node, detail=detail)


class _Shape:
    """The columns of a flat row, and an expression for the rows that repeat it."""

    def __init__(self, tags: tuple[str, ...]) -> None:
        self._names = [tag.lower() for tag in tags]
        cells = (f"(?:<{x}>([^<&\r]+)</{x}>|<{x}/>|<{x}></{x}>)" for x in tags)
        # Nothing matches too, so that the search never goes on behind an odd row.
        self._pattern = re.compile(f"<row>{''.join(cells)}</row>|")

    def take(self, text: str, at: int, rows: list[Row]) -> int:
        """Add the rows that follow one another from a place; give where they end."""
        for match in self._pattern.finditer(text, at):
            if match.end() == at:
                break
            rows.append(dict(zip(self._names, match.groups(), strict=True)))
            at = match.end()
        return at


def _holds_text(text: str | None) -> bool:
    return bool(text and text.strip())


def _ends_behind(elements: list[Element], text: str) -> bool:
    """Tell that the last end tag in a text is the only row's own, not a quoted one."""
    plain = "<!" not in text and "<?" not in text
    return plain and len(elements) == 1 and text.endswith(_END)


def _name(tag: str | bytes | bytearray) -> str:
    return str(tag).rpartition("}")[2].lower()


def _fault(body: Element, node: str) -> WireError:
    envelope = body.getparent()
    fault = read_fault(SoapMessage(envelope, node)) if envelope is not None else None
    return fault_error(fault, node) if fault else WireError(Code.NOT_SOAP, node=node)
