"""The data directory, which no other user of the machine may look into."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_directory(path: Path, code: Path) -> Path:
    """Make or repair the data directory and return it; new files are private too.

    Args:
        path: the directory; it is 0700 afterwards, and all in it closed to others.
        code: where the console's own code lies, which others may have to read.

    Raises:
        ImproperlyConfigured: it cannot be made or closed, or holds more than our data.
    """
    # Here, since every process of the console reads its settings first.
    os.umask(OTHERS)
    path = path.resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_shared(path, code)
        make_private(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"CUPADMIN_DATA_DIR names {path}, which cannot be used: {error.strerror}."
        ) from None
    if path.stat().st_mode & OTHERS:
        raise ImproperlyConfigured(
            f"CUPADMIN_DATA_DIR names {path}, which other users of this machine can "
            "open. Change its owner to the console's user, or name another directory."
        )
    for found in files_below(path):
        # Of another owner: then the directory around it is what protects it.
        with contextlib.suppress(OSError):
            make_private(found)
    return path


def refuse_shared(path: Path, code: Path) -> None:
    """Refuse what must stay open to others, as /tmp or the folder of the code."""
    shared = path.stat().st_mode & stat.S_ISVTX
    if shared or path in (code, *code.parents):
        raise ImproperlyConfigured(
            f"CUPADMIN_DATA_DIR names {path}, which holds more than the console's "
            "data. Name a directory of its own."
        )


def make_private(path: Path) -> None:
    """Take from group and others what they may do with a file or folder."""
    mode = path.lstat().st_mode
    if mode & OTHERS and not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def files_below(path: Path) -> Iterator[Path]:
    """Yield all files and folders in it; links are not followed."""
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))


def close_database(path: Path) -> None:
    """Close an SQLite file outside the data directory, with its journals."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with contextlib.suppress(OSError):
            make_private(name)
