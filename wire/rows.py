"""The rows of an executeSQLQuery reply, as a stream that is never held whole."""

import re
from collections.abc import AsyncGenerator

from wire.errors import Code, WireError
from wire.faults import fault_error, read_fault
from wire.http import Reply
from wire.xml import Element, Message, Scrubber, XmlStream, local_name

Row = dict[str, str | None]
Rows = AsyncGenerator[list[Row], None]

_END = "</row>"
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w{0,127}", re.ASCII)
_MAX_HELD = 256 * 1024
_MAX_MISSES = 100


async def read_rows(reply: Reply, node: str, cap: int) -> Rows:
    """Give the rows piece by piece as they arrive.

    Raises:
        WireError: also in the middle, when the rest is cut off or broken.
    """
    reader = RowReader(node)
    async for chunk in reply.chunks(cap):
        rows = reader.feed(chunk)
        if rows:
            yield rows
    rows = reader.close()
    if rows:
        yield rows


class RowReader:
    """Reads rows from pieces of a reply.

    Rows mostly look alike: flat, without attributes, references or comments. After
    lxml has read one to its end, those right behind it that repeat its shape to the
    character are taken by a regular expression, at several times the speed; anything
    that differs goes to lxml. The expression can match nothing that XML reads
    otherwise: it begins between two rows and admits no markup inside a column.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._scrubber = Scrubber()
        self._stream = XmlStream(node, ("{*}row", "{*}Fault"))
        self._held = ""
        self._shape: _Shape | None = None
        self._misses = 0

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
        message = Message(self._stream.close(), self._node)
        if not message.name.endswith("Response"):
            raise WireError(Code.NOT_SOAP, node=self._node, detail=message.name)
        return rows

    def _read(self, text: str, rows: list[Row]) -> None:
        """Let lxml read; learn a shape if that ended just behind a row."""
        elements = list(self._stream.feed(text))
        found = [x for x in elements if self._is_row(x)]
        rows += [{_name(cell.tag): cell.text for cell in row} for row in found]
        self._shape = None
        if found:
            if _ends_behind(elements, text):
                self._shape = _Shape.of(found[0])
            self._misses += 1
            _forget(found[-1])

    def _is_row(self, element: Element) -> bool:
        """Tell a row of the result from a column or a fault."""
        parent = element.getparent()
        if parent is None:
            return False
        if local_name(element) == "row":
            return local_name(parent) == "return"
        if local_name(parent) == "Body":
            raise _fault(parent, self._node)
        return False


class _Shape:
    """The columns of a flat row, and an expression for the rows that repeat it."""

    def __init__(self, tags: tuple[str, ...]) -> None:
        self._names = [tag.lower() for tag in tags]
        cells = (f"(?:<{x}>([^<&\r]+)</{x}>|<{x}/>|<{x}></{x}>)" for x in tags)
        self._pattern = re.compile(f"<row>{''.join(cells)}</row>")

    @classmethod
    def of(cls, row: Element) -> "_Shape | None":
        tags = tuple(str(cell.tag) for cell in row)
        flat = all(_PLAIN_NAME.fullmatch(tag) for tag in tags)
        return cls(tags) if flat and tags and row.tag == "row" else None

    def take(self, text: str, at: int, rows: list[Row]) -> int:
        """Add the rows that follow one another from a place; give where they end."""
        for match in self._pattern.finditer(text, at):
            if match.start() != at:
                break
            rows.append(dict(zip(self._names, match.groups(), strict=True)))
            at = match.end()
        return at


def _ends_behind(elements: list[Element], text: str) -> bool:
    """Tell that the last end tag in a text is the only row's own, not a quoted one."""
    plain = "<!" not in text and "<?" not in text
    return plain and len(elements) == 1 and text.endswith(_END)


def _name(tag: str | bytes | bytearray) -> str:
    return str(tag).rpartition("}")[2].lower()


def _forget(row: Element) -> None:
    """Free what was read, except the last, which the parser may still stand on."""
    parent = row.getparent()
    if parent is not None:
        del parent[:-1]


def _fault(body: Element, node: str) -> WireError:
    envelope = body.getparent()
    fault = read_fault(Message(envelope, node)) if envelope is not None else None
    return fault_error(fault, node) if fault else WireError(Code.NOT_SOAP, node=node)
