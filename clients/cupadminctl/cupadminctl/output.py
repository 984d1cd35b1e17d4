"""Rows as a table, JSON or YAML."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import click
import yaml

FORMATS = ("table", "json", "yaml")
# What a table shows for what is not known, and for what a terminal would obey.
NOTHING, HIDDEN = "-", "\N{REPLACEMENT CHARACTER}"
# The path of a value in a row, by the heading of its column: "status.outcome".
Columns = Mapping[str, str]


def print_rows(rows: Any, columns: Columns, output: str) -> None:
    """Print what the console answered, or in a table the columns of it."""
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
    elif output == "yaml":
        click.echo(yaml.safe_dump(rows, sort_keys=False), nl=False)
    else:
        found = rows if isinstance(rows, list) else [rows]
        cells = [[value_at(row, path) for path in columns.values()] for row in found]
        for line in table_lines(list(columns), cells):
            click.echo(line)


def value_at(row: Any, path: str) -> str:
    for part in path.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    if row is None or row == "":
        return NOTHING
    if isinstance(row, bool):
        return "yes" if row else "no"
    if isinstance(row, list):
        return ", ".join(map(printable_text, row)) or NOTHING
    return printable_text(row)


def printable_text(text: Any) -> str:
    """Take out what moves the cursor or colours: texts may come from a cluster."""
    printable = (
        c if unicodedata.category(c)[0] not in "CZ" else blank_character(c)
        for c in str(text)
    )
    return "".join(printable)


def blank_character(character: str) -> str:
    return " " if character.isspace() else HIDDEN


def table_lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [[heading.upper() for heading in headings], *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
