"""The log files of supervised processes: bounded in size and number."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LogLimits:
    """How much of the log of one process stays: its file, and older ones."""

    bytes: int = 20_000_000
    kept: int = 4


def rotate_log(path: Path, limits: LogLimits) -> None:
    """Move what is in a log file that is too long to `NAME.log.1`, and so on.

    The process keeps its file open and appends to it, so the file is copied to its
    end and emptied. What is written between the two, microseconds apart, is lost.
    """
    try:
        if path.stat().st_size <= limits.bytes:
            return
    except FileNotFoundError:
        return
    delete_older(path, limits.kept - 1)
    for number in range(limits.kept - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            older_log(path, number).rename(older_log(path, number + 1))
    if limits.kept:
        copy_log(path, older_log(path, 1))
    os.truncate(path, 0)


def copy_log(path: Path, copy: Path) -> None:
    """Copy it, or nothing of it: the limit holds on a full disk too."""
    try:
        with path.open("rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except OSError:
        copy.unlink(missing_ok=True)


def delete_older(path: Path, kept: int) -> None:
    """Delete older files above a number, also those of a former, higher limit."""
    for found in path.parent.glob(f"{path.name}.*"):
        number = found.suffix[1:]
        if number.isdecimal() and int(number) > kept:
            found.unlink(missing_ok=True)


def older_log(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
