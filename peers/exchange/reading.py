"""From a file to entries, each with its line. Nothing is guessed, nothing is lost."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from rest.csv import DANGEROUS
from rest.documents import read_with_nodes

LARGEST = 4 * 1024 * 1024
# A whole mesh of 100 clusters: all rows go in as one, in some ten seconds.
MOST = 10_000
# A cluster takes as long as four peers.
MOST_CLUSTERS = 1_000

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


class Unreadable(Exception):
    """The file as a whole cannot be read; the text says where and why."""


@dataclass(frozen=True)
class Entry:
    """A cluster or a peer as the file has it."""

    line: int
    kind: str
    values: dict[str, str] = field(repr=False)
    problem: str = ""


def read(content: bytes, *, is_yaml: bool) -> list[Entry]:
    """Return the entries of a file.

    Raises:
        Unreadable: the file as a whole is not what it should be.
    """
    if len(content) > LARGEST:
        raise Unreadable(f"The file is larger than {LARGEST >> 20} MiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"Line {line}: this is not UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unreadable(f"Line {line}: a NUL character.")
    entries = list(counted(entries_of_yaml(text) if is_yaml else entries_of_csv(text)))
    if not entries:
        raise Unreadable("The file has no entries.")
    return entries


def counted(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries, unless there are too many."""
    seen: Counter[str] = Counter()
    for entry in entries:
        seen[entry.kind] += 1
        if seen.total() > MOST:
            raise Unreadable(f"The file has more than {MOST:,} rows: split it.")
        if seen[CLUSTER] > MOST_CLUSTERS:
            most = f"{MOST_CLUSTERS:,} clusters"
            raise Unreadable(f"The file has more than {most}: split it.")
        yield entry


def entries_of_csv(text: str) -> Iterator[Entry]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heading = [name.strip() for name in next(rows, [])]
        kind = kind_of(heading)
        for row in filter(None, rows):
            yield entry_of_row(kind, heading, row, rows.line_num)
    except csv.Error as error:
        raise Unreadable(f"Line {rows.line_num}: {error}.") from None


def kind_of(heading: list[str]) -> str:
    """Tell by its columns what a CSV file holds."""
    if len(set(heading)) != len(heading):
        raise Unreadable("Line 1: a column is there twice.")
    kind = PEER if "cluster" in heading else CLUSTER
    for name in heading:
        if name not in COLUMNS[kind]:
            raise Unreadable(f"Line 1: there is no column {name[:60]!r} for a {kind}.")
    for name in KEYS[kind]:
        if name not in heading:
            raise Unreadable(f"Line 1: the column {name} is missing.")
    return kind


def entry_of_row(kind: str, heading: list[str], row: list[str], line: int) -> Entry:
    if len(row) != len(heading):
        problem = f"{len(row)} cells under {len(heading)} columns."
        return Entry(line, kind, {}, problem)
    return Entry(line, kind, dict(zip(heading, map(unquoted, row), strict=True)))


def unquoted(cell: str) -> str:
    """Undo what an export does so that no spreadsheet takes a cell for a formula."""
    guarded = cell.startswith("'") and cell[1:].lstrip(" ").startswith(DANGEROUS)
    return cell[1:] if guarded else cell


def entries_of_yaml(text: str) -> Iterator[Entry]:
    try:
        document, root = read_with_nodes(text, LARGEST)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)[:300]) from None
    if not isinstance(document, dict) or set(document) - {"clusters", "peers"}:
        raise Unreadable("A document has the keys clusters and peers, each a list.")
    lines = {
        key.value: [node.start_mark.line + 1 for node in rows.value]
        for key, rows in root.value  # type: ignore[union-attr]
        if isinstance(rows, yaml.SequenceNode)
    }
    for name, kind in (("clusters", CLUSTER), ("peers", PEER)):
        rows = document.get(name) or []
        if not isinstance(rows, list):
            raise Unreadable(f"{name} must be a list.")
        for row, line in zip(rows, lines.get(name, ()), strict=False):
            yield entry_of_mapping(kind, row, line)


def entry_of_mapping(kind: str, row: Any, line: int) -> Entry:
    if not isinstance(row, dict):
        return Entry(line, kind, {}, f"A {kind} must be a mapping.")
    for name, value in row.items():
        if name not in COLUMNS[kind]:
            return Entry(line, kind, {}, f"A {kind} has no {str(name)[:60]!r}.")
        if not isinstance(value, str):
            return Entry(line, kind, {}, f"{name} must be a text.")
    missing = [name for name in KEYS[kind] if not row.get(name)]
    if missing:
        return Entry(line, kind, {}, f"{missing[0]} is missing.")
    return Entry(line, kind, row)
