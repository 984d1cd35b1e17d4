"""Ends the console's processes when their supervisor was killed; a script of its own.

The supervisor writes `+PID` and `-PID` for each process group that it starts and ends.
When it is gone, however it went, its end of the pipe is closed: then the groups that
are left are asked to end, and after GRACE seconds killed, children of children too.
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 4.0


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        groups.add(group) if line[0] == "+" else groups.discard(group)
    signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while signal_groups(groups, 0) and time.monotonic() < deadline:
        time.sleep(0.1)
    signal_groups(groups, signal.SIGKILL)


def signal_groups(groups: set[int], number: int) -> bool:
    """Send each group a signal; say whether one of them is there."""
    is_alive = False
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            is_alive = True
    return is_alive


if __name__ == "__main__":
    main()
