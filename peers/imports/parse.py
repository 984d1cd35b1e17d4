"""From a file to entries, each with its line. Nothing is guessed, nothing is lost."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from base.csv import DANGEROUS
from base.strict_yaml import read_with_nodes
from base.unreadable import Unreadable
from peers.imports.spreadsheet import (
    Sheet,
    count_problem,
    decode_text,
    plain_heading,
    read_sheet,
)

LARGEST = 4 * 1024 * 1024
# A whole mesh of 100 clusters: all rows go in as one, in some ten seconds.
MOST_ROWS = 10_000
# A cluster takes as long as four peers.
MOST_CLUSTERS = 1_000

NO_ENTRIES = "The file has no entries."

CLUSTER, PEER = "cluster", "peer"
# The columns of a cluster that are fields of its publisher.
NODE_COLUMNS = {
    "publisher_name": "name",
    "publisher_address": "address",
    "axl_port": "axl_port",
    "sip_port": "sip_port",
    "sip_tls_port": "sip_tls_port",
    "sip_peer_tls_port": "sip_peer_tls_port",
}
# The columns that a file may have, in the order of an export; passwords only come in.
CLUSTER_COLUMNS = (
    "name",
    "domain",
    "address_scheme",
    "description",
    "site",
    "axl_username",
    "provisioning",
    *NODE_COLUMNS,
)
PEER_COLUMNS = (
    "cluster",
    "address",
    "username",
    "protocol",
    "external_phone_number_mask",
)
COLUMNS = {
    CLUSTER: (*CLUSTER_COLUMNS, "axl_password"),
    PEER: (*PEER_COLUMNS, "password"),
}
KEYS = {CLUSTER: ("name",), PEER: ("cluster", "address")}


PLAIN = {
    kind: {plain_heading(name): name for name in COLUMNS[kind]} for kind in COLUMNS
}


@dataclass(frozen=True)
class FileEntry:
    """A cluster or a peer as the file has it.

    Args:
        titles: the headings of its columns, as the file writes them.
    """

    line: int
    kind: str
    values: dict[str, str] = field(repr=False)
    problem: str = ""
    titles: Mapping[str, str] = field(default_factory=dict, repr=False)

    def title(self, column: str) -> str:
        """What the file calls a column."""
        return self.titles.get(column, column)


def read_entries(content: bytes, *, is_yaml: bool) -> list[FileEntry]:
    """Return the entries of a file.

    Raises:
        Unreadable: the file as a whole is not what it should be.
    """
    if len(content) > LARGEST:
        raise Unreadable(f"The file is larger than {LARGEST >> 20} MiB.", "too_large")
    text = decode_text(content)
    entries = list(
        limit_entries(entries_of_yaml(text) if is_yaml else entries_of_csv(text))
    )
    if not entries:
        raise Unreadable(NO_ENTRIES, "no_entries")
    return entries


def limit_entries(entries: Iterable[FileEntry]) -> Iterator[FileEntry]:
    """The entries, unless there are too many."""
    seen: Counter[str] = Counter()
    for entry in entries:
        seen[entry.kind] += 1
        if seen.total() > MOST_ROWS:
            most = f"{MOST_ROWS:,} rows"
            raise Unreadable(f"The file has more than {most}: split it.", "rows")
        if seen[CLUSTER] > MOST_CLUSTERS:
            most = f"{MOST_CLUSTERS:,} clusters"
            raise Unreadable(f"The file has more than {most}: split it.", "clusters")
        yield entry


def entries_of_csv(text: str) -> Iterator[FileEntry]:
    sheet = read_sheet(text, PLAIN[CLUSTER].keys() | PLAIN[PEER].keys())
    kind = kind_of(sheet.heading)
    columns = columns_of(kind, sheet)
    for line, row in sheet.rows:
        yield entry_of_row(kind, columns, sheet, row, line)


def kind_of(heading: list[str]) -> str:
    """Tell by its columns what a CSV file holds."""
    names = set(map(plain_heading, heading))
    if "cluster" in names or "name" in names:
        return PEER if "cluster" in names else CLUSTER
    return max((CLUSTER, PEER), key=lambda kind: len(names & PLAIN[kind].keys()))


def columns_of(kind: str, sheet: Sheet) -> list[str]:
    """The columns under a heading; empty for one that has no name."""
    if not sheet.heading:
        raise Unreadable(NO_ENTRIES, "no_entries")
    where = f"Line {sheet.line}"
    columns = []
    for title in sheet.heading:
        column = PLAIN[kind].get(plain_heading(title), "")
        if title and not column:
            known = ", ".join(COLUMNS[kind])
            raise Unreadable(
                f"{where}: there is no column {title[:60]!r} for a {kind}; "
                f"the columns are {known}.",
                "unknown_column",
            )
        if column and column in columns:
            sentence = f"{where}: the column {column} is there twice."
            raise Unreadable(sentence, "repeated_column")
        columns.append(column)
    for name in KEYS[kind]:
        if name not in columns:
            sentence = f"{where}: the column {name} is missing."
            raise Unreadable(sentence, "missing_column")
    while not columns[-1]:
        columns.pop()
    return columns


def entry_of_row(
    kind: str, columns: list[str], sheet: Sheet, row: list[str], line: int
) -> FileEntry:
    """Make an entry of a row, whose cells without a heading must be empty."""
    width = len(columns)
    if len(row) < width or any(map(str.strip, row[width:])):
        problem = count_problem(row, width, sheet.separator)
        return FileEntry(line, kind, {}, problem)
    for number, (column, cell) in enumerate(zip(columns, row, strict=False), 1):
        if not column and cell.strip():
            return FileEntry(line, kind, {}, f"Cell {number} has no heading.")
    named = [n for n, column in enumerate(columns) if column]
    titles = {columns[n]: sheet.heading[n] for n in named}
    values = {columns[n]: unquote_cell(row[n]) for n in named}
    return FileEntry(line, kind, values, missing_value(kind, values, titles), titles)


def missing_value(
    kind: str, values: Mapping[str, str], titles: Mapping[str, str]
) -> str:
    """Say which value is missing without which nothing can be looked up."""
    names = [name for name in KEYS[kind] if not values.get(name, "").strip()]
    return f"{titles.get(names[0], names[0])} is missing." if names else ""


def unquote_cell(cell: str) -> str:
    """Undo what an export does so that no spreadsheet takes a cell for a formula."""
    guarded = cell.startswith("'") and cell[1:].lstrip(" ").startswith(DANGEROUS)
    return cell[1:] if guarded else cell


def entries_of_yaml(text: str) -> Iterator[FileEntry]:
    document, root = read_with_nodes(text, LARGEST)
    if not isinstance(document, dict) or set(document) - {"clusters", "peers"}:
        raise Unreadable(
            "A document has the keys clusters and peers, each a list.", "keys"
        )
    lines = {
        key.value: [node.start_mark.line + 1 for node in rows.value]
        for key, rows in root.value  # type: ignore[union-attr]
        if isinstance(rows, yaml.SequenceNode)
    }
    for name, kind in (("clusters", CLUSTER), ("peers", PEER)):
        rows = document.get(name) or []
        if not isinstance(rows, list):
            raise Unreadable(f"{name} must be a list.", "not_a_list")
        for row, line in zip(rows, lines.get(name, ()), strict=False):
            yield entry_of_mapping(kind, row, line)


def entry_of_mapping(kind: str, row: Any, line: int) -> FileEntry:
    if not isinstance(row, dict):
        return FileEntry(line, kind, {}, f"A {kind} must be a mapping.")
    for name, value in row.items():
        if name not in COLUMNS[kind]:
            return FileEntry(line, kind, {}, f"A {kind} has no {str(name)[:60]!r}.")
        if not isinstance(value, str):
            return FileEntry(line, kind, {}, f"{name} must be a text.")
    return FileEntry(line, kind, row, missing_value(kind, row, {}))
