"""CSV for spreadsheets: streamed, and no cell can act as a formula."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.text import get_valid_filename

T = TypeVar("T")

# What a spreadsheet may take for the beginning of a formula, full-width forms too.
DANGEROUS = tuple("=+-@\t\r\n\0＝＋－＠")


class Echo:
    """A file whose write() hands the line back."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: Any) -> str:
    """Return the value as text that a spreadsheet shows and does not run."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) else text


def rows_as_csv(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    yield "\ufeff" + writer.writerow(heading)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def is_requested(request: HttpRequest) -> bool:
    """Whether a list is requested as a file, with the filters of the page."""
    return request.GET.get("format") == "csv"


def list_download(
    name: str, columns: Mapping[str, Callable[[T], Any]], rows: Iterable[T]
) -> StreamingHttpResponse:
    """Answer with a list; each column gives, under its heading, the value of a row."""
    lines = ([cell_text(read(row)) for read in columns.values()] for row in rows)
    return csv_download(name, list(columns), lines)


def cell_text(value: Any) -> Any:
    """Times as programs read them; everything else as it is."""
    return value.isoformat() if isinstance(value, datetime) else value


def csv_download(
    name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Answer with the rows as the download `name`.csv."""
    response = StreamingHttpResponse(
        rows_as_csv(heading, rows), content_type="text/csv; charset=utf-8"
    )
    name = get_valid_filename(name)
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
