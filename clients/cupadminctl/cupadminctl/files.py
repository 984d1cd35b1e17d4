"""Text from files, with a sentence for what cannot be read."""

import sys
from pathlib import Path

from cupadminctl.exits import Failed


def read_text(file: Path) -> str:
    """Return the text of a file, `-` for standard input.

    Raises:
        Failed: it is missing, unreadable or not text.
    """
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:  # also a NUL in its name
        raise Failed(f"{str(file)!r} is not text in UTF-8.") from None
