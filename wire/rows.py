"""The rows of an executeSQLQuery reply, as a stream that is never held whole."""

from collections.abc import AsyncGenerator, Iterable

from wire.errors import Code, WireError
from wire.faults import fault_error, read_fault
from wire.http import Reply
from wire.xml import Element, Message, XmlStream, local_name

Row = dict[str, str | None]
Rows = AsyncGenerator[list[Row], None]


class _Names(dict[str, str]):
    """Column names in lower case and without namespace, each made once."""

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag.rpartition("}")[2].lower()
        return name


async def read_rows(reply: Reply, node: str, cap: int) -> Rows:
    """Give the rows piece by piece as they arrive.

    Raises:
        WireError: also in the middle, when the rest is cut off or broken.
    """
    stream = XmlStream(node, ("{*}row", "{*}Fault"))
    names = _Names()
    async for chunk in reply.chunks(cap):
        rows = _rows(stream.feed(chunk), names, node)
        if rows:
            yield rows
    root = stream.close()
    message = Message(root, node)
    if not message.name.endswith("Response"):
        raise WireError(Code.NOT_SOAP, node=node, detail=message.name)


def _rows(elements: Iterable[Element], names: _Names, node: str) -> list[Row]:
    rows: list[Row] = []
    last: Element | None = None
    for element in elements:
        parent = element.getparent()
        if parent is None:
            continue
        if element.tag == "row" or local_name(element) == "row":
            # A column may be called row as well.
            if local_name(parent) == "return":
                rows.append({names[column.tag]: column.text for column in element})
                last = element
        elif local_name(parent) == "Body":
            raise _fault(parent, node)
    _forget(last)
    return rows


def _forget(row: Element | None) -> None:
    """Free what was read, except the last, which the parser may still stand on."""
    parent = None if row is None else row.getparent()
    if parent is not None:
        del parent[:-1]


def _fault(body: Element, node: str) -> WireError:
    envelope = body.getparent()
    fault = read_fault(Message(envelope, node)) if envelope is not None else None
    return fault_error(fault, node) if fault else WireError(Code.NOT_SOAP, node=node)
