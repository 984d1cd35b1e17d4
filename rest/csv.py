"""CSV for spreadsheets: streamed, and no cell can act as a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.text import get_valid_filename

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
