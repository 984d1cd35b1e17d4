"""One console at a time on a data directory."""

import fcntl
import os
import time
from pathlib import Path

# A console that was killed holds its directory until the last of its processes ended.
LOCK_TIMEOUT = 8.0


class DirectoryInUse(Exception):
    """Another console uses the data directory."""


def lock_directory(folder: Path) -> int:
    """Take the data directory; it is free again when the returned descriptor is closed
    in every process that has it, so also when all of them were killed.

    Raises:
        DirectoryInUse: another console has it.
    """
    handle = os.open(folder / "console.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_TIMEOUT
    while not try_lock(handle):
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        if is_running(holder) or time.monotonic() > deadline:
            os.close(handle)
            raise DirectoryInUse(
                f"Another console (process {holder or 'unknown'}) uses the data "
                f"directory {folder}. End it first, or name another directory in "
                "CUPADMIN_DATA_DIR."
            )
        time.sleep(0.1)
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
