"""Searching everything that the console writes down or shows for a secret."""

import base64
import html
import io
import json
import logging
import urllib.parse
from collections.abc import Iterator

from django.contrib.sessions.models import Session
from django.db import connection


def spellings(secret: str) -> set[str]:
    """The secret as the sinks might spell it."""
    raw = secret.encode()
    found = {
        secret,
        html.escape(secret),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        raw.hex(),
        secret.encode("utf-16-le").hex(),
        secret[::-1],
    }
    for shift in range(3):
        # What base64 makes of it depends on how many bytes stand before it.
        padded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = padded[4 if shift else 0 : -4]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {text for text in found if len(text) >= 8}


def search(text: str, secrets: dict[str, str]) -> Iterator[str]:
    for label, secret in secrets.items():
        for spelling in spellings(secret):
            if spelling in text:
                at = text.index(spelling)
                yield f"{label}: ...{text[max(0, at - 80) : at + 80]!r}"


class LogSink(logging.Handler):
    """Keeps every record of the console at DEBUG level as a worker writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines = io.StringIO()
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        # The lab plays the clusters; what a cluster logs is not ours.
        if not record.name.startswith("lab"):
            self.lines.write(f"{self.format(record)} {record.args!r}\n")

    @property
    def text(self) -> str:
        return self.lines.getvalue()


def database_text() -> str:
    """Every row of every table as text, sessions decoded."""
    lines = [str(row.get_decoded()) for row in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                lines.append(f"{table} {row}")
    return "\n".join(lines)
