"""What the skins share: escaping, options and icons that are drawn here."""

import html
import struct
import zlib
from functools import lru_cache

from .screens import Screen, ScreenField

SIZE = 12
COLOURS = {
    "passed": (40, 150, 60),
    "failed": (200, 40, 40),
    "warning": (230, 170, 0),
    "information": (40, 90, 200),
    "unknown": (120, 60, 140),
    "save": (60, 60, 60),
    "add": (0, 120, 120),
    "delete": (150, 0, 0),
    "sync": (0, 80, 160),
    "find": (90, 90, 90),
}


def escaped(value: object) -> str:
    """Return a value as it may stand in markup or in a quoted attribute."""
    return html.escape(str(value))


def question_attribute(screen: Screen) -> str:
    """Return the attribute of a form that asks before it is sent; empty for none."""
    handler = f" onsubmit=\"return confirm('{escaped(screen.asks)}')\""
    return handler if screen.asks else ""


def option_list(control: ScreenField) -> str:
    return "".join(
        f'<option value="{escaped(value)}"'
        f"{' selected' if value == control.value else ''}>{escaped(label)}</option>"
        for value, label in control.options
    )


@lru_cache(32)
def icon_png(name: str) -> bytes:
    """Return a small PNG: a square, disc, triangle or ring in one colour."""
    colour = bytes(COLOURS.get(name, (0, 0, 0)))
    rows = b"".join(
        b"\0" + b"".join(_pixel(name, x, y, colour) for x in range(SIZE))
        for y in range(SIZE)
    )
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def _pixel(name: str, x: int, y: int, colour: bytes) -> bytes:
    middle = (SIZE - 1) / 2
    distance = ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5
    inside = {
        "failed": distance <= middle,
        "information": 2 <= distance <= middle,
        "warning": abs(x - middle) <= y / 2,
    }.get(name, True)
    return colour + (b"\xff" if inside else b"\0")


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return (
        struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    )
