"""Named places where a test can kill the process, to see what survives."""

import os
import signal


def failpoint(name: str) -> None:
    """End this process as a power cut would, if CUPADMIN_FAILPOINT names this place."""
    if os.environ.get("CUPADMIN_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
