"""Counters of requests that the processes of one web server share, in files."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

# By it prometheus-client finds the folder.
SHARED = "PROMETHEUS_MULTIPROC_DIR"


def share_counters(data: Path) -> None:
    """Let the processes of one web server count together.

    Called before prometheus-client is imported, which looks for the folder only then.
    The parent of the processes names it, so that a restart counts from zero, which
    readers of counters expect.
    """
    folder = data / "metrics"
    own = folder / str(os.getppid())
    own.mkdir(parents=True, exist_ok=True)
    for other in folder.iterdir():
        if not is_running(other.name):
            shutil.rmtree(other, ignore_errors=True)
    os.environ[SHARED] = str(own)


def is_running(pid: str) -> bool:
    with suppress(ProcessLookupError, ValueError):
        with suppress(PermissionError):
            os.kill(int(pid), 0)
        return True
    return False
