"""CSV as spreadsheets of all countries write it: the text, its separator, its rows."""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from base.unreadable import Unreadable

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

# Those of UTF-32 first: one begins as that of UTF-16 does.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
BARE_UTF16 = re.compile(rb"(?:(\0[\t -~]){2}|([\t -~]\0){2})")
# A first line by which a spreadsheet is told the separator.
SEP_LINE = re.compile(r'\s*"?sep=([^\w"\r\n])"?[ \t,;|]*(?:\r\n?|\n|\Z)', re.I)
LINE_END = re.compile(r"\r\n?|\n")
NO_LETTER = re.compile(r"[\W_]+")
# A heading is not longer, however many columns there are.
HEADING = 65_536

REASONS = {
    "unexpected end of data": "a quotation mark is not closed",
    "expected after": "text follows a closing quotation mark",
    "field larger than": "a cell is too long, or a quotation mark is not closed",
}


def decode_text(content: bytes) -> str:
    """Return the text of a file.

    Raises:
        Unreadable: it is no text in UTF-8 or UTF-16.
    """
    if content.startswith(WORKBOOKS):
        raise Unreadable(
            "This is a workbook: save it as CSV UTF-8 and upload that.", "workbook"
        )
    codec, name = codec_of(content)
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(codec, "ignore")
        line = before.count("\n") + 1
        raise Unreadable(
            f"Line {line}: this is not {name}; save the file as CSV UTF-8.",
            "encoding",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unreadable(f"Line {line}: a NUL character.", "nul")
    return text


def codec_of(content: bytes) -> tuple[str, str]:
    for mark, codec, name in MARKS:
        if content.startswith(mark):
            return codec, name
    if bare := BARE_UTF16.match(content):
        return ("utf-16-be" if bare[1] else "utf-16-le"), "UTF-16"
    return "utf-8", "UTF-8"


@dataclass(frozen=True)
class Sheet:
    """The heading and the rows under it, each with its line; blank rows are left out.

    Args:
        rows: to be read once; raises Unreadable at a row that breaks the format.
    """

    separator: str
    line: int
    heading: list[str]
    rows: Iterator[tuple[int, list[str]]]


def read_sheet(text: str, known: Collection[str]) -> Sheet:
    """Read CSV whose separator its first line names, or its heading shows.

    Args:
        known: the names of columns, as `plain` gives them.

    Raises:
        Unreadable: the heading breaks the format.
    """
    line, separator = 0, ""
    if named := SEP_LINE.match(text):
        line, separator = len(LINE_END.findall(named[0])), named[1]
        text = text[named.end() :]
    separator = separator or separator_of(text, known)
    rows = rows_of(text, separator, line)
    first, heading = next(rows, (line + 1, []))
    return Sheet(separator, first, [cell.strip() for cell in heading], rows)


def separator_of(text: str, known: Collection[str]) -> str:
    """The separator that finds most known columns in the heading, else the comma."""

    def found(separator: str) -> int:
        try:
            _, heading = next(rows_of(text[:HEADING], separator), (0, []))
        except Unreadable:
            return -1
        return sum(plain_heading(cell) in known for cell in heading)

    return max(SEPARATORS, key=found)


def rows_of(
    text: str, separator: str, line: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that are not blank, each with the line on which it ends."""
    lines = io.StringIO(text, newline="")
    rows = csv.reader(lines, delimiter=separator, strict=True)
    first_line = line + 1
    try:
        for row in rows:
            first_line = line + rows.line_num + 1
            if any(map(str.strip, row)):
                yield first_line - 1, row
    except csv.Error as error:
        sentence = str(error)
        reason = next((REASONS[part] for part in REASONS if part in sentence), sentence)
        raise Unreadable(f"Line {first_line}: {reason}.", "syntax") from None


def plain_heading(title: str) -> str:
    """A heading without what people vary: case, spaces, hyphens, underscores."""
    return NO_LETTER.sub("", title).casefold()


def count_problem(row: Sequence[str], columns: int, separator: str) -> str:
    """Say why a row does not fit under its heading, if another separator is not why."""
    used = SEPARATORS.get(separator, "another character")
    for other, name in SEPARATORS.items():
        if other != separator and sum(c.count(other) for c in row) + 1 >= columns > 1:
            return f"This line is separated by {name}, the heading by {used}."
    cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
    return f"{cells} under {columns} columns."
